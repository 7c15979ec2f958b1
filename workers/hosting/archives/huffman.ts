import { refuse } from "./refusal.ts";

/** Codes up to this long are found by one look; longer ones are rare and walked. */
const FAST_BITS = 10;
export const FAST_MASK = (1 << FAST_BITS) - 1;
const LONGEST = 15;

/** A canonical Huffman code of deflate (RFC 1951 §3.2.2). */
export interface Code {
  /** By the next bits: `symbol << 4 | length`, 0 where the code is longer. */
  fast: Uint16Array;
  /** How many codes have each length, and their symbols in order: what the walk needs. */
  counts: Uint16Array;
  symbols: Uint16Array;
}

/**
 * Small tables, so that an archive of many tiny blocks costs little: a table of all 15 bits would cost more to fill
 * than such a block to decode. `lone` allows a code of one symbol or none, as distances may have.
 */
export function codeOf(lengths: Uint8Array, { lone = false } = {}): Code {
  const counts = new Uint16Array(LONGEST + 1);
  for (const length of lengths) counts[length] = (counts[length] ?? 0) + 1;
  const used = lengths.length - (counts[0] ?? 0);
  counts[0] = 0;
  let left = 1;
  for (let length = 1; length <= LONGEST; length += 1) {
    left = left * 2 - (counts[length] ?? 0);
    if (left < 0) refuse("broken");
  }
  const isLone = lone && (used === 0 || (used === 1 && counts[1] === 1));
  if (left > 0 && !isLone) refuse("broken");
  return fill(lengths, counts);
}

function fill(lengths: Uint8Array, counts: Uint16Array): Code {
  const fast = new Uint16Array(1 << FAST_BITS);
  const symbols = new Uint16Array(lengths.length);
  const nextCode = new Uint16Array(LONGEST + 2);
  const nextSlot = new Uint16Array(LONGEST + 2);
  for (let length = 1; length <= LONGEST; length += 1) {
    const count = counts[length] ?? 0;
    nextCode[length + 1] = ((nextCode[length] ?? 0) + count) << 1;
    nextSlot[length + 1] = (nextSlot[length] ?? 0) + count;
  }
  for (let symbol = 0; symbol < lengths.length; symbol += 1) {
    const length = lengths[symbol] ?? 0;
    if (length === 0) continue;
    const slot = nextSlot[length] ?? 0;
    symbols[slot] = symbol;
    nextSlot[length] = slot + 1;
    const code = nextCode[length] ?? 0;
    nextCode[length] = code + 1;
    if (length > FAST_BITS) continue;
    const entry = (symbol << 4) | length;
    for (let at = reversed(code, length); at <= FAST_MASK; at += 1 << length) fast[at] = entry;
  }
  return { fast, counts, symbols };
}

function reversed(code: number, length: number): number {
  let result = 0;
  for (let bit = 0; bit < length; bit += 1) result |= ((code >>> bit) & 1) << (length - 1 - bit);
  return result;
}

/** The entry (`symbol << 4 | length`) of the code that `bits` begin with; 0 when no code fits. */
export function walk({ counts, symbols }: Code, bits: number): number {
  let code = 0;
  let first = 0;
  let slot = 0;
  let rest = bits;
  for (let length = 1; length <= LONGEST; length += 1) {
    code |= rest & 1;
    rest >>>= 1;
    const count = counts[length] ?? 0;
    if (code - count < first) return ((symbols[slot + code - first] ?? 0) << 4) | length;
    slot += count;
    first = (first + count) << 1;
    code <<= 1;
  }
  return 0;
}
