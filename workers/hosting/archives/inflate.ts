import {
  DISTANCE_BASE,
  DISTANCE_EXTRA,
  FIXED_DISTANCES,
  FIXED_LITERALS,
  LENGTH_BASE,
  LENGTH_EXTRA,
  LENGTH_ORDER,
} from "./deflate-tables.ts";
import { type Code, codeOf, FAST_MASK, walk } from "./huffman.ts";
import { refuse } from "./refusal.ts";

const WINDOW = 32_768;
const ROOM = 3 * WINDOW;
const LONGEST_MATCH = 258;
/** More than the head of a block, the longest thing that a chunk may leave. */
const SPARE = 1024;
/** At most 30 bits are held: a number of more is no small integer in workerd's V8, and costs five times as much. */
const REFILL_BELOW = 22;

/** A block's head, or a symbol, reaches beyond what has come so far. */
const NEED_MORE = new Error("need more");

/**
 * Inflates a deflate stream (RFC 1951) chunk by chunk, and tells to the byte where it ends: the platform's
 * DecompressionStream does not, and an entry of a ZIP file may have no other end. Holds 96 KiB of output, hands out
 * what is made at once, and does nothing that its sink did not bear (a sink that throws stops a bomb).
 */
export class Inflater {
  readonly #sink: (bytes: Uint8Array) => void;
  readonly #out = new Uint8Array(ROOM);
  #made = 0;
  #handedOut = 0;
  #input: Uint8Array = new Uint8Array(0);
  #scratch = new Uint8Array(0);
  #pos = 0;
  #hold = 0;
  #bits = 0;
  #state: "head" | "stored" | "codes" | "done" = "head";
  #isLast = false;
  #storedLeft = 0;
  #literals: Code = FIXED_LITERALS;
  #distances: Code = FIXED_DISTANCES;

  constructor(sink: (bytes: Uint8Array) => void) {
    this.#sink = sink;
  }

  get isDone(): boolean {
    return this.#state === "done";
  }

  /** Ready for another stream, without new buffers. */
  reset(): void {
    this.#made = 0;
    this.#handedOut = 0;
    this.#input = new Uint8Array(0);
    this.#hold = 0;
    this.#bits = 0;
    this.#state = "head";
  }

  /** Takes all of `chunk`; once the stream has ended, gives back what lies behind its end. */
  push(chunk: Uint8Array): Uint8Array {
    this.#input = this.#input.length === 0 ? chunk : this.#joined(chunk);
    this.#pos = 0;
    let goesOn = true;
    while (goesOn) goesOn = this.#step();
    this.#handOut();
    // Whole bytes go back, so that all bits held between chunks are of one byte.
    this.#pos -= this.#bits >> 3;
    this.#bits &= 7;
    this.#hold &= (1 << this.#bits) - 1;
    const rest = this.#input.subarray(this.#pos);
    // A copy: the caller may use its chunk again.
    this.#input = this.isDone ? new Uint8Array(0) : rest.slice();
    return this.isDone ? rest : this.#input.subarray(0, 0);
  }

  /** What was left and what came, in one buffer for all chunks: garbage of their size would be the most that is held. */
  #joined(chunk: Uint8Array): Uint8Array {
    const left = this.#input;
    const length = left.length + chunk.length;
    const isShared = chunk.buffer === this.#scratch.buffer;
    if (isShared || length > this.#scratch.length) this.#scratch = new Uint8Array(length + SPARE);
    this.#scratch.set(left);
    this.#scratch.set(chunk, left.length);
    return this.#scratch.subarray(0, length);
  }

