import { onlyZeros } from "./gzip.ts";
import type { Input, Parser } from "./input.ts";
import type { Meter } from "./meter.ts";
import { checkNotNested, cleanEntry, type NameBook, nameText, SNIFFED_BYTES } from "./names.ts";
import { refuse } from "./refusal.ts";
import { BLOCK, isZeroBlock, readPax, readTarHeader, type TarHeader } from "./tar-header.ts";

/** Of an extended header or a long name: real ones have some hundred bytes. */
const LONGEST_RECORD = 64 * 1024;

const FILE = ["0", "\0"];
const FOLDER = "5";
const PAX = "x";
const PAX_ALL = "g";
const GNU_NAME = "L";
const LINKS = ["1", "2", "3", "4", "6", "K"];

/** What a header before the entry's own says about it. */
interface Ahead {
  path: string | null;
  size: number | null;
}

const nothingAhead = (): Ahead => ({ path: null, size: null });

/** A tar file from its first byte to its last; behind its end mark nothing but zeros. */
export class TarReader {
  readonly #input: Input;
  readonly #meter: Meter;
  readonly #names: NameBook;
  #ahead = nothingAhead();
  #isFirst = true;

  constructor(input: Input, meter: Meter, names: NameBook) {
    this.#input = input;
    this.#meter = meter;
    this.#names = names;
  }

  *run(): Parser {
    for (;;) {
      const block = yield* this.#input.take(BLOCK);
      if (isZeroBlock(block)) break;
      const header = readTarHeader(block) ?? refuse(this.#isFirst ? "unsupported" : "broken");
      this.#isFirst = false;
      yield* this.#record(header);
    }
    if (this.#ahead.path !== null || this.#ahead.size !== null) refuse("broken");
    yield* onlyZeros(this.#input);
  }

  *#record(header: TarHeader): Parser {
    this.#meter.addEntry();
    switch (header.type) {
      case PAX:
        return this.#note(readPax(yield* this.#short(header)));
      case PAX_ALL: {
        const all = readPax(yield* this.#short(header));
        // A name or size for all that follows: no tool writes it, and few read it alike.
        if (all.path !== null || all.size !== null) refuse("mismatch");
        return;
      }
      case GNU_NAME:
        return this.#note({ path: longName(yield* this.#short(header)), size: null });
      default:
        return yield* this.#entry(header);
    }
  }

  #note({ path, size }: Ahead): void {
    if (path !== null && this.#ahead.path !== null) refuse("duplicate");
    this.#ahead = { path: path ?? this.#ahead.path, size: size ?? this.#ahead.size };
  }

  *#short({ size }: TarHeader): Parser<Uint8Array> {
    if (size > LONGEST_RECORD) refuse("broken");
    const bytes = (yield* this.#input.take(size)).slice();
    yield* this.#padding(size);
    return bytes;
  }

  *#entry(header: TarHeader): Parser {
    if (LINKS.includes(header.type)) refuse("link");
    const isFolder = header.type === FOLDER;
    if (!isFolder && !FILE.includes(header.type)) refuse("method");
    const { path, size } = this.#ahead;
    this.#ahead = nothingAhead();
    const name = path ?? header.name;
    const entry = cleanEntry(
      isFolder && !name.endsWith("/") ? `${name}/` : name,
      this.#meter.limits,
    );
    // Sizes that differ are only needed for files far larger than any here.
    if (size !== null && size !== header.size) refuse("mismatch");
    const bytes = header.size;
    if (entry.kind === "folder" && bytes > 0) refuse("broken");
    this.#meter.announce(bytes);
    const first = yield* this.#content(bytes);
    checkNotNested(entry.path, first);
    this.#names.add(entry, bytes);
  }

  /** Lets the file's bytes pass and gives the first of them. */
  *#content(size: number): Parser<Uint8Array> {
    const first = new Uint8Array(Math.min(size, SNIFFED_BYTES));
    let seen = 0;
    yield* this.#input.pass(size, (bytes) => {
      if (seen < first.length) first.set(bytes.subarray(0, first.length - seen), seen);
      seen += bytes.length;
    });
    yield* this.#padding(size);
    return first;
  }

  *#padding(size: number): Parser {
    yield* this.#input.pass((BLOCK - (size % BLOCK)) % BLOCK, () => undefined);
  }
}

function longName(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return nameText(end < 0 ? bytes : bytes.subarray(0, end));
}
