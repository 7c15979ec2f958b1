import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RELEASE_CONTEXT, type ReleaseManifest } from "../../shared/agent-protocol/update.ts";
import { currentLink, type Places, releaseDir, releaseFile } from "./layout.ts";

/** A key of a test's own. */
export function newKey() {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return { privateKey, publicKey: publicKey.export({ format: "jwk" }).x ?? "" };
}
export type TestKey = ReturnType<typeof newKey>;

export interface TestRelease {
  facts: ReleaseManifest;
  release: { manifest: string; signature: string };
  file: Buffer;
}

/** A signed release of `source`. */
export function signedRelease(
  key: TestKey,
  version: string,
  source = `// ${randomBytes(8).toString("hex")}`,
  changes: Partial<ReleaseManifest> = {},
): TestRelease {
  const file = Buffer.from(source);
  const facts: ReleaseManifest = {
    version,
    commit: createHash("sha1").update(version).digest("hex").slice(0, 12),
    built_at: "2026-11-21T12:00:00Z",
    sha256: createHash("sha256").update(file).digest("hex"),
    size: file.length,
    url: `/v1/agent/releases/${version}/nusantarad.mjs`,
    min_protocol: 1,
    max_protocol: 1,
    ...changes,
  };
  return { facts, release: signText(key, JSON.stringify(facts)), file };
}

export function signText(key: TestKey, manifest: string, context = RELEASE_CONTEXT) {
  const signature = sign(null, Buffer.from(`${context}${manifest}`), key.privateKey);
  return { manifest, signature: signature.toString("base64url") };
}

export interface TestPlaces extends Places {
  remove(): void;
}

/** Folders of a test's own, as `install` makes them. */
export function newPlaces(): TestPlaces {
  const root = mkdtempSync(join(tmpdir(), "nusantarad-update-"));
  const places = { programDir: join(root, "lib"), stateDir: join(root, "state") };
  mkdirSync(join(places.programDir, "releases"), { recursive: true });
  mkdirSync(places.stateDir, { recursive: true });
  return { ...places, remove: () => rmSync(root, { recursive: true, force: true }) };
}

/** A release as it lies after its installation. */
export function putRelease(places: Places, version: string, source: string): void {
  mkdirSync(releaseDir(places, version), { recursive: true });
  writeFileSync(releaseFile(places, version), source);
}

export function choose(places: Places, version: string): void {
  rmSync(currentLink(places), { force: true });
  symlinkSync(releaseDir(places, version), currentLink(places));
}
