import { z } from "@hono/zod-openapi";
import { sql } from "drizzle-orm";
import { actorOf, type Ctx } from "../../shared/context.ts";
import { mayBeDone } from "../../shared/db/errors.ts";
import { rows } from "../../shared/db/statement.ts";
import { deleteImage, ownAssetKey, storeImage } from "../../shared/files/assets.ts";
import type { UploadOptions, UploadResult } from "../../shared/files/upload.ts";
import { AppError, notFound } from "../../shared/http/errors.ts";
import { users } from "./tables.ts";

export const AVATAR_UPLOAD: UploadOptions = {
  field: "avatar",
  maxBytes: 5 * 1024 * 1024,
  accept: ["jpeg", "png"],
};

const PREFIX = "avatars";

const REFUSALS = {
  missing: "Tidak ada file yang diupload",
  not_multipart: "Tidak ada file yang diupload",
  too_large: "Ukuran file maksimal 5 MB",
  not_an_image: "File harus berupa gambar JPEG atau PNG",
} as const;

/** Puts a new picture on the signed-in user and removes the one that it replaces. */
export async function replaceAvatar(ctx: Ctx, upload: UploadResult): Promise<string> {
  if (upload.kind !== "ok") throw new AppError("invalid_input", REFUSALS[upload.kind]);
  const ownerId = actorOf(ctx).userId;
  const owner = { prefix: PREFIX, ownerId };
  const stored = await storeImage(ctx.assets, { ...owner, bytes: upload.bytes, type: upload.type });
  let previous: string | null;
  try {
    previous = await setAvatar(ctx, ownerId, stored.path);
  } catch (error) {
    // A file too many is better than a profile that shows one which is gone.
    if (!mayBeDone(error)) ctx.waitUntil(deleteImage(ctx.assets, stored.key, owner));
    throw error;
  }
  // Only a key that was made for this user: a stored address never reaches another file.
  const key = previous && ownAssetKey(previous, "", owner);
  if (key) ctx.waitUntil(deleteImage(ctx.assets, key, owner));
  return stored.path;
}

/** The address that this one replaced: the row hands it over, so of two uploads at once neither file is left. */
async function setAvatar(ctx: Ctx, userId: number, path: string): Promise<string | null> {
  const [row] = await ctx.db.run(
    rows(
      sql`update ${users} set avatar_url = ${path}, updated_at = now()
          where id = ${userId} and deleted_at is null
          returning old.avatar_url as previous`,
      z.object({ previous: z.string().nullable() }),
    ),
  );
  if (!row) throw notFound("User tidak ditemukan");
  return row.previous;
}
