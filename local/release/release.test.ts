import { execFileSync, spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifyRelease } from "../../agent/update/verify.ts";
import { makeKeyFile, publicKeyOf, readKey } from "./key.ts";
import { makeRelease, type Release } from "./release.ts";

let folder: string;
let release: Release;
const { privateKey } = generateKeyPairSync("ed25519");
const next = publicKeyOf(generateKeyPairSync("ed25519").privateKey);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lumbung-release-"));
  release = await makeRelease({
    ...{ version: "2.3.4", commit: "0123456789abcdef", key: privateKey },
    ...{ alsoTrust: [next], downgradeFrom: ["2.4.0"], builtAt: new Date("2026-11-21T12:00:00Z") },
  });
  writeFileSync(join(folder, "nusantarad.mjs"), release.file);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a release", () => {
  it("is one file that runs by itself and says which it is", () => {
    const said = execFileSync(process.execPath, [join(folder, "nusantarad.mjs"), "version"], {
      encoding: "utf8",
      cwd: "/",
    });
    expect(said).toBe("2.3.4 0123456789abcdef 2026-11-21T12:00:00.000Z\n");
  });

  it("is signed as agents check it, and believes its own key and the next one", () => {
    const trust = { keys: [publicKeyOf(privateKey)], version: "2.3.3", commit: "x" };
    expect(verifyRelease(release.signed, trust)).toMatchObject({
      ...{ version: "2.3.4", size: release.file.length, downgrade_from: ["2.4.0"] },
      url: "/v1/agent/releases/2.3.4/nusantarad.mjs",
    });
    expect(() => verifyRelease(release.signed, { ...trust, keys: [next] })).toThrow(/not signed/);
    const text = release.file.toString();
    for (const key of [publicKeyOf(privateKey), next]) expect(text).toContain(key);
  });

  it("does not hold the private key", () => {
    const { d } = privateKey.export({ format: "jwk" });
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    expect(release.file.includes(d ?? "-")).toBe(false);
    expect(release.file.includes(pem.split("\n")[1] ?? "-")).toBe(false);
  });
});

describe("a release key", () => {
  it("is made once into a file that only its owner reads", () => {
    const file = join(folder, "release.key");
    const publicKey = makeKeyFile(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(publicKeyOf(readKey(file, {}))).toBe(publicKey);
    expect(
      publicKeyOf(readKey(undefined, { NUSANTARAD_RELEASE_KEY: readFileSync(file, "utf8") })),
    ).toBe(publicKey);
    expect(() => makeKeyFile(file)).toThrow(/EEXIST/);
    expect(() => readKey(undefined, {})).toThrow(/--key/);
  });

  it("is no other kind of key", () => {
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    expect(() => publicKeyOf(rsa)).toThrow(/Ed25519/);
  });
});

it("npm run release:agent says what it needs, and signs nothing without a key", () => {
  const script = join(import.meta.dirname, "release.ts");
  const env = { ...process.env, NUSANTARAD_RELEASE_KEY: "" };
  const bare = spawnSync(process.execPath, [script], { encoding: "utf8", env });
  expect([bare.status, bare.stderr]).toEqual([1, expect.stringContaining("--new-key FILE")]);
  const keyless = spawnSync(process.execPath, [script, "--version", "1.0.0"], {
    encoding: "utf8",
    env,
  });
  expect([keyless.status, keyless.stderr]).toEqual([1, expect.stringContaining("give --key FILE")]);
});
