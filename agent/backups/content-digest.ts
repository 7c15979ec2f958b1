import { createHash, type Hash } from "node:crypto";

const CONTENT_BLOCK = 4096;
const ZEROS = Buffer.alloc(CONTENT_BLOCK);
const NO_BLOCK = Buffer.alloc(0);

/**
 * A digest of a file that does not depend on which of its zeros were stored: it hashes runs of blocks that hold
 * something, each with its offset. So a sparse file and its copy agree, and a terabyte of holes costs nothing.
 */
export class ContentDigest {
  readonly #hash: Hash = createHash("sha256");
  readonly #offset = Buffer.alloc(8);
  /** Made when a block comes in pieces, or ends the file. */
  #block = NO_BLOCK;
  /** Of the block that is being filled; -1: none. */
  #blockAt = -1;
  #blockEnd = 0;
  /** Where the run that is being hashed ends. */
  #runEnd = -1;

  update(offset: number, bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      const position = offset + at;
      const start = position - (position % CONTENT_BLOCK);
      if (start === position && bytes.length - at >= CONTENT_BLOCK) {
        this.#flush();
        at += this.#whole(start, bytes, at);
        continue;
      }
      if (this.#blockAt !== start) {
        this.#flush();
        this.#blockAt = start;
        if (this.#block === NO_BLOCK) this.#block = Buffer.alloc(CONTENT_BLOCK);
        else this.#block.fill(0);
      }
      const within = position - start;
      const taken = Math.min(CONTENT_BLOCK - within, bytes.length - at);
      bytes.copy(this.#block, within, at, at + taken);
      this.#blockEnd = within + taken;
      if (this.#blockEnd === CONTENT_BLOCK) this.#flush();
      at += taken;
    }
  }

  /** Hashes as many whole blocks as hold something, in one piece; or skips one of zeros. */
  #whole(start: number, bytes: Buffer, at: number): number {
    let end = at;
    while (
      bytes.length - end >= CONTENT_BLOCK &&
      (bytes[end] !== 0 || !isZero(bytes.subarray(end, end + CONTENT_BLOCK)))
    ) {
      end += CONTENT_BLOCK;
    }
    if (end === at) return CONTENT_BLOCK;
    this.#hashed(start, bytes.subarray(at, end));
    return end - at;
  }

  #flush(): void {
    if (this.#blockAt < 0) return;
    if (!isZero(this.#block)) this.#hashed(this.#blockAt, this.#block);
    this.#blockAt = -1;
  }

  #hashed(start: number, bytes: Buffer): void {
    if (start !== this.#runEnd) {
      this.#offset.writeBigUInt64BE(BigInt(start));
      this.#hash.update(this.#offset);
    }
    this.#hash.update(bytes);
    this.#runEnd = start + bytes.length;
  }

  end(size: number): Buffer {
    this.#flush();
    this.#offset.writeBigUInt64BE(BigInt(size));
    return this.#hash.update(this.#offset).digest();
  }
}

/** Of at most a block. */
export function isZero(bytes: Buffer): boolean {
  // Most blocks tell by their first byte; the comparison is native, but a call.
  return bytes[0] === 0 && bytes.compare(ZEROS, 0, bytes.length) === 0;
}