  #step(): boolean {
    switch (this.#state) {
      case "head":
        return this.#tryHead();
      case "stored":
        return this.#copyStored();
      case "codes":
        return this.#decode();
      default:
        return false;
    }
  }

  #tryHead(): boolean {
    const [pos, hold, bits] = [this.#pos, this.#hold, this.#bits];
    try {
      this.#readHead();
      return true;
    } catch (error) {
      if (error !== NEED_MORE) throw error;
      [this.#pos, this.#hold, this.#bits] = [pos, hold, bits];
      return false;
    }
  }

  #readHead(): void {
    this.#isLast = this.#take(1) === 1;
    const type = this.#take(2);
    if (type === 0) {
      this.#take(this.#bits & 7);
      this.#storedLeft = this.#take(16);
      if ((this.#storedLeft ^ this.#take(16)) !== 0xffff) refuse("broken");
      this.#state = "stored";
      return;
    }
    if (type === 1) [this.#literals, this.#distances] = [FIXED_LITERALS, FIXED_DISTANCES];
    else if (type === 2) this.#readCodes();
    else refuse("broken");
    this.#state = "codes";
  }

  #readCodes(): void {
    const literals = this.#take(5) + 257;
    const distances = this.#take(5) + 1;
    const orderLength = this.#take(4) + 4;
    if (literals > 286 || distances > 30) refuse("broken");
    const order = new Uint8Array(19);
    for (const symbol of LENGTH_ORDER.slice(0, orderLength)) order[symbol] = this.#take(3);
    const lengths = this.#readLengths(codeOf(order), literals + distances);
    if (lengths[256] === 0) refuse("broken");
    this.#literals = codeOf(lengths.subarray(0, literals));
    this.#distances = codeOf(lengths.subarray(literals), { lone: true });
  }

  #readLengths(code: Code, count: number): Uint8Array {
    const lengths = new Uint8Array(count);
    let at = 0;
    while (at < count) {
      const symbol = this.#symbol(code);
      if (symbol < 16) {
        lengths[at++] = symbol;
        continue;
      }
      if (symbol === 16 && at === 0) refuse("broken");
      const value = symbol === 16 ? (lengths[at - 1] ?? 0) : 0;
      const repeat = symbol === 18 ? 11 + this.#take(7) : 3 + this.#take(symbol === 16 ? 2 : 3);
      if (at + repeat > count) refuse("broken");
      lengths.fill(value, at, at + repeat);
      at += repeat;
    }
    return lengths;
  }

  #fill(): void {
    while (this.#bits <= REFILL_BELOW && this.#pos < this.#input.length) {
      this.#hold |= (this.#input[this.#pos++] ?? 0) << this.#bits;
      this.#bits += 8;
    }
  }

  #take(count: number): number {
    if (this.#bits < count) this.#fill();
    if (this.#bits < count) throw NEED_MORE;
    const value = this.#hold & ((1 << count) - 1);
    this.#hold >>>= count;
    this.#bits -= count;
    return value;
  }

  #symbol(code: Code): number {
    this.#fill();
    const entry = code.fast[this.#hold & FAST_MASK] || walk(code, this.#hold);
    const length = entry & 15;
    if (entry === 0 && this.#bits >= 15) refuse("broken");
    if (entry === 0 || length > this.#bits) throw NEED_MORE;
    this.#hold >>>= length;
    this.#bits -= length;
    return entry >>> 4;
  }

  #copyStored(): boolean {
    // What is held are whole bytes here: they go back, and all is copied at once.
    this.#pos -= this.#bits >> 3;
    this.#bits = 0;
    this.#hold = 0;
    while (this.#storedLeft > 0) {
      const part = this.#input.subarray(this.#pos, this.#pos + Math.min(this.#storedLeft, WINDOW));
      if (part.length === 0) return false;
      if (this.#made + part.length > ROOM) this.#slide();
      this.#out.set(part, this.#made);
      this.#made += part.length;
      this.#pos += part.length;
      this.#storedLeft -= part.length;
    }
    this.#state = this.#isLast ? "done" : "head";
    return true;
  }

  /** The loop in which nearly all time is spent, so that literals touch local variables only. */
  #decode(): boolean {
    const { fast } = this.#literals;
    const input = this.#input;
    const out = this.#out;
    let [pos, hold, bits, made] = [this.#pos, this.#hold, this.#bits, this.#made];
    for (;;) {
      // The state before this symbol is what is kept when the symbol is not whole yet.
      const [posBefore, holdBefore, bitsBefore] = [pos, hold, bits];
      for (; bits <= REFILL_BELOW && pos < input.length; bits += 8)
        hold |= (input[pos++] ?? 0) << bits;
      const entry = fast[hold & FAST_MASK] || walk(this.#literals, hold);
      const size = entry & 15;
      const isWhole = entry !== 0 && size <= bits;
      hold >>>= size;
      bits -= size;
      const symbol = entry >>> 4;
      if (isWhole && symbol < 256 && made < ROOM - LONGEST_MATCH) {
        out[made++] = symbol;
        continue;
      }
      if (entry === 0 && bits >= 15) refuse("broken");
      [this.#pos, this.#hold, this.#bits, this.#made] = [pos, hold, bits, made];
      if (isWhole && this.#act(symbol)) {
        if (symbol === 256) return true;
        [pos, hold, bits, made] = [this.#pos, this.#hold, this.#bits, this.#made];
        continue;
      }
      [this.#pos, this.#hold, this.#bits] = [posBefore, holdBefore, bitsBefore];
      return false;
    }
  }

  /** What a symbol asks for, other than a literal for which there is room; false when its end has not come yet. */
  #act(symbol: number): boolean {
    if (this.#made > ROOM - LONGEST_MATCH - 1) this.#slide();
    if (symbol < 256) {
      this.#out[this.#made++] = symbol;
      return true;
    }
    if (symbol === 256) {
      this.#state = this.#isLast ? "done" : "head";
      return true;
    }
    if (symbol > 285) refuse("broken");
    return this.#repeat(symbol - 257);
  }

  #repeat(lengthCode: number): boolean {
    const lengthBits = LENGTH_EXTRA[lengthCode] ?? 0;
    if (this.#bits < lengthBits) return false;
    const length = (LENGTH_BASE[lengthCode] ?? 0) + this.#take(lengthBits);
    this.#fill();
    const code = this.#distances;
    const entry = code.fast[this.#hold & FAST_MASK] || walk(code, this.#hold);
    if (entry === 0 && this.#bits >= 15) refuse("broken");
    if (entry === 0 || (entry & 15) > this.#bits) return false;
    this.#hold >>>= entry & 15;
    this.#bits -= entry & 15;
    if (entry >>> 4 > 29) refuse("broken");
    const distanceBits = DISTANCE_EXTRA[entry >>> 4] ?? 0;
    this.#fill();
    if (this.#bits < distanceBits) return false;
    const distance = (DISTANCE_BASE[entry >>> 4] ?? 0) + this.#take(distanceBits);
    this.#copy(length, distance);
    return true;
  }

  #copy(length: number, distance: number): void {
    const out = this.#out;
    let to = this.#made;
    if (distance > to) refuse("broken");
    const end = to + length;
    for (let from = to - distance; to < end; to += 1, from += 1) out[to] = out[from] ?? 0;
    this.#made = end;
  }

  #handOut(): void {
    if (this.#made === this.#handedOut) return;
    const fresh = this.#out.subarray(this.#handedOut, this.#made);
    this.#handedOut = this.#made;
    this.#sink(fresh);
  }

  #slide(): void {
    this.#handOut();
    if (this.#made <= WINDOW) return;
    this.#out.copyWithin(0, this.#made - WINDOW, this.#made);
    this.#made = WINDOW;
    this.#handedOut = WINDOW;
  }
}
