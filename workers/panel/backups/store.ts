import { z } from "zod";
import {
  MAX_BACKUP_PARTS,
  MAX_MANIFEST_BYTES,
  type uploadState,
} from "../../../shared/agent-protocol/backups.ts";
import type { Ctx } from "../../../shared/context.ts";
import { sha256Hex } from "../../../shared/crypto/index.ts";
import { call } from "../../../shared/db/statement.ts";
import { AppError, notFound } from "../../../shared/http/errors.ts";
import { archiveKey, type BackupId, manifestKey } from "./objects.ts";

const Held = z.object({
  r2_state: z.enum(["none", "receiving", "complete", "verified"]),
  upload_id: z.string().nullable(),
  part_bytes: z.number().nullable(),
  bytes: z.number(),
  parts: z.array(
    z.object({ n: z.number(), bytes: z.number(), sha256: z.string(), etag: z.string() }),
  ),
});

const inputOf = ({ id, serverId }: BackupId) => ({ id, server_id: serverId });

async function held(ctx: Ctx, backup: BackupId, more: Record<string, unknown> = {}) {
  return await ctx.db.run(call("panel_backup_upload", { ...inputOf(backup), ...more }, Held));
}

export interface UploadWanted {
  bytes: number;
  sha256: string;
  partBytes: number;
}

/** Begins an object in parts, or finds the one that was begun; answers which parts R2 has. */
export async function beginUpload(
  ctx: Ctx,
  backup: BackupId,
  { bytes, sha256, partBytes }: UploadWanted,
): Promise<z.output<typeof uploadState>> {
  if (bytes > partBytes * MAX_BACKUP_PARTS) throw new AppError("too_large", "backup is too large");
  let now = await held(ctx, backup, { bytes, sha256 });
  if (now.r2_state === "receiving" && now.upload_id !== null && now.part_bytes !== partBytes) {
    // Another release of the agent cuts it otherwise, and could not go on with this.
    const old = ctx.assets.resumeMultipartUpload(archiveKey(backup), now.upload_id);
    await old.abort().catch(() => undefined);
    await uploadIsLost(ctx, backup, now.upload_id);
    now = await held(ctx, backup, { bytes, sha256 });
  }
  if (now.r2_state === "none") {
    const upload = await ctx.assets.createMultipartUpload(archiveKey(backup), {
      httpMetadata: { contentType: "application/octet-stream" },
    });
    now = await held(ctx, backup, { upload_id: upload.uploadId, part_bytes: partBytes });
    // Somebody else began one in between.
    if (now.upload_id !== upload.uploadId) await upload.abort().catch(() => undefined);
  }
  const isReceiving = now.r2_state === "receiving";
  return {
    state: isReceiving ? "receiving" : "complete",
    partBytes: now.part_bytes ?? partBytes,
    parts: now.parts.map(({ n, bytes: partSize, sha256: hash }) => ({
      n,
      bytes: partSize,
      sha256: hash,
    })),
  };
}

/** R2's word for an upload that was completed or aborted; it aborts by itself what was not completed in seven days. */
const isGone = (error: unknown) => error instanceof Error && /\b10024\b/.test(error.message);

/** The next `beginUpload` begins anew. */
async function uploadIsLost(ctx: Ctx, backup: BackupId, uploadId: string): Promise<void> {
  const input = { ...inputOf(backup), upload_id: uploadId };
  await ctx.db.run(call("panel_backup_upload_lost", input, z.unknown()));
}

