import { constants, crc32, deflateRawSync, inflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { Inflater } from "./inflate.ts";

const some = (length: number) => Math.floor(Math.random() * length);

function content(length: number): Uint8Array {
  const kind = some(5);
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 1) {
    if (kind === 0) bytes[at] = some(256);
    else if (kind === 1) bytes[at] = 200 * Math.random() ** 6;
    else if (kind === 2) bytes[at] = (at % 7) + some(3);
    else if (kind === 3) bytes[at] = some(10) > 2 ? (bytes[at - 300] ?? 1) : some(256);
  }
  return bytes;
}

interface Inflated {
  crc: number;
  size: number;
  longest: number;
  /** Where the stream ended. */
  end: number;
  isDone: boolean;
}

function inflate(packed: Uint8Array, longest: number): Inflated {
  const result = { crc: 0, size: 0, longest: 0, end: 0, isDone: false };
  const inflater = new Inflater((bytes) => {
    result.crc = crc32(bytes, result.crc);
    result.size += bytes.length;
    result.longest = Math.max(result.longest, bytes.length);
  });
  for (let at = 0; at < packed.length && !inflater.isDone; ) {
    const piece = packed.slice(at, at + 1 + some(longest));
    at += piece.length;
    result.end = at - inflater.push(piece).length;
    piece.fill(0xaa);
  }
  return { ...result, isDone: inflater.isDone };
}

const { Z_DEFAULT_STRATEGY, Z_FILTERED, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE } = constants;
const STRATEGIES = [Z_DEFAULT_STRATEGY, Z_FILTERED, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE];

describe("inflating in pieces", () => {
  it.each([1, 20, 1_000, 70_000])(
    "gives zlib's bytes and the stream's end: at most %i",
    (longest) => {
      for (let round = 0; round < 40; round += 1) {
        const data = content(some(longest < 20 ? 2_000 : 150_000));
        const strategy = STRATEGIES[some(STRATEGIES.length)] ?? Z_DEFAULT_STRATEGY;
        const packed = deflateRawSync(data, { level: some(10), strategy, memLevel: 1 + some(9) });
        const behind = content(some(40));
        const whole = new Uint8Array([...packed, ...behind]);
        expect(inflate(whole, longest)).toMatchObject({
          isDone: true,
          crc: crc32(data),
          size: data.length,
          end: packed.length,
        });
      }
    },
  );

  it("holds less than 100 KiB of output, whatever a stream makes", () => {
    const bomb = deflateRawSync(new Uint8Array(5_000_000));
    const { size, longest } = inflate(new Uint8Array(bomb), 1_000_000);
    expect(size).toBe(5_000_000);
    expect(longest).toBeLessThanOrEqual(98_304);
  });

  it("stops in the middle when its sink has had enough", () => {
    const bomb = new Uint8Array(deflateRawSync(new Uint8Array(5_000_000)));
    let seen = 0;
    const inflater = new Inflater((bytes) => {
      seen += bytes.length;
      if (seen > 100_000) throw new RangeError("enough");
    });
    expect(() => inflater.push(bomb)).toThrow(RangeError);
    expect(seen).toBeLessThan(300_000);
  });

  it("agrees with zlib on what a damaged stream is worth", () => {
    for (let round = 0; round < 400; round += 1) {
      const data = content(some(2_000));
      const packed = new Uint8Array(deflateRawSync(data, { level: 1 + some(9) }));
      for (let flips = 0; flips <= some(3); flips += 1) {
        const at = some(packed.length);
        packed[at] = (packed[at] ?? 0) ^ (1 << some(8));
      }
      expect(outcome(() => ours(packed))).toEqual(outcome(() => zlibs(packed)));
    }
  });

  it("may be used again, with nothing left of what was before", () => {
    const packed = new Uint8Array(deflateRawSync(content(10_000)));
    const inflater = new Inflater(() => undefined);
    inflater.push(packed);
    inflater.reset();
    // A match of distance 1 with nothing before it: only what was left over could answer it.
    expect(() => inflater.push(Uint8Array.of(0x03, 0x02, 0x00))).toThrow("Arsip rusak");
  });
});

const ours = (packed: Uint8Array) => {
  const { isDone, crc, size } = inflate(packed, packed.length);
  if (!isDone) throw new Error("not done");
  return { crc, size };
};
const zlibs = (packed: Uint8Array) => {
  const data = inflateRawSync(packed);
  return { crc: crc32(data), size: data.length };
};

function outcome<T>(act: () => T): T | "refused" {
  try {
    return act();
  } catch {
    return "refused";
  }
}
