import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Config } from "../../shared/config/config.ts";
import { actorOf, type Ctx } from "../../shared/context.ts";
import { rows } from "../../shared/db/statement.ts";
import { ownAssetKey, storeImage, UPLOADS_PATH } from "../../shared/files/assets.ts";
import { readUpload } from "../../shared/files/upload.ts";
import { AppError, wrongField } from "../../shared/http/errors.ts";

export const MAX_IMAGE_BYTES = 5 * 1024 * 1024;
/** Where pictures of sellers lie, a folder each. */
export const PRODUCT_UPLOADS = "products";

const REFUSED = {
  missing: () => new AppError("invalid_input", "Pilih gambar pada kolom file"),
  not_multipart: () => new AppError("invalid_input", "Kirim gambar sebagai multipart/form-data"),
  too_large: () => new AppError("too_large", "Ukuran gambar maksimal 5 MB"),
  not_an_image: () => new AppError("unsupported_type", "Berkas bukan gambar JPEG, PNG atau WebP"),
} as const;

/** Stores one picture (a seller's product, an admin's banner), judged by its bytes, and answers with its address. */
export async function uploadImage(
  ctx: Ctx,
  request: Request,
  prefix = PRODUCT_UPLOADS,
): Promise<{ url: string }> {
  // The session is checked by a request's first statement, so one runs before anything is kept.
  await ctx.db.run(rows(sql`select 1 as one`, z.unknown()));
  const upload = await readUpload(request, {
    field: "file",
    maxBytes: MAX_IMAGE_BYTES,
    accept: ["jpeg", "png", "webp"],
  });
  if (upload.kind !== "ok") throw REFUSED[upload.kind]();
  const { bytes, type } = upload;
  const ownerId = actorOf(ctx).userId;
  const stored = await storeImage(ctx.assets, { prefix, ownerId, bytes, type });
  return { url: ctx.config.APP_URL + stored.path };
}

/** What is said of a picture that the caller did not upload here. */
export const NOT_OURS = "Gunakan gambar yang Anda unggah di sini";

/** Who knows the platform's address. */
export type Addressed = { config: Pick<Config, "APP_URL"> };

/**
 * A stored picture as its path below our address. Rows from before hold the address of their day in front of it; the
 * columns of pictures hold own uploads alone, so what stands before `/uploads/` there was ours.
 */
export const picturePath = (stored: string): string => STORED.exec(stored)?.[1] ?? stored;

const STORED = /^https?:\/\/[^/?#]+(\/uploads\/[^?#]+)$/;

/** The address of a stored picture below the platform's address of today. */
export function pictureUrl(config: Pick<Config, "APP_URL">, stored: string): string {
  const path = picturePath(stored);
  return path.startsWith(UPLOADS_PATH) ? config.APP_URL + path : path;
}

/** The same of a column that may be empty. */
export const pictureUrlOrNull = (
  config: Pick<Config, "APP_URL">,
  stored: string | null,
): string | null => (stored === null ? null : pictureUrl(config, stored));

/** The key of a stored picture in our bucket; null: it lies nowhere here. */
export function pictureKey(stored: string): string | null {
  const path = picturePath(stored);
  return path.startsWith(UPLOADS_PATH) ? path.slice(UPLOADS_PATH.length) : null;
}

/** A picture that this seller uploaded here, as it is stored; anything else is refused (TB-11, TB-20). */
export function ownImagePath(ctx: Ctx, url: string, field: string): string {
  const { APP_URL } = ctx.config;
  const key = ownAssetKey(url, APP_URL, { prefix: PRODUCT_UPLOADS, ownerId: actorOf(ctx).userId });
  if (key === null) throw wrongField(field, NOT_OURS);
  return UPLOADS_PATH + key;
}
