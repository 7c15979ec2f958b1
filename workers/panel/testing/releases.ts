import { LOCAL_RELEASE_KEY } from "../../../local/settings.ts";
import { RELEASE_CONTEXT, type ReleaseManifest } from "../../../shared/agent-protocol/update.ts";
import { fromBase64Url, sha256Hex, toBase64Url, utf8 } from "../../../shared/crypto/index.ts";
import { api } from "../../testing/api.ts";

let versions = 0;

/** A version that no other release of the run has, each newer than the one before. */
export const nextVersion = () => `${Math.floor(Date.now() / 1000) % 1_000_000}.0.${versions++}`;

export interface TestRelease {
  facts: ReleaseManifest;
  manifest: string;
  signature: string;
  /** As the header `x-release` carries it. */
  header: string;
  file: string;
}

/** A release that the operator of this run signed; `changes` are signed too, `forged` come afterwards. */
export async function signRelease(
  changes: Partial<ReleaseManifest> = {},
  { file = `// ${crypto.randomUUID()}`, context = RELEASE_CONTEXT } = {},
): Promise<TestRelease> {
  const version = changes.version ?? nextVersion();
  const facts: ReleaseManifest = {
    version,
    commit: crypto.randomUUID().replaceAll("-", "").slice(0, 20),
    built_at: "2026-11-21T12:00:00Z",
    sha256: await sha256Hex(file),
    size: file.length,
    url: `/v1/agent/releases/${version}/nusantarad.mjs`,
    min_protocol: 1,
    max_protocol: 1,
    ...changes,
  };
  const manifest = JSON.stringify(facts);
  const pkcs8 = fromBase64Url(LOCAL_RELEASE_KEY.pkcs8);
  if (!pkcs8) throw new Error("no key");
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, { name: "Ed25519" }, false, ["sign"]);
  const signed = await crypto.subtle.sign({ name: "Ed25519" }, key, utf8(`${context}${manifest}`));
  const signature = toBase64Url(new Uint8Array(signed));
  return { facts, manifest, signature, header: headerOf({ manifest, signature }), file };
}

export const headerOf = ({ manifest, signature }: { manifest: string; signature: string }) =>
  toBase64Url(utf8(JSON.stringify({ manifest, signature })));

/** Publishes it as the operator would. */
export const publish = (
  token: string,
  release: TestRelease,
  { version = release.facts.version, file = release.file, header = release.header } = {},
) =>
  api(`/v1/panel/releases/${version}`, {
    ...{ method: "PUT", token, body: file },
    headers: { "x-release": header, "content-type": "application/octet-stream" },
  });
