/** Uploaded images in R2: stored under keys nobody can guess, deleted and accepted only by owner. */
import { contentTypeOf, type ImageType } from "./image.ts";

export { serveAsset } from "./serve-asset.ts";

/** Where an image's key stands under our own address. */
export const UPLOADS_PATH = "/uploads/";

export type AssetOwner = { prefix: string; ownerId: string | number };
export type StoredImage = { key: string; path: string };

const FOREVER = "public, max-age=31536000, immutable";
const EXTENSIONS: Record<ImageType, string> = { jpeg: "jpg", png: "png", webp: "webp" };
const KEY_NAME = new RegExp(`^[0-9a-f]{32}\\.(${Object.values(EXTENSIONS).join("|")})$`);

/** Puts an image (cleaned by `readUpload` or `cleanImage`) into the bucket under a new key. */
export async function storeImage(
  bucket: R2Bucket,
  image: AssetOwner & { bytes: Uint8Array; type: ImageType },
): Promise<StoredImage> {
  const key = `${folderOf(image)}${randomName()}.${EXTENSIONS[image.type]}`;
  await bucket.put(key, image.bytes, {
    httpMetadata: { contentType: contentTypeOf(image.type), cacheControl: FOREVER },
  });
  return { key, path: UPLOADS_PATH + key };
}

/** Deletes the image if its key was made for that owner; says whether it was. */
export async function deleteImage(
  bucket: R2Bucket,
  key: string,
  owner: AssetOwner,
): Promise<boolean> {
  if (!isKeyOf(key, owner)) return false;
  await bucket.delete(key);
  return true;
}

/**
 * The key of an image of that owner, from what a client gives as its URL: `/uploads/<key>`, or
 * `<assetBaseUrl>/<key>` with or without `/uploads`. Null for any other host, owner or form.
 */
export function ownAssetKey(url: string, assetBaseUrl: string, owner: AssetOwner): string | null {
  const base = assetBaseUrl.replace(/\/+$/, "");
  // Compared letter by letter: a parsed URL would forgive user info, ports, dots and escapes.
  const starts = [UPLOADS_PATH, ...(base ? [base + UPLOADS_PATH, `${base}/`] : [])];
  const start = starts.find((candidate) => url.startsWith(candidate));
  const key = start === undefined ? "" : url.slice(start.length);
  return isKeyOf(key, owner) ? key : null;
}

function isKeyOf(key: string, owner: AssetOwner): boolean {
  const folder = folderOf(owner);
  return key.startsWith(folder) && KEY_NAME.test(key.slice(folder.length));
}

/** Throws on a prefix or id that could reach another folder: both come from our code, not a client. */
function folderOf({ prefix, ownerId }: AssetOwner): string {
  if (!/^[a-z][a-z0-9-]*$/.test(prefix) || !/^[A-Za-z0-9-]{1,64}$/.test(String(ownerId))) {
    throw new RangeError("An asset needs a plain prefix and owner id");
  }
  return `${prefix}/${ownerId}/`;
}

function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
