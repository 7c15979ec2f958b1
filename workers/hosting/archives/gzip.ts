import { crc32 } from "node:zlib";
import { Inflater } from "./inflate.ts";
import type { Input, Parser } from "./input.ts";
import { refuse } from "./refusal.ts";
import { view } from "./zip-fields.ts";

const DEFLATE = 8;
const FLAG_HEADER_CRC = 2;
const FLAG_EXTRA = 4;
const FLAG_NAME = 8;
const FLAG_COMMENT = 16;
const FLAGS_RESERVED = 0xe0;
const LONGEST_TEXT = 4096;

/**
 * A gzip file (RFC 1952) of one member, whose content goes to `see`; then nothing but zeros. A second member is refused:
 * some extractors read on into it and others do not.
 */
export function* readGzip(input: Input, see: (bytes: Uint8Array) => void): Parser {
  yield* readHeader(input);
  let crc = 0;
  let size = 0;
  const inflater = new Inflater((bytes) => {
    crc = crc32(bytes, crc);
    size += bytes.length;
    see(bytes);
  });
  while (!inflater.isDone) {
    const bytes = yield* input.some();
    input.skip(bytes.length);
    const rest = inflater.push(bytes);
    if (inflater.isDone) input.giveBack(rest);
  }
  const trailer = view(yield* input.take(8));
  if (trailer.getUint32(0, true) !== crc) refuse("broken");
  if (trailer.getUint32(4, true) !== size % 2 ** 32) refuse("broken");
  yield* onlyZeros(input);
}

/** To the end of the stream. */
export function* onlyZeros(input: Input): Parser {
  while (!(yield* input.isOver())) {
    const bytes = yield* input.some();
    input.skip(bytes.length);
    if (bytes.some((byte) => byte !== 0)) refuse("mismatch");
  }
}

function* readHeader(input: Input): Parser {
  const head = view((yield* input.take(10)).slice());
  const flags = head.getUint8(3);
  if (head.getUint8(2) !== DEFLATE || flags & FLAGS_RESERVED) refuse("broken");
  if (flags & FLAG_EXTRA) {
    const length = view(yield* input.take(2)).getUint16(0, true);
    yield* input.pass(length, () => undefined);
  }
  if (flags & FLAG_NAME) yield* skipText(input);
  if (flags & FLAG_COMMENT) yield* skipText(input);
  if (flags & FLAG_HEADER_CRC) yield* input.take(2);
}

function* skipText(input: Input): Parser {
  for (let length = 0; length < LONGEST_TEXT; length += 1) {
    const [byte] = yield* input.take(1);
    if (byte === 0) return;
  }
  refuse("broken");
}
