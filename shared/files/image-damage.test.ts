import { describe, expect, it } from "vitest";
import { crc32 } from "./crc32.ts";
import { cleanImage, readImage } from "./image.ts";
import { asciiBytes, joinBytes, viewOf } from "./image-format.ts";
import { ALL_SAMPLES } from "./image-samples.ts";

/** A repeatable source of whole numbers below `bound` (mulberry32). */
function numbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % bound;
  };
}

function mutated(bytes: Uint8Array, below: (bound: number) => number): Uint8Array {
  let result: Uint8Array = bytes.slice();
  for (let i = 0; i <= below(4); i++) {
    const at = below(result.length + 1);
    const slice = result.slice(at, at + below(40));
    const kind = below(5);
    if (kind === 0) result[Math.min(at, result.length - 1)] = below(256);
    else if (kind === 1) result.fill(below(2) * 255, at, at + slice.length);
    else if (kind === 2)
      result = joinBytes([result.subarray(0, at), result.subarray(at + below(9))]);
    else if (kind === 3) result = joinBytes([result.subarray(0, at), slice, result.subarray(at)]);
    else result = result.slice(0, at);
    if (result.length === 0) return result;
  }
  return result;
}

/** Sets right the check sums of a mutated PNG, so that the mutation reaches the code behind them. */
function withCheckSums(bytes: Uint8Array): Uint8Array {
  const view = viewOf(bytes);
  for (let at = 8; at + 12 <= bytes.length; ) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > bytes.length) break;
    view.setUint32(end, crc32(bytes.subarray(at + 4, end)));
    at = end + 4;
  }
  return bytes;
}

describe("damaged images", () => {
  it.each(ALL_SAMPLES)(
    "a %s changed at random is refused or cleaned to a stable image",
    (name, bytes, type) => {
      const below = numbers(name.length * 7919);
      let accepted = 0;
      for (let round = 0; round < 1_500; round++) {
        const raw = mutated(bytes, below);
        const broken = type === "png" && below(2) === 0 ? withCheckSums(raw) : raw;
        const image = cleanImage(broken);
        if (image === null) continue;
        accepted++;
        expect(image.width * image.height).toBeGreaterThan(0);
        expect(cleanImage(image.bytes)).toEqual(image);
      }
      expect(accepted).toBeLessThan(1_500);
    },
  );

  it("random bytes behind each signature are never an image", () => {
    const below = numbers(42);
    for (const lead of [
      "\xff\xd8\xff",
      "\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
      "RIFF\x40\0\0\0WEBPVP8X",
    ]) {
      for (let round = 0; round < 500; round++) {
        const noise = Uint8Array.from({ length: below(300) }, () => below(256));
        expect(readImage(joinBytes([asciiBytes(lead), noise]))).toBeNull();
      }
    }
  });
});
