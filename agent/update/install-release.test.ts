import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { adoptRelease, installRelease } from "./install-release.ts";
import { privilegedLink, releaseFile, releasesDir, stagingDir, versionAt } from "./layout.ts";
import {
  choose,
  newKey,
  newPlaces,
  putRelease,
  signedRelease,
  type TestPlaces,
  type TestRelease,
} from "./testing.ts";

const key = newKey();
const trust = { keys: [key.publicKey], version: "1.0.0", commit: "0123456789ab" };
let places: TestPlaces;

beforeEach(() => {
  places = newPlaces();
  mkdirSync(stagingDir(places), { recursive: true });
});
afterEach(() => places.remove());

const staged = ({ facts }: TestRelease) => join(stagingDir(places), `${facts.version}.mjs`);
const install = ({ release }: TestRelease) => installRelease(places, release, trust);

describe("the installation of a release", () => {
  it("puts the signed bytes beside the others, readable by all and writable by root, however often", async () => {
    const one = signedRelease(key, "1.1.0");
    writeFileSync(staged(one), one.file);
    for (let i = 0; i < 10; i++) expect((await install(one)).version).toBe("1.1.0");
    const file = releaseFile(places, "1.1.0");
    expect(readFileSync(file)).toEqual(one.file);
    expect(statSync(file).mode & 0o777).toBe(0o644);
    expect(readdirSync(releasesDir(places))).toEqual(["1.1.0"]);
  });

  it.each<[string, (one: TestRelease) => void]>([
    ["truncated", (one) => writeFileSync(staged(one), one.file.subarray(0, -1))],
    ["longer", (one) => writeFileSync(staged(one), Buffer.concat([one.file, Buffer.from(" ")]))],
    ["altered", (one) => writeFileSync(staged(one), Buffer.from(one.file).fill(47, 0, 3))],
    ["a folder", (one) => mkdirSync(staged(one))],
    [
      "a link to the right bytes",
      (one) => {
        writeFileSync(`${staged(one)}.real`, one.file);
        symlinkSync(`${staged(one)}.real`, staged(one));
      },
    ],
    ["missing", () => undefined],
  ])("refuses a staged file that is %s, and leaves nothing behind", async (_, stage) => {
    const one = signedRelease(key, "1.1.0");
    stage(one);
    await expect(install(one)).rejects.toMatchObject({
      code: expect.stringMatching(/^(integrity|not_found)$/),
    });
    expect(readdirSync(releasesDir(places))).toEqual([]);
  });

  it("believes no signature but its own keys', and goes to no older version", async () => {
    const forged = signedRelease(newKey(), "1.1.0");
    const old = signedRelease(key, "0.9.0");
    for (const one of [forged, old]) {
      writeFileSync(staged(one), one.file);
      await expect(install(one)).rejects.toMatchObject({
        code: expect.stringMatching(/^(integrity|version)$/),
      });
    }
    expect(readdirSync(releasesDir(places))).toEqual([]);
  });

  it("mends a release that was damaged on the disk", async () => {
    const one = signedRelease(key, "1.1.0");
    putRelease(places, "1.1.0", "damaged");
    writeFileSync(staged(one), one.file);
    await install(one);
    expect(readFileSync(releaseFile(places, "1.1.0"))).toEqual(one.file);
  });

  it("keeps the newest three and whatever is in use", async () => {
    for (const version of ["0.1.0", "0.2.0", "0.3.0", "0.4.0", "1.0.0"])
      putRelease(places, version, "//");
    choose(places, "0.2.0");
    symlinkSync(join(releasesDir(places), "0.1.0"), privilegedLink(places));
    const one = signedRelease(key, "1.10.0");
    writeFileSync(staged(one), one.file);
    await install(one);
    expect(readdirSync(releasesDir(places)).sort()).toEqual([
      "0.1.0",
      "0.2.0",
      "0.4.0",
      "1.0.0",
      "1.10.0",
    ]);
  });
});

describe("a release becomes the privileged half", () => {
  const laid = (version: string, changes: Partial<TestRelease["facts"]> = {}) => {
    const one = signedRelease(key, version, undefined, changes);
    putRelease(places, version, one.file.toString());
    return one;
  };
  const adopt = ({ release, facts }: TestRelease, says = facts.version, build = trust) =>
    adoptRelease(places, release, build, async () => says);
  const privileged = () => versionAt(privilegedLink(places));

  it("when it runs and says its own version, however often it is asked", async () => {
    const one = laid("1.1.0");
    await adopt(one);
    const itself = { ...trust, version: "1.1.0", commit: one.facts.commit };
    for (let i = 0; i < 3; i++) await adopt(one, "1.1.0", itself);
    expect(privileged()).toBe("1.1.0");
  });

  it("and not when it does not run, says another version, is altered or is not there", async () => {
    await adopt(laid("1.0.1"));
    const next = laid("1.1.0");
    await expect(adopt(next, "")).rejects.toMatchObject({ code: "tool_failed" });
    const crash = async () => {
      throw new Error("crashed");
    };
    await expect(adoptRelease(places, next.release, trust, crash)).rejects.toThrow("crashed");
    putRelease(places, "1.1.0", "altered");
    await expect(adopt(next)).rejects.toMatchObject({ code: "integrity" });
    rmSync(releaseFile(places, "1.1.0"));
    await expect(adopt(next)).rejects.toMatchObject({ code: "not_found" });
    expect(privileged()).toBe("1.0.1");
    expect(existsSync(`${privilegedLink(places)}.new`)).toBe(false);
  });

  it("never when it is older, of another build, or signed by nobody we know, though it lies there", async () => {
    const old = laid("1.1.0");
    await adopt(laid("1.2.0"));
    const twin = laid("1.2.0", { commit: "fedcba987654" });
    for (const one of [old, twin]) {
      await expect(adopt(one)).rejects.toMatchObject({ code: "version" });
    }
    const forged = signedRelease(newKey(), "1.3.0");
    putRelease(places, "1.3.0", forged.file.toString());
    await expect(adopt(forged)).rejects.toMatchObject({ code: "integrity" });
    expect(privileged()).toBe("1.2.0");
    await adopt(laid("1.1.0", { downgrade_from: ["1.2.0"] }));
    expect(privileged(), "unless its own manifest says so").toBe("1.1.0");
  });
});
