import { crc32 } from "node:zlib";
import { Inflater } from "./inflate.ts";
import type { Input, Parser } from "./input.ts";
import type { Meter } from "./meter.ts";
import { checkNotNested, cleanEntry, type NameBook, nameText, SNIFFED_BYTES } from "./names.ts";
import { refuse } from "./refusal.ts";
import { readDirectory, type Seen } from "./zip-directory.ts";
import {
  ARCHIVE_EXTRA,
  CENTRAL,
  checkReadable,
  comparedFlags,
  DEFLATED,
  DESCRIPTOR,
  END,
  END_64,
  Extras,
  hasDescriptor,
  LOCAL,
  readStated,
  type Stated,
  uint64,
  view,
} from "./zip-fields.ts";

/**
 * A ZIP file from its first byte to its last: entry after entry without a gap, each inflated and counted, then the
 * directory, which must name exactly these entries, and nothing behind it. Whatever way an extractor reads the file
 * (by local headers, by the directory, from the end), it sees what was checked here.
 */
export class ZipReader {
  readonly #input: Input;
  readonly #meter: Meter;
  readonly #names: NameBook;
  readonly #seen = new Map<number, Seen>();
  readonly #inflater: Inflater;
  readonly #content = new Content();

  constructor(input: Input, meter: Meter, names: NameBook) {
    this.#input = input;
    this.#meter = meter;
    this.#names = names;
    this.#inflater = new Inflater((bytes) => this.#see(bytes));
  }

  *run(): Parser {
    for (;;) {
      const offset = this.#input.position;
      const signature = view(yield* this.#input.take(4)).getUint32(0, true);
      if (signature === LOCAL) yield* this.#entry(offset);
      else if (signature === ARCHIVE_EXTRA) refuse("encrypted");
      else if ([CENTRAL, END, END_64].includes(signature)) {
        return yield* readDirectory(this.#input, this.#seen, this.#meter.limits, signature);
      } else refuse(this.#seen.size === 0 ? "unsupported" : "broken");
    }
  }

  *#entry(offset: number): Parser {
    this.#meter.addEntry();
    const head = readStated(view(yield* this.#input.take(26)), 2);
    checkReadable(head);
    if (head.nameLength > this.#meter.limits.pathBytes) refuse("bad_name");
    const rawName = (yield* this.#input.take(head.nameLength)).slice();
    const extras = new Extras(yield* this.#input.take(head.extraLength));
    const { stated } = extras.widen(head, null);
    const entry = cleanEntry(nameText(extras.unicodeName() ?? rawName), this.#meter.limits);
    // The name that the other extractors go by must be as harmless.
    if (cleanEntry(nameText(rawName), this.#meter.limits).kind !== entry.kind) refuse("mismatch");

    this.#content.start();
    const compressed = yield* this.#data(stated);
    const { size, crc } = this.#content;
    if (entry.kind === "folder" && size > 0) refuse("broken");
    checkNotNested(entry.path, this.#content.first);
    if (hasDescriptor(stated)) yield* this.#descriptor({ crc, compressed, size });
    checkStated(stated, { crc, compressed, size });
    this.#names.add(entry, size);
    const raw = nameText(rawName);
    const flags = comparedFlags(stated);
    this.#seen.set(offset, { raw, entry, flags, method: stated.method, crc, compressed, size });
  }

  /** Lets the entry's bytes pass and gives their number. */
  *#data(stated: Stated): Parser<number> {
    const isOpen = hasDescriptor(stated) && stated.compressed === 0;
    if (!isOpen) this.#meter.announce(stated.size);
    if (stated.method !== DEFLATED) {
      // Without its length, the end of stored bytes could only be guessed: such an entry must be empty.
      if (isOpen && (yield* this.#isStoredOpen())) refuse("method");
      yield* this.#input.pass(stated.compressed, (bytes) => this.#see(bytes));
      return stated.compressed;
    }
    const start = this.#input.position;
    this.#inflater.reset();
    while (!this.#inflater.isDone) {
      const bytes = yield* this.#input.some();
      this.#input.skip(bytes.length);
      const rest = this.#inflater.push(bytes);
      if (this.#inflater.isDone) this.#input.giveBack(rest);
    }
    return this.#input.position - start;
  }

  /** Whether bytes follow where the descriptor of an empty entry should be. */
  *#isStoredOpen(): Parser<boolean> {
    const ahead = view(yield* this.#input.peek(4)).getUint32(0, true);
    return ahead !== DESCRIPTOR && ahead !== 0;
  }

  #see(bytes: Uint8Array): void {
    this.#content.see(bytes);
    this.#meter.add(bytes.length, this.#input.position);
  }

  /** With or without signature, of 32 or 64 bits: the form whose numbers are right and behind which a record begins. */
  *#descriptor(real: Measured): Parser {
    const ahead = view(yield* this.#input.peek(LONGEST_DESCRIPTOR + 4));
    for (const form of DESCRIPTORS) {
      const next = ahead.getUint32(form.length, true);
      if (!isDescriptor(ahead, form, real) || ![LOCAL, CENTRAL, ARCHIVE_EXTRA].includes(next))
        continue;
      this.#input.skip(form.length);
      return;
    }
    refuse("mismatch");
  }
}

interface Measured {
  crc: number;
  compressed: number;
  size: number;
}

interface DescriptorForm {
  length: number;
  isSigned: boolean;
  is64: boolean;
}

const LONGEST_DESCRIPTOR = 24;
const DESCRIPTORS: DescriptorForm[] = [
  { length: 16, isSigned: true, is64: false },
  { length: LONGEST_DESCRIPTOR, isSigned: true, is64: true },
  { length: 12, isSigned: false, is64: false },
  { length: 20, isSigned: false, is64: true },
];

function isDescriptor(data: DataView, form: DescriptorForm, real: Measured): boolean {
  if (form.isSigned && data.getUint32(0, true) !== DESCRIPTOR) return false;
  const at = form.isSigned ? 4 : 0;
  if (data.getUint32(at, true) !== real.crc) return false;
  return form.is64
    ? uint64(data, at + 4) === real.compressed && uint64(data, at + 12) === real.size
    : data.getUint32(at + 4, true) === real.compressed &&
        data.getUint32(at + 8, true) === real.size;
}

/** A header that has no descriptor must be right; one that has may say nothing, but nothing else. */
function checkStated(stated: Stated, real: Measured): void {
  const mayBeSilent = hasDescriptor(stated);
  for (const key of ["crc", "compressed", "size"] as const) {
    const isSilent = mayBeSilent && stated[key] === 0;
    if (!isSilent && stated[key] !== real[key]) refuse(key === "crc" ? "broken" : "mismatch");
  }
}

/** What is known of the bytes of one entry as they pass. */
class Content {
  size = 0;
  crc = 0;
  #first = new Uint8Array(SNIFFED_BYTES);

  start(): void {
    this.size = 0;
    this.crc = 0;
  }

  see(bytes: Uint8Array): void {
    for (let at = 0; this.size + at < SNIFFED_BYTES && at < bytes.length; at += 1) {
      this.#first[this.size + at] = bytes[at] ?? 0;
    }
    this.crc = crc32(bytes, this.crc);
    this.size += bytes.length;
  }

  get first(): Uint8Array {
    return this.#first.subarray(0, this.size);
  }
}
