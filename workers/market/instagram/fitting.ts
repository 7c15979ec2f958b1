import { actorOf, type Ctx } from "../../../shared/context.ts";
import { asJpeg } from "../../../shared/files/as-jpeg.ts";
import { storeImage } from "../../../shared/files/assets.ts";
import { findOrientation } from "../../../shared/files/exif.ts";
import { type CleanImage, cleanImage } from "../../../shared/files/image.ts";
import { PRODUCT_UPLOADS, pictureKey, picturePath } from "../images.ts";
import { storeUrl } from "../storefront/urls.ts";

/** Instagram's limits (providers/instagram.md §3). */
const CAPTION = { characters: 2_200, hashtags: 30, mentions: 20 };
const PICTURE = { bytes: 8 * 1024 * 1024, least: 320, tall: 4 / 5, wide: 1.91 };
const ASKEW = 5;
const OTHERS = { jpeg: "JPEG", png: "PNG", webp: "WebP" };
const NO_PICTURE = "Gambar tidak ditemukan. Unggah ulang gambarnya";

export const productLink = (ctx: Ctx, slug: string, productId: string) =>
  storeUrl(ctx.config, slug, `/produk/${productId}`);

/** The caption as it is posted: the seller's words, and below them where the product is. */
export const wholeCaption = (caption: string, link: string | null) =>
  [caption, link].filter(Boolean).join("\n\n");

/** Why Instagram would not take a caption, or null. */
export function captionProblem(whole: string): string | null {
  const characters = [...whole].length;
  const count = (pattern: RegExp) => [...whole.matchAll(pattern)].length;
  if (characters > CAPTION.characters) {
    return `Keterangan terlalu panjang: ${characters} dari ${CAPTION.characters} karakter, termasuk tautan produk`;
  }
  const hashtags = count(/#[\p{L}\p{N}_]+/gu);
  if (hashtags > CAPTION.hashtags)
    return `Terlalu banyak tagar: ${hashtags} dari ${CAPTION.hashtags}`;
  const mentions = count(/@[\w.]+/g);
  if (mentions > CAPTION.mentions) {
    return `Terlalu banyak sebutan akun: ${mentions} dari ${CAPTION.mentions}`;
  }
  return null;
}

/** What Instagram is given of a picture of ours, or why it would not take it. */
export type Fitted = { path: string } | { problem: string };

/** A picture that Instagram takes, as it is stored; of a PNG that is a JPEG beside it, made and kept for the actor. */
export async function fitPicture(ctx: Ctx, url: string): Promise<Fitted> {
  const key = pictureKey(url);
  const found = key === null ? null : await ctx.assets.head(key);
  if (key === null || !found) return { problem: NO_PICTURE };
  if (found.size > PICTURE.bytes) {
    return { problem: "Ukuran gambar untuk Instagram paling besar 8 MB" };
  }
  const stored = await ctx.assets.get(key);
  const image = stored && cleanImage(new Uint8Array(await stored.arrayBuffer()));
  if (!image) return { problem: NO_PICTURE };
  const problem = sizeProblem(image);
  if (problem !== null) return { problem };
  if (image.type === "jpeg") return { path: picturePath(url) };
  const made = await asJpeg(image);
  if (made) {
    const owner = { prefix: PRODUCT_UPLOADS, ownerId: actorOf(ctx).userId };
    return { path: (await storeImage(ctx.assets, { ...owner, ...made })).path };
  }
  const words = `Instagram hanya menerima JPEG, sedangkan gambar ini ${OTHERS[image.type]}`;
  return { problem: `${words}. Simpan ulang sebagai JPEG, lalu unggah` };
}

/** Wider ones than 1,440 pixels Instagram makes smaller itself. */
function sizeProblem(image: CleanImage): string | null {
  const isTurned = orientationOf(image.bytes) >= ASKEW;
  const [width, height] = isTurned ? [image.height, image.width] : [image.width, image.height];
  if (width < PICTURE.least) return `Lebar gambar untuk Instagram minimal ${PICTURE.least} piksel`;
  const ratio = width / height;
  if (ratio < PICTURE.tall || ratio > PICTURE.wide) {
    return `Perbandingan sisi gambar (${width} × ${height}) harus antara 4:5 dan 1,91:1`;
  }
  return null;
}

/** Uploads keep of EXIF the orientation alone, near the beginning of the file. */
function orientationOf(bytes: Uint8Array): number {
  const lead = [0x45, 0x78, 0x69, 0x66, 0, 0];
  const head = bytes.subarray(0, 1024);
  for (let at = head.indexOf(lead[0] ?? 0); at >= 0; at = head.indexOf(lead[0] ?? 0, at + 1)) {
    if (lead.every((byte, i) => head[at + i] === byte)) {
      return findOrientation(head.subarray(at + lead.length));
    }
  }
  return 1;
}
