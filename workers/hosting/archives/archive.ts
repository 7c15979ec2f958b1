import { readGzip } from "./gzip.ts";
import { Input, type Parser } from "./input.ts";
import { LIMITS, type Limits, Meter } from "./meter.ts";
import { NameBook, type TopEntry } from "./names.ts";
import { refuse } from "./refusal.ts";
import { TarReader } from "./tar.ts";
import { BLOCK } from "./tar-header.ts";
import { ZipReader } from "./zip.ts";

export { ArchiveRefusal } from "./refusal.ts";
export type { TopEntry };

export type ArchiveFormat = "zip" | "tar.gz" | "tar";

/** What a checked archive holds. */
export interface ArchiveFacts {
  format: ArchiveFormat;
  files: number;
  /** Of all files together. */
  fileBytes: number;
  /** The first hundred names at its top. */
  top: TopEntry[];
}

/**
 * Checks a ZIP, TAR.GZ or TAR file while it passes, whatever type its sender declared, and throws an
 * {@link ArchiveRefusal} at the first byte that does not fit. Holds one chunk, 96 KiB of inflated bytes and the names.
 */
export class ArchiveCheck {
  readonly #input = new Input();
  readonly #meter: Meter;
  readonly #names: NameBook;
  readonly #parser: Parser;
  #format: ArchiveFormat | null = null;
  #isDone = false;

  constructor(limits: Limits = LIMITS) {
    this.#meter = new Meter(limits);
    this.#names = new NameBook(limits);
    this.#parser = this.#run();
  }

  /** Known after the first bytes. */
  get format(): ArchiveFormat | null {
    return this.#format;
  }

  /** The most that was held of headers and names that came in pieces; for tests. */
  get largestHeld(): number {
    return this.#input.largestHeld;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#input.give(chunk);
    this.#isDone = this.#parser.next().done === true;
  }

  /** The archive has come to its end. */
  end(): ArchiveFacts {
    this.#input.end();
    // Shorter than what it should have begun with.
    if (this.#format === null || (this.#format === "tar" && this.#input.position < BLOCK)) {
      refuse("unsupported");
    }
    if (!this.#isDone) this.#isDone = this.#parser.next().done === true;
    if (!this.#isDone || this.#format === null) throw new Error("an archive's parser did not end");
    if (this.#names.files === 0) refuse("empty");
    return {
      format: this.#format,
      files: this.#names.files,
      fileBytes: this.#names.fileBytes,
      top: [...this.#names.top.values()],
    };
  }

  *#run(): Parser {
    const [first, second] = yield* this.#input.peek(2);
    if (first === 0x50 && second === 0x4b) {
      this.#format = "zip";
      yield* new ZipReader(this.#input, this.#meter, this.#names).run();
    } else if (first === 0x1f && second === 0x8b) {
      this.#format = "tar.gz";
      yield* this.#tarGz();
    } else {
      this.#format = "tar";
      yield* new TarReader(this.#input, this.#meter, this.#names).run();
      this.#meter.add(this.#input.position, this.#input.position);
    }
  }

  /** The inner parser runs inside the outer one, as far as the bytes of one piece reach. */
  *#tarGz(): Parser {
    const tar = new Input();
    const parser = new TarReader(tar, this.#meter, this.#names).run();
    yield* readGzip(this.#input, (bytes) => {
      this.#meter.add(bytes.length, this.#input.position);
      tar.give(bytes);
      parser.next();
    });
    tar.end();
    if (tar.position < BLOCK) refuse("unsupported");
    parser.next();
  }
}
