/** Images by their bytes alone: a file's name and declared type are what the sender wished them to be. */
import { IMAGE_TYPES, type ImageType, joinBytes, type WalkedImage } from "./image-format.ts";
import { walkJpeg } from "./jpeg.ts";
import { walkPng } from "./png.ts";
import { walkWebp } from "./webp.ts";

export type { ImageType } from "./image-format.ts";

/** Width and height are those stored; an EXIF orientation of 5 to 8 swaps them on the screen. */
export type ImageInfo = { type: ImageType; width: number; height: number };
export type CleanImage = ImageInfo & { bytes: Uint8Array<ArrayBuffer> };

const WALKERS: Record<ImageType, (bytes: Uint8Array) => WalkedImage | null> = {
  jpeg: walkJpeg,
  png: walkPng,
  webp: walkWebp,
};

function typeOf(bytes: Uint8Array): ImageType | null {
  switch (bytes[0]) {
    case 0xff:
      return "jpeg";
    case 0x89:
      return "png";
    case 0x52:
      return "webp";
    default:
      return null;
  }
}

/** What the bytes are, after a walk through their whole structure; null for anything but an image. */
export function readImage(bytes: Uint8Array): ImageInfo | null {
  const type = typeOf(bytes);
  const walked = type && WALKERS[type](bytes);
  return walked && { type, width: walked.width, height: walked.height };
}

/**
 * The image without EXIF, XMP, IPTC, comments, texts, thumbnails, further pictures and trailers.
 * Colours, transparency, animation and orientation stay. Null when the bytes are no image.
 */
export function cleanImage(bytes: Uint8Array): CleanImage | null {
  const type = typeOf(bytes);
  const walked = type && WALKERS[type](bytes);
  if (!walked) return null;
  return { type, width: walked.width, height: walked.height, bytes: joinBytes(walked.clean) };
}

/** The bytes of {@link cleanImage}; null when they are not an image of that type. */
export function stripMetadata(bytes: Uint8Array, type: ImageType): Uint8Array<ArrayBuffer> | null {
  const walked = WALKERS[type](bytes);
  return walked && joinBytes(walked.clean);
}

export function contentTypeOf(type: ImageType): string {
  return `image/${type}`;
}

export function isImageContentType(contentType: string | undefined): contentType is string {
  return IMAGE_TYPES.some((type) => contentTypeOf(type) === contentType);
}
