import { refuse } from "./refusal.ts";

/** A parser that pauses (`yield`) wherever it needs bytes that have not come yet. */
export type Parser<T = void> = Generator<void, T, void>;

const NOTHING = new Uint8Array(0);

/** The bytes of a stream as a parser takes them: at most one chunk and one short piece are held. */
export class Input {
  #chunk: Uint8Array = NOTHING;
  #at = 0;
  #ended = false;
  /** Taken so far. */
  position = 0;
  /** The longest piece that was put together from several chunks. */
  largestHeld = 0;

  /** The next chunk; the one before has been taken. */
  give(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  end(): void {
    this.#ended = true;
  }

  /** Waits for bytes and shows them without taking them. A stream that ends here is cut short. */
  *some(): Parser<Uint8Array> {
    while (this.#at === this.#chunk.length) {
      if (this.#ended) refuse("broken");
      yield;
    }
    return this.#chunk.subarray(this.#at);
  }

  /** Waits until more comes or the stream ends; true: it has ended. */
  *isOver(): Parser<boolean> {
    while (this.#at === this.#chunk.length && !this.#ended) yield;
    return this.#at === this.#chunk.length;
  }

  skip(length: number): void {
    this.#at += length;
    this.position += length;
  }

  /** Takes back the end of a chunk that was taken whole. */
  giveBack(bytes: Uint8Array): void {
    this.#chunk = bytes;
    this.#at = 0;
    this.position -= bytes.length;
  }

  /** The next `length` bytes: a few headers, so callers keep it small. */
  *take(length: number): Parser<Uint8Array> {
    if (this.#chunk.length - this.#at >= length) {
      const whole = this.#chunk.subarray(this.#at, this.#at + length);
      this.skip(length);
      return whole;
    }
    const bytes = new Uint8Array(length);
    this.largestHeld = Math.max(this.largestHeld, length);
    let filled = 0;
    while (filled < length) {
      const part = (yield* this.some()).subarray(0, length - filled);
      bytes.set(part, filled);
      filled += part.length;
      this.skip(part.length);
    }
    return bytes;
  }

  /** The next `length` bytes without taking them. */
  *peek(length: number): Parser<Uint8Array> {
    if (this.#chunk.length - this.#at < length) {
      const bytes = yield* this.take(length);
      this.position -= length;
      this.#chunk = joined(bytes, this.#chunk.subarray(this.#at));
      this.#at = 0;
    }
    return this.#chunk.subarray(this.#at, this.#at + length);
  }

  /** Lets `length` bytes pass by, as they come. */
  *pass(length: number, see: (bytes: Uint8Array) => void): Parser {
    let left = length;
    while (left > 0) {
      const part = (yield* this.some()).subarray(0, left);
      this.skip(part.length);
      left -= part.length;
      see(part);
    }
  }
}

export function joined(head: Uint8Array, tail: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(head.length + tail.length);
  bytes.set(head);
  bytes.set(tail, head.length);
  return bytes;
}
