import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { setTimeout as after } from "node:timers/promises";
import {
  BACKUP_PART_BYTES,
  backupCallPaths,
  MAX_BACKUP_PARTS,
  uploadState,
} from "../../shared/agent-protocol/backups.ts";
import type { InputOf, ResultOf } from "../../shared/agent-protocol/index.ts";
import { CommandError } from "../command-error.ts";
import type { AgentCtx, Progress } from "../ctx.ts";
import { checkArchive } from "./archive.ts";
import { chunksOf, edgeFailure } from "./edge-calls.ts";
import { archivePath, manifestPath, openStored } from "./folder.ts";
import { backupKeys } from "./keys.ts";
import { exclusively } from "./locks.ts";
import { hashOf, type Manifest, readManifest } from "./manifest.ts";

const PAUSES_MS = [200, 1_000, 5_000];

/** Sends a backup to R2 in parts, goes on where it stopped, and reads all of it back before it counts as stored. */
export async function uploadBackup(
  ctx: AgentCtx,
  input: InputOf<"backup.upload">,
  progress: Progress,
): Promise<ResultOf<"backup.upload">> {
  const keys = await backupKeys(ctx);
  return await exclusively(input.name, async () => {
    const { manifest, sha256 } = await readManifest(ctx, keys, input.name);
    if (sha256 !== input.manifestSha256)
      throw new CommandError("integrity", "the manifest is not the one that was made");
    const path = archivePath(ctx, input.name);
    await checkArchive(ctx, manifest, path);
    const partBytes = partSize(manifest.archive.bytes);
    const held = await begin(ctx, manifest, partBytes);
    const parts = Math.max(1, Math.ceil(manifest.archive.bytes / partBytes));
    let sentParts = 0;
    if (held.state === "receiving") {
      const known = new Map(held.parts.map((part) => [part.n, part.sha256]));
      const { handle } = await openStored(path);
      try {
        for (let n = 1; n <= parts; n += 1) {
          if (await sendPart(ctx, { handle, manifest, n, partBytes, known: known.get(n) }))
            sentParts += 1;
          progress((n / parts) * 80);
        }
      } finally {
        await handle.close();
      }
      await sendManifest(ctx, manifest);
      await call(ctx, backupCallPaths.complete(manifest.backupId), { method: "POST" });
    }
    await readBack(ctx, manifest, sha256);
    await post(ctx, backupCallPaths.verified(manifest.backupId), {
      sha256: manifest.archive.sha256,
    });
    progress(100);
    return { bytes: manifest.archive.bytes, parts, sentParts };
  });
}

/** Larger parts for what would be too many. */
export function partSize(bytes: number): number {
  const mebibyte = 1024 * 1024;
  const needed = Math.ceil(bytes / MAX_BACKUP_PARTS / mebibyte) * mebibyte;
  if (needed > 2 * BACKUP_PART_BYTES)
    throw new CommandError("invalid", "the backup is too large for R2");
  return Math.max(BACKUP_PART_BYTES, needed);
}

async function begin(ctx: AgentCtx, { backupId, archive }: Manifest, partBytes: number) {
  const { bytes, sha256 } = archive;
  const response = await post(ctx, backupCallPaths.upload(backupId), { bytes, sha256, partBytes });
  const state = uploadState.parse(await response.json());
  if (state.partBytes !== partBytes)
    throw new CommandError("conflict", "the upload began with other parts");
  return state;
}

interface Part {
  handle: FileHandle;
  manifest: Manifest;
  n: number;
  partBytes: number;
  known: string | undefined;
}

/** False when the edge has this very part. */
async function sendPart(
  ctx: AgentCtx,
  { handle, manifest, n, partBytes, known }: Part,
): Promise<boolean> {
  const from = (n - 1) * partBytes;
  const bytes = Buffer.allocUnsafe(Math.min(partBytes, manifest.archive.bytes - from));
  const { bytesRead } = await handle.read(bytes, 0, bytes.length, from);
  if (bytesRead !== bytes.length)
    throw new CommandError("integrity", "the archive is damaged or was altered");
  if (known === hashOf(bytes)) return false;
  await call(ctx, backupCallPaths.part(manifest.backupId, n), { method: "PUT", body: bytes });
  return true;
}

async function sendManifest(ctx: AgentCtx, { name, backupId }: Manifest): Promise<void> {
  const { handle } = await openStored(manifestPath(ctx, name));
  const body = await handle.readFile().finally(() => handle.close());
  await call(ctx, backupCallPaths.manifest(backupId), { method: "PUT", body });
}

/** Both objects again, from R2, to the last byte; an answer that breaks off goes on where it broke. */
async function readBack(ctx: AgentCtx, manifest: Manifest, manifestSha256: string): Promise<void> {
  const { bytes, sha256 } = manifest.archive;
  const hash = createHash("sha256");
  await fetchObject(ctx, manifest.backupId, bytes, async (chunk) => void hash.update(chunk));
  const response = await call(ctx, backupCallPaths.manifest(manifest.backupId), {});
  const text = new Uint8Array(await response.arrayBuffer());
  if (hash.digest("hex") !== sha256 || hashOf(text) !== manifestSha256) {
    throw new CommandError("integrity", "what R2 holds differs from what was sent", {
      retryable: true,
    });
  }
}

/** The object from R2, chunk by chunk. */
export async function fetchObject(
  ctx: AgentCtx,
  backupId: string,
  bytes: number,
  take: (chunk: Uint8Array) => Promise<void>,
): Promise<void> {
  let at = 0;
  for (let tries = 0; at < bytes; tries += 1) {
    const headers = { range: `bytes=${at}-${bytes - 1}` };
    const response = await call(ctx, backupCallPaths.object(backupId), { headers });
    const before = at;
    try {
      for await (const chunk of chunksOf(response)) {
        at += chunk.length;
        if (at > bytes)
          throw new CommandError("integrity", "what R2 holds differs from what was sent");
        await take(chunk);
      }
    } catch (error) {
      if (error instanceof CommandError || ctx.signal.aborted) throw error;
    }
    if (at === before && tries >= PAUSES_MS.length) {
      throw new CommandError("unavailable", "the panel cannot be reached", { retryable: true });
    }
  }
}

interface Call {
  method?: string;
  headers?: Record<string, string>;
  body?: Uint8Array;
}

/** A call that may be repeated, and is, some times, while the edge cannot be reached or is busy. */
export async function call(ctx: AgentCtx, path: string, init: Call): Promise<Response> {
  for (let tries = 0; ; tries += 1) {
    const failure = await attempt(ctx, path, init);
    if (failure instanceof Response) return failure;
    const pause = PAUSES_MS[tries];
    if (!failure.retryable || pause === undefined || ctx.signal.aborted) throw failure;
    await after(pause, undefined, { signal: ctx.signal }).catch(() => undefined);
  }
}

async function attempt(ctx: AgentCtx, path: string, init: Call): Promise<Response | CommandError> {
  try {
    const response = await ctx.edge(path, { ...init, signal: ctx.signal });
    return response.ok ? response : await edgeFailure(response);
  } catch (cause) {
    if (ctx.signal.aborted) return new CommandError("cancelled", "stopped before its end");
    return new CommandError("unavailable", "the panel cannot be reached", {
      retryable: true,
      cause,
    });
  }
}

async function post(ctx: AgentCtx, path: string, json: unknown): Promise<Response> {
  const body = new TextEncoder().encode(JSON.stringify(json));
  return await call(ctx, path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
}
