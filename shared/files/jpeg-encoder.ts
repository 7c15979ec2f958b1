/** Writes baseline JPEGs. Source: ITU-T T.81, sections A.3, B.2, F.1 and the example tables of annex K. */
import { asciiBytes, joinBytes } from "./image-format.ts";
import type { Pixels } from "./png-pixels.ts";

const LUMA = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
  14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113,
  92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];
/** Coarser for colour, as eyes are. */
const CHROMA = LUMA.map((_, i) => {
  const corner = [17, 18, 24, 47, 18, 21, 26, 66, 24, 26, 56, 99, 47, 66, 99, 99];
  return (i & 7) < 4 && i < 32 ? (corner[(i >> 3) * 4 + (i & 7)] ?? 99) : 99;
});
const ZIGZAG = [
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
  13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52,
  45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];
/** How many codes there are of each length from 1 on, and what they stand for: one table each for all components. */
const DC = {
  counts: [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0],
  symbols: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
};
const AC = {
  counts: [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125],
  symbols: symbolsOf(
    "01 02 03 00 04 11 05 12 21 31 41 06 13 51 61 07 22 71 14 32 81 91 a1 08 23 42 b1 c1 15 52 d1 f0 24 33 62 72 82 " +
      "09 0a 16-1a 25-2a 34-3a 43-4a 53-5a 63-6a 73-7a 83-8a 92-9a a2-aa b2-ba c2-ca d2-da e1-ea f1-fa",
  ),
};

