import { execFileSync } from "node:child_process";
import { createHash, sign } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import {
  PROTOCOL_VERSION,
  RELEASE_CONTEXT,
  releaseManifest,
  signedRelease,
} from "../../shared/agent-protocol/index.ts";
import { buildAgent } from "./build.ts";
import { makeKeyFile, publicKeyOf, readKey } from "./key.ts";

const ROOT = resolve(import.meta.dirname, "../..");

export interface ReleaseOptions {
  version: string;
  commit: string;
  key: Parameters<typeof publicKeyOf>[0];
  /** Further public keys that the built agent will believe: the next key, before the last one is given up. */
  alsoTrust?: readonly string[];
  downgradeFrom?: readonly string[];
  builtAt?: Date;
}

/** Builds the agent, and signs what was built: the file, its manifest and the signature over the manifest's text. */
export async function makeRelease(options: ReleaseOptions) {
  const { version, commit, key, alsoTrust = [], downgradeFrom, builtAt = new Date() } = options;
  const built_at = builtAt.toISOString();
  const keys = [publicKeyOf(key), ...alsoTrust];
  const { agent } = await buildAgent({ version, commit, builtAt: built_at, keys });
  const file = Buffer.from(agent);
  const manifest = JSON.stringify(
    releaseManifest.parse({
      ...{ version, commit, built_at, size: file.length },
      sha256: createHash("sha256").update(file).digest("hex"),
      url: `/v1/agent/releases/${version}/nusantarad.mjs`,
      ...{ min_protocol: PROTOCOL_VERSION, max_protocol: PROTOCOL_VERSION },
      ...(downgradeFrom?.length ? { downgrade_from: downgradeFrom } : {}),
    }),
  );
  const signature = sign(null, Buffer.from(`${RELEASE_CONTEXT}${manifest}`), key);
  const signed = signedRelease.parse({ manifest, signature: signature.toString("base64url") });
  return { file, signed, header: Buffer.from(JSON.stringify(signed)).toString("base64url") };
}
export type Release = Awaited<ReturnType<typeof makeRelease>>;

/** Gives a release to the panel at `url`, as the operator whose token this is. */
export async function publishRelease(release: Release, url: string, token: string): Promise<void> {
  const { version } = releaseManifest.parse(JSON.parse(release.signed.manifest));
  const response = await fetch(new URL(`/v1/panel/releases/${version}`, url), {
    method: "PUT",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/octet-stream",
      "x-release": release.header,
    },
    body: new Uint8Array(release.file),
  });
  if (response.status !== 201) {
    throw new Error(
      `the panel refused: ${response.status} ${(await response.text()).slice(0, 300)}`,
    );
  }
}

const USAGE = `npm run release:agent -- --new-key FILE
npm run release:agent -- --version 1.2.3 --key FILE [--out DIR] [--publish URL]
  --key FILE            the private release key; or its text in NUSANTARAD_RELEASE_KEY
  --also-trust KEYS     further public keys that this release will believe, comma between
  --downgrade-from LIST newer versions that this one may take the place of
  --publish URL         gives it to the panel there; the operator's token is in PANEL_TOKEN`;

const list = (text: string | undefined) => (text ?? "").split(",").filter(Boolean);

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      "new-key": { type: "string" },
      version: { type: "string" },
      key: { type: "string" },
      out: { type: "string", default: join(ROOT, "agent/dist/releases") },
      "also-trust": { type: "string" },
      "downgrade-from": { type: "string" },
      publish: { type: "string" },
    },
  });
  if (values["new-key"] !== undefined) {
    console.log(`PANEL_RELEASE_KEYS=${makeKeyFile(values["new-key"])}`);
    return;
  }
  if (values.version === undefined) throw new Error(USAGE);
  const release = await makeRelease({
    version: values.version,
    commit: execFileSync("git", ["rev-parse", "HEAD"], { cwd: ROOT, encoding: "utf8" }).trim(),
    key: readKey(values.key, process.env),
    alsoTrust: list(values["also-trust"]),
    downgradeFrom: list(values["downgrade-from"]),
  });
  const folder = join(values.out, values.version);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "nusantarad.mjs"), release.file, { mode: 0o755 });
  writeFileSync(join(folder, "release.json"), JSON.stringify(release.signed, null, 2));
  console.log(`${folder}: ${release.signed.manifest}`);
  if (values.publish !== undefined) {
    await publishRelease(release, values.publish, process.env.PANEL_TOKEN ?? "");
    console.log(`published at ${values.publish}`);
  }
}

if (import.meta.main) {
  await main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