/** One part, of exactly the size that its number has; sent again it replaces itself. */
export async function storePart(
  ctx: Ctx,
  backup: BackupId,
  { n, body }: { n: number; body: ArrayBuffer },
): Promise<void> {
  const now = await held(ctx, backup);
  const { upload_id: uploadId, part_bytes: partBytes } = now;
  if (now.r2_state !== "receiving" || uploadId === null || partBytes === null) {
    throw new AppError("conflict", "the upload has ended");
  }
  const expected = Math.min(partBytes, now.bytes - (n - 1) * partBytes);
  if (n < 1 || expected <= 0 || body.byteLength !== expected) {
    throw new AppError("invalid_input", "invalid part");
  }
  const upload = ctx.assets.resumeMultipartUpload(archiveKey(backup), uploadId);
  const { etag } = await upload.uploadPart(n, body).catch(async (error: unknown) => {
    if (!isGone(error)) throw error;
    await uploadIsLost(ctx, backup, uploadId);
    throw new AppError("conflict", "the upload has ended");
  });
  const part = { upload_id: uploadId, n, etag, bytes: expected };
  const sha256 = await sha256Hex(new Uint8Array(body));
  await ctx.db.run(call("panel_backup_part", { ...inputOf(backup), ...part, sha256 }, z.unknown()));
}

export async function storeManifest(ctx: Ctx, backup: BackupId, body: ArrayBuffer): Promise<void> {
  const now = await held(ctx, backup);
  if (now.r2_state !== "receiving") throw new AppError("conflict", "the upload has ended");
  if (body.byteLength > MAX_MANIFEST_BYTES)
    throw new AppError("too_large", "manifest is too large");
  await ctx.assets.put(manifestKey(backup), body, {
    httpMetadata: { contentType: "application/json" },
  });
}

/** Puts the parts together. Killed between R2 and Postgres, the repeat finds the object there. */
export async function completeUpload(ctx: Ctx, backup: BackupId): Promise<void> {
  const now = await held(ctx, backup);
  const { upload_id: uploadId } = now;
  if (now.r2_state === "receiving" && uploadId !== null) {
    const sum = now.parts.reduce((total, part) => total + part.bytes, 0);
    if (sum !== now.bytes) throw new AppError("conflict", "parts are missing");
    const upload = ctx.assets.resumeMultipartUpload(archiveKey(backup), uploadId);
    const parts = now.parts.map(({ n, etag }) => ({ partNumber: n, etag }));
    await upload.complete(parts).catch(async (error: unknown) => {
      if (!isGone(error)) throw error;
      if ((await ctx.assets.head(archiveKey(backup)))?.size === now.bytes) return;
      await uploadIsLost(ctx, backup, uploadId);
      throw new AppError("conflict", "the upload has ended");
    });
  }
  await stored(ctx, backup, { to: "complete" });
}

/** The agent has read back both objects, and they are what it sent. */
export async function verifyUpload(ctx: Ctx, backup: BackupId, sha256: string): Promise<void> {
  await stored(ctx, backup, { to: "verified", sha256 });
}

async function stored(ctx: Ctx, backup: BackupId, to: Record<string, unknown>): Promise<void> {
  await ctx.db.run(call("panel_backup_stored", { ...inputOf(backup), ...to }, z.unknown()));
}

/** The archive or its manifest, from where `range` says; only of a backup that R2 has whole. */
export async function readObject(
  ctx: Ctx,
  backup: BackupId,
  { what, range }: { what: "archive" | "manifest"; range: string | undefined },
): Promise<Response> {
  const now = await held(ctx, backup);
  const isWhole = now.r2_state === "complete" || now.r2_state === "verified";
  const key = what === "archive" ? archiveKey(backup) : manifestKey(backup);
  const part = rangeOf(range);
  const object = isWhole ? await ctx.assets.get(key, part ? { range: part } : {}) : null;
  if (!object) throw notFound("backup not found");
  const headers = { "content-type": "application/octet-stream", "cache-control": "no-store" };
  return new Response(object.body, { status: part ? 206 : 200, headers });
}

function rangeOf(header: string | undefined): { offset: number; length: number } | null {
  if (header === undefined) return null;
  const [, from, to] = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(header) ?? [];
  const [first, last] = [Number(from), Number(to)];
  if (!(first <= last)) throw new AppError("invalid_input", "invalid range");
  return { offset: first, length: last - first + 1 };
}