function symbolsOf(list: string): number[] {
  return list.split(" ").flatMap((part) => {
    const [first = 0, last = first] = part.split("-").map((hex) => Number.parseInt(hex, 16));
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** `COSINES[u * 8 + x]`: a block's transform is this, times the block, times this turned over. */
const COSINES = Float32Array.from({ length: 64 }, (_, i) => {
  const [u, x] = [i >> 3, i & 7];
  return (u === 0 ? Math.SQRT1_2 : 1) * 0.5 * Math.cos(((2 * x + 1) * u * Math.PI) / 16);
});

interface Code {
  bits: number;
  length: number;
}

function codesOf({ counts, symbols }: typeof DC): Code[] {
  const codes: Code[] = [];
  let [bits, at] = [0, 0];
  for (const [n, count] of counts.entries()) {
    for (let i = 0; i < count; i += 1, at += 1, bits += 1) {
      codes[symbols[at] ?? 0] = { bits, length: n + 1 };
    }
    bits <<= 1;
  }
  return codes;
}
const [DC_CODES, AC_CODES] = [codesOf(DC), codesOf(AC)];

/** The picture as a JPEG with half the points of colour each way (4:2:0); `quality` from 1 to 100 as everybody counts. */
export function encodeJpeg(pixels: Pixels, quality: number): Uint8Array<ArrayBuffer> {
  const scale = quality < 50 ? 5_000 / quality : 200 - quality * 2;
  const scaled = (table: number[]) =>
    table.map((step) => Math.min(255, Math.max(1, Math.floor((step * scale + 50) / 100))));
  const tables = [scaled(LUMA), scaled(CHROMA)];
  return joinBytes([headOf(pixels, tables), scanOf(pixels, tables), Uint8Array.of(0xff, 0xd9)]);
}

function headOf({ width, height }: Pixels, tables: number[][]): Uint8Array {
  const segment = (marker: number, data: number[]) =>
    Uint8Array.from([0xff, marker, (data.length + 2) >> 8, (data.length + 2) & 255, ...data]);
  const jfif = [...asciiBytes("JFIF\0"), 1, 1, 0, 0, 1, 0, 1, 0, 0];
  const steps = tables.flatMap((table, i) => [i, ...ZIGZAG.map((at) => table[at] ?? 1)]);
  const size = [height >> 8, height & 255, width >> 8, width & 255];
  const components = [1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1];
  const huffman = [0x00, ...DC.counts, ...DC.symbols, 0x10, ...AC.counts, ...AC.symbols];
  return joinBytes([
    Uint8Array.of(0xff, 0xd8),
    segment(0xe0, jfif),
    segment(0xdb, steps),
    segment(0xc0, [8, ...size, 3, ...components]),
    segment(0xc4, huffman),
    segment(0xda, [3, 1, 0, 2, 0, 3, 0, 0, 63, 0]),
  ]);
}

function scanOf(pixels: Pixels, tables: number[][]): Uint8Array {
  const out = new BitWriter(pixels.width * pixels.height);
  const [sharp = [], soft = []] = tables.map((table) => table.map((step) => 1 / step));
  const unit = new Unit(pixels);
  let [luma, blue, red] = [0, 0, 0];
  for (let y = 0; y < pixels.height; y += 16) {
    for (let x = 0; x < pixels.width; x += 16) {
      unit.read(x, y);
      for (const block of unit.luma) luma = writeBlock(out, block, sharp, luma);
      blue = writeBlock(out, unit.blue, soft, blue);
      red = writeBlock(out, unit.red, soft, red);
    }
  }
  return out.end();
}

/** Sixteen by sixteen pixels as four blocks of brightness and one of each colour, around nought. */
class Unit {
  readonly luma = Array.from({ length: 4 }, () => new Float32Array(64));
  readonly blue = new Float32Array(64);
  readonly red = new Float32Array(64);
  readonly #pixels: Pixels;

  constructor(pixels: Pixels) {
    this.#pixels = pixels;
  }

  /** What lies behind the right or lower edge is like the edge. */
  read(left: number, top: number): void {
    const { width, height, rgb } = this.#pixels;
    const { blue, red } = this;
    blue.fill(0);
    red.fill(0);
    for (const [n, luma] of this.luma.entries()) {
      for (let i = 0; i < 64; i += 1) {
        const [x, y] = [(n & 1) * 8 + (i & 7), (n >> 1) * 8 + (i >> 3)];
        const line = Math.min(height - 1, top + y) * width;
        const at = (line + Math.min(width - 1, left + x)) * 3;
        const r = rgb[at] ?? 0;
        const g = rgb[at + 1] ?? 0;
        const b = rgb[at + 2] ?? 0;
        luma[i] = 0.299 * r + 0.587 * g + 0.114 * b - 128;
        // A quarter of each of the four pixels that share a point of colour.
        const point = (y >> 1) * 8 + (x >> 1);
        blue[point] = (blue[point] ?? 0) - 0.042184 * r - 0.082816 * g + 0.125 * b;
        red[point] = (red[point] ?? 0) + 0.125 * r - 0.104672 * g - 0.020328 * b;
      }
    }
  }
}

const half = new Float32Array(64);
const folded = new Float32Array(8);
const steps = new Int32Array(64);

/** Transforms, rounds and writes a block; gives its first number, from which the next one's is told. */
function writeBlock(out: BitWriter, block: Float32Array, parts: number[], before: number): number {
  multiply(block, half);
  multiply(half, block);
  for (let i = 0; i < 64; i += 1) {
    const at = ZIGZAG[i] ?? 0;
    steps[i] = Math.round((block[at] ?? 0) * (parts[at] ?? 1));
  }
  const first = steps[0] ?? 0;
  out.number(DC_CODES, 0, first - before);
  let zeros = 0;
  for (let i = 1; i < 64; i += 1) {
    const value = steps[i] ?? 0;
    if (value === 0) {
      zeros += 1;
      continue;
    }
    for (; zeros > 15; zeros -= 16) out.code(AC_CODES[0xf0]);
    out.number(AC_CODES, zeros << 4, value);
    zeros = 0;
  }
  if (zeros > 0) out.code(AC_CODES[0]);
  return first;
}

/** Rows times cosines, written as columns: done twice, both ways are transformed and it stands upright again. */
function multiply(from: Float32Array, to: Float32Array): void {
  for (let row = 0; row < 64; row += 8) {
    // The cosines of even rows are the same from both ends, of odd ones the opposite: half the products do.
    for (let x = 0; x < 4; x += 1) {
      const [one, other] = [from[row + x] ?? 0, from[row + 7 - x] ?? 0];
      folded[x] = one + other;
      folded[x + 4] = one - other;
    }
    for (let u = 0; u < 8; u += 1) {
      const side = (u & 1) * 4;
      let sum = 0;
      for (let x = 0; x < 4; x += 1) sum += (folded[side + x] ?? 0) * (COSINES[u * 8 + x] ?? 0);
      to[u * 8 + (row >> 3)] = sum;
    }
  }
}

class BitWriter {
  #bytes: Uint8Array;
  #at = 0;
  #held = 0;
  #count = 0;

  constructor(guess: number) {
    this.#bytes = new Uint8Array(Math.max(1_024, guess));
  }

  code(code: Code | undefined): void {
    if (code) this.#put(code.bits, code.length);
  }

  /** A number as the code of its length (and what else that tells), then its bits; a negative one less one. */
  number(codes: Code[], told: number, value: number): void {
    const length = 32 - Math.clz32(Math.abs(value));
    this.code(codes[told | length]);
    if (length > 0) this.#put((value < 0 ? value - 1 : value) & ((1 << length) - 1), length);
  }

  #put(bits: number, length: number): void {
    this.#held = (this.#held << length) | bits;
    this.#count += length;
    while (this.#count >= 8) {
      this.#count -= 8;
      this.#byte((this.#held >> this.#count) & 255);
    }
    this.#held &= (1 << this.#count) - 1;
  }

  #byte(byte: number): void {
    if (this.#at + 2 > this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.#at] = byte;
    this.#at += 1;
    // Else it would be taken for a marker.
    if (byte === 255) {
      this.#bytes[this.#at] = 0;
      this.#at += 1;
    }
  }

  end(): Uint8Array {
    if (this.#count > 0) this.#put((1 << (8 - this.#count)) - 1, 8 - this.#count);
    return this.#bytes.subarray(0, this.#at);
  }
}
