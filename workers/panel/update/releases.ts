import { sql } from "drizzle-orm";
import { z } from "zod";
import {
  MAX_RELEASE_BYTES,
  RELEASE_CONTEXT,
  releaseManifest,
  signedRelease,
} from "../../../shared/agent-protocol/update.ts";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { fromBase64Url, sha256, toHex } from "../../../shared/crypto/index.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { AppError, notFound } from "../../../shared/http/errors.ts";
import { panelAudited } from "../audit.ts";
import { hasSigned } from "../link/signature.ts";

const objectKey = (version: string) => `agent-releases/${version}/nusantarad.mjs`;

/** Whether a key of the operator signed these very bytes. */
async function isSigned(ctx: Ctx, manifest: string, signature: string): Promise<boolean> {
  const said = `${RELEASE_CONTEXT}${manifest}`;
  for (const key of ctx.config.PANEL_RELEASE_KEYS) {
    if (await hasSigned(key, signature, said)) return true;
  }
  return false;
}

/** The release in a header, or a refusal: what nobody signed is never stored, so never offered. */
async function readSigned(ctx: Ctx, header: string | undefined) {
  const text = fromBase64Url(header ?? "");
  const signed = signedRelease.safeParse(parsed(text ? new TextDecoder().decode(text) : ""));
  if (!signed.success) throw new AppError("invalid_input", "invalid release");
  if (!(await isSigned(ctx, signed.data.manifest, signed.data.signature))) {
    throw new AppError("invalid_input", "invalid release signature");
  }
  const manifest = releaseManifest.safeParse(parsed(signed.data.manifest));
  if (!manifest.success) throw new AppError("invalid_input", "invalid release");
  return { ...signed.data, facts: manifest.data };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export interface NewRelease {
  version: string;
  /** Manifest and signature, as JSON in base64url. */
  release: string | undefined;
  file: ReadableStream<Uint8Array> | null;
}

/** Keeps a signed release for the agents: its file in the bucket, then its manifest in Postgres. */
export async function addRelease(ctx: Ctx, { version, release, file }: NewRelease) {
  // The session first: nobody else has us read a file, or fills the bucket.
  await ctx.db.passGate();
  const { facts, ...signed } = await readSigned(ctx, release);
  if (facts.version !== version) throw new AppError("invalid_input", "invalid release version");
  const bytes = await readWhole(file, facts.size);
  if (toHex(await sha256(bytes)) !== facts.sha256) throw mismatch();
  await ctx.assets.put(objectKey(version), bytes, { sha256: facts.sha256 });
  ctx.db.guardAgain();
  const { userId } = actorOf(ctx);
  const [{ made }] = await ctx.db.batch([
    call(
      "panel_release_add",
      {
        ...{ version, rank: rankOf(version), commit: facts.commit, manifest: signed.manifest },
        ...{ signature: signed.signature, size: facts.size, built_at: facts.built_at },
        created_by: userId,
      },
      z.object({ made: z.boolean() }),
    ),
    panelAudited(ctx, {
      action: "panel.release.add",
      target: { type: "release", id: version },
      metadata: { commit: facts.commit, sha256: facts.sha256 },
    }),
  ]);
  return { version, commit: facts.commit, made };
}

const mismatch = () => new AppError("invalid_input", "release file does not match its manifest");

/** The file, in one piece and of exactly the announced size. */
async function readWhole(file: NewRelease["file"], size: number): Promise<Uint8Array<ArrayBuffer>> {
  if (!file || size > MAX_RELEASE_BYTES) throw mismatch();
  const bytes = new Uint8Array(size);
  let at = 0;
  for await (const chunk of file) {
    if (at + chunk.byteLength > size) throw mismatch();
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  if (at !== size) throw mismatch();
  return bytes;
}

/** A version as a text that sorts like one. */
export const rankOf = (version: string) =>
  version
    .split(".")
    .map((part) => part.padStart(6, "0"))
    .join(".");

const Row = z.object({
  version: z.string(),
  commit: z.string(),
  size: z.number(),
  built_at: z.string(),
  created_at: z.string(),
});

/** The releases, newest version first. */
export async function listReleases(ctx: Ctx, limit: number) {
  const items = await ctx.db.run(
    rows(
      sql`select version, commit, size, panel_time(built_at) as built_at, panel_time(created_at) as created_at
        from panel_releases order by rank desc limit ${limit}`,
      Row,
    ),
  );
  return { items };
}

/** A release's file for an agent, or for a person who installs the first one (`latest`). */
export async function openRelease(ctx: Ctx, version: string): Promise<R2ObjectBody> {
  const wanted = version === "latest" ? await latestVersion(ctx) : version;
  const object = wanted === null ? null : await ctx.assets.get(objectKey(wanted));
  if (!object) throw notFound("release not found");
  return object;
}

async function latestVersion(ctx: Ctx): Promise<string | null> {
  const [latest] = await ctx.db.run(
    rows(
      sql`select version from panel_releases order by rank desc limit 1`,
      z.object({ version: z.string() }),
    ),
  );
  return latest?.version ?? null;
}
