/**
 * The one EXIF tag that changes how a picture looks. Everything else in EXIF (place, time, device,
 * owner) is dropped. Source: CIPA DC-008 (Exif 3.0), sections 4.5 and 4.6.5.
 */
import { hasText, viewOf } from "./image-format.ts";

const ORIENTATION_TAG = 0x0112;
const TYPE_SHORT = 3;
const ENTRY_BYTES = 12;

/** 1 is upright; 2 to 8 are the seven ways a camera can be mirrored or turned. */
export const UPRIGHT = 1;

/** Reads the orientation from a TIFF block (EXIF without its "Exif\0\0" lead); upright when unsure. */
export function findOrientation(tiff: Uint8Array): number {
  const littleEndian = hasText(tiff, 0, "II*\0");
  if (!littleEndian && !hasText(tiff, 0, "MM\0*")) return UPRIGHT;
  if (tiff.length < 10) return UPRIGHT;
  const view = viewOf(tiff);
  const directory = view.getUint32(4, littleEndian);
  if (directory > tiff.length - 2) return UPRIGHT;
  const count = view.getUint16(directory, littleEndian);
  for (let i = 0; i < count; i++) {
    const entry = directory + 2 + i * ENTRY_BYTES;
    if (entry + ENTRY_BYTES > tiff.length) return UPRIGHT;
    if (view.getUint16(entry, littleEndian) !== ORIENTATION_TAG) continue;
    if (view.getUint16(entry + 2, littleEndian) !== TYPE_SHORT) return UPRIGHT;
    const value = view.getUint16(entry + 8, littleEndian);
    return value >= 1 && value <= 8 ? value : UPRIGHT;
  }
  return UPRIGHT;
}

/** A TIFF block that holds the orientation and nothing else. */
export function orientationTiff(orientation: number): Uint8Array {
  const tiff = new Uint8Array(26);
  const view = viewOf(tiff);
  tiff.set([0x4d, 0x4d, 0x00, 0x2a]);
  view.setUint32(4, 8);
  view.setUint16(8, 1);
  view.setUint16(10, ORIENTATION_TAG);
  view.setUint16(12, TYPE_SHORT);
  view.setUint32(14, 1);
  view.setUint16(18, orientation);
  return tiff;
}
