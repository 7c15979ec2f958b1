import type { Ctx } from "../../../shared/context.ts";
import { type ImageInfo, readImage } from "../../../shared/files/image.ts";
import { wrongField } from "../../../shared/http/errors.ts";
import { pictureKey } from "../images.ts";

/** What the model's machine holds; a larger picture fails there after it was paid for. */
const MOST_PIXELS = 2_096_704;
const LEAST_SIDE = 32;
/** About so many the result has: enough for any screen, and small enough to be taken over. */
const RESULT_PIXELS = 4_000_000;
const MOST_SCALE = 4;

/** What lies under a stored picture of ours; null: nothing, or no picture. */
async function readOwn(ctx: Ctx, url: string): Promise<ImageInfo | null> {
  const key = pictureKey(url);
  const stored = key === null ? null : await ctx.assets.get(key);
  return stored && readImage(new Uint8Array(await stored.arrayBuffer()));
}

const refused = (words: string) => wrongField("image_url", words);

/** Refuses a picture that the model could not make better, before anything is paid for. */
export async function requireSource(ctx: Ctx, url: string): Promise<void> {
  const image = await readOwn(ctx, url);
  if (!image) throw refused("Gambar tidak ditemukan. Unggah ulang gambarnya");
  const { width, height } = image;
  if (width * height > MOST_PIXELS) {
    const million = (MOST_PIXELS / 1_000_000).toFixed(0);
    throw refused(
      `Foto ini (${width} × ${height}) sudah beresolusi tinggi; yang dapat ditingkatkan paling besar ${million} megapiksel`,
    );
  }
  if (Math.min(width, height) < LEAST_SIDE) throw refused("Foto ini terlalu kecil");
}

/** How much larger the picture becomes, with one decimal; null: it is no longer there. */
export async function scaleOf(ctx: Ctx, url: string): Promise<number | null> {
  const image = await readOwn(ctx, url);
  if (!image) return null;
  const fitting = Math.sqrt(RESULT_PIXELS / (image.width * image.height));
  return Math.max(1, Math.min(MOST_SCALE, Math.floor(fitting * 10) / 10));
}
