import { describe, expect, it } from "vitest";
import { findOrientation, orientationTiff } from "./exif.ts";
import { asciiBytes } from "./image-format.ts";

/** A little-endian directory whose second entry is the orientation, of the given type. */
function little(type: string, value: string): Uint8Array {
  const width = "\0\x01\x03\0\x01\0\0\0\x10\0\0\0";
  return asciiBytes(`II*\0\x08\0\0\0\x02\0${width}\x12\x01${type}\x01\0\0\0${value}\0\0\0\0`);
}

describe("findOrientation", () => {
  it("reads back each orientation that is written", () => {
    for (let turn = 1; turn <= 8; turn++) expect(findOrientation(orientationTiff(turn))).toBe(turn);
  });

  it("reads little-endian blocks and passes over other tags", () => {
    expect(findOrientation(little("\x03\0", "\x08\0\0\0"))).toBe(8);
  });

  it("is upright for other types, values out of range and cut blocks", () => {
    expect(findOrientation(little("\x02\0", "\x06\0\0\0"))).toBe(1);
    expect(findOrientation(little("\x03\0", "\x09\0\0\0"))).toBe(1);
    expect(findOrientation(little("\x03\0", "\0\0\0\0"))).toBe(1);
    const whole = orientationTiff(6);
    for (let end = 0; end < 22; end++) expect(findOrientation(whole.subarray(0, end))).toBe(1);
    expect(findOrientation(asciiBytes("MM\0*\xff\xff\xff\xff\0\x01"))).toBe(1);
    expect(findOrientation(asciiBytes("XX\0*\0\0\0\x08\0\x01"))).toBe(1);
  });
});
