import type { CleanImage } from "./image.ts";
import { encodeJpeg } from "./jpeg-encoder.ts";
import { pixelsOfPng } from "./png-pixels.ts";

/** Seven bytes a pixel are held at once, of the 128 MB that an isolate has. */
const MOST_PIXELS = 6_000_000;
const QUALITY = 90;

/**
 * A picture as the JPEG that every outside service takes: a PNG is written anew, on white. Null for WebP and a PNG that
 * cannot be read here (interlaced, turned, too large): a decoder for all of them is larger than the rest of the Worker.
 */
export async function asJpeg(image: CleanImage): Promise<CleanImage | null> {
  if (image.type === "jpeg") return image;
  const pixels = image.type === "png" ? await pixelsOfPng(image.bytes, MOST_PIXELS) : null;
  if (!pixels) return null;
  const { width, height } = pixels;
  return { type: "jpeg", width, height, bytes: encodeJpeg(pixels, QUALITY) };
}
