import { describe, expect, it } from "vitest";
import { newKey, signedRelease, signText } from "./testing.ts";
import { type Trust, verifyRelease } from "./verify.ts";

const key = newKey();
const trust: Trust = {
  keys: [newKey().publicKey, key.publicKey],
  version: "1.4.0",
  commit: "0123456789ab",
};
const verdict = (
  release: { manifest: string; signature: string },
  changes: Partial<Trust> = {},
) => {
  try {
    return verifyRelease(release, { ...trust, ...changes }).version;
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe("a release", () => {
  it("of any of the agent's keys is taken when it is newer", () => {
    for (const version of ["1.4.1", "1.10.0", "2.0.0", "1.4.100000"]) {
      expect(verdict(signedRelease(key, version).release)).toBe(version);
    }
  });

  it("is forged when another key signed it, or nobody", () => {
    expect(verdict(signedRelease(newKey(), "1.5.0").release)).toBe("integrity");
    const { release } = signedRelease(key, "1.5.0");
    expect(verdict({ ...release, signature: "A".repeat(86) })).toBe("integrity");
    expect(verdict(release, { keys: [] })).toBe("integrity");
    expect(verdict(release, { keys: ["", "x", "A".repeat(43)] })).toBe("integrity");
  });

  it("is forged when any one byte of it was changed", () => {
    const { release } = signedRelease(key, "1.5.0");
    const { manifest } = release;
    for (let i = 0; i < manifest.length; i++) {
      const other = manifest[i] === "1" ? "2" : "1";
      const changed = manifest.slice(0, i) + other + manifest.slice(i + 1);
      expect(verdict({ ...release, manifest: changed }), `byte ${i}`).toBe("integrity");
    }
    expect(verdict({ ...release, manifest: manifest.slice(0, -1) })).toBe("integrity");
    expect(verdict({ ...release, manifest: `${manifest} ` })).toBe("integrity");
  });

  it("is forged when the signature was made for something else", () => {
    const { manifest } = signedRelease(key, "1.5.0").release;
    expect(verdict(signText(key, manifest, ""))).toBe("integrity");
    expect(verdict(signText(key, manifest, "nusantarad-connect\n"))).toBe("integrity");
  });

  it("is none when its signed words are no manifest", () => {
    for (const text of ["{}", "null", "[", '{"version":"1.5.0"}']) {
      expect(verdict(signText(key, text)), text).toBe("integrity");
    }
    const strange = { ...signedRelease(key, "1.5.0").facts, run: "rm" };
    expect(verdict(signText(key, JSON.stringify(strange)))).toBe("integrity");
    const elsewhere = signedRelease(key, "1.5.0", "//", { url: "https://evil.example/x" as never });
    expect(verdict(elsewhere.release)).toBe("integrity");
  });

  it("that is older is a replay, unless its signed manifest names the version to go back from", () => {
    expect(verdict(signedRelease(key, "1.3.9").release)).toBe("version");
    expect(verdict(signedRelease(key, "0.99.99").release)).toBe("version");
    const back = signedRelease(key, "1.3.9", "//", { downgrade_from: ["1.4.0"] });
    expect(verdict(back.release)).toBe("1.3.9");
    expect(verdict(back.release, { version: "1.5.0" })).toBe("version");
  });

  it("of the same version is the same only from the same commit", () => {
    const { release, facts } = signedRelease(key, "1.4.0");
    expect(verdict(release)).toBe("version");
    expect(verdict(release, { commit: facts.commit })).toBe("1.4.0");
  });

  it("that does not speak our protocol is refused", () => {
    const later = { min_protocol: 2, max_protocol: 3 };
    expect(verdict(signedRelease(key, "2.0.0", "//", later).release)).toBe("version");
  });
});
