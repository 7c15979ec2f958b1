import { crc32 } from "node:zlib";

const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff);
const LAST_BLOCK = Uint8Array.of(1, 0, 0, 0xff, 0xff);
const LONGEST_BLOCK = 0xffff;

/** Puts bytes into a gzip file (RFC 1952) as they are: only the form is wanted, not the compression. */
export class GzipFrame {
  readonly #write: (bytes: Uint8Array) => void;
  #crc = 0;
  #size = 0;

  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
    write(HEADER);
  }

  push(bytes: Uint8Array): void {
    this.#crc = crc32(bytes, this.#crc);
    this.#size += bytes.length;
    for (let at = 0; at < bytes.length; at += LONGEST_BLOCK) {
      const block = bytes.subarray(at, at + LONGEST_BLOCK);
      const head = new DataView(new ArrayBuffer(5));
      head.setUint16(1, block.length, true);
      head.setUint16(3, ~block.length, true);
      this.#write(new Uint8Array(head.buffer));
      this.#write(block);
    }
  }

  end(): void {
    const trailer = new DataView(new ArrayBuffer(8));
    trailer.setUint32(0, this.#crc, true);
    trailer.setUint32(4, this.#size % 2 ** 32, true);
    this.#write(LAST_BLOCK);
    this.#write(new Uint8Array(trailer.buffer));
  }
}
