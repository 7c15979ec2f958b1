/** What the format walkers share: the result they hand back, the bounds they keep, byte access. */

export const IMAGE_TYPES = ["jpeg", "png", "webp"] as const;
export type ImageType = (typeof IMAGE_TYPES)[number];

/** An image whose structure was walked to its end. `clean` joined is the same image without metadata. */
export type WalkedImage = {
  width: number;
  height: number;
  clean: Uint8Array[];
};

const MAX_SIDE = 12_000;
/** Room for a 50-megapixel phone sensor (8192 x 6144); a viewer needs four bytes for each pixel. */
const MAX_PIXELS = 50 * 1024 * 1024;

/** Segments, chunks or frames in one file: far above real files, low enough to bound our memory. */
export const MAX_PARTS = 20_000;

export function fitsLimits(width: number, height: number): boolean {
  return (
    width > 0 &&
    height > 0 &&
    width <= MAX_SIDE &&
    height <= MAX_SIDE &&
    width * height <= MAX_PIXELS
  );
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Little-endian 24-bit number, as WebP writes sizes; the caller has checked the bounds. */
export function uint24le(view: DataView, at: number): number {
  return view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
}

/** Whether `text` (ASCII) stands at `at`; false when the bytes end before it does. */
export function hasText(bytes: Uint8Array, at: number, text: string): boolean {
  if (at + text.length > bytes.length) return false;
  for (let i = 0; i < text.length; i++) {
    if (bytes[at + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}

/** The four letters of a chunk type; the caller has checked the bounds. */
export function fourLetters(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

export function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
