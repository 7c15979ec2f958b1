/** Takes a multipart/form-data body (RFC 7578) apart while it passes. Nothing of a part is kept. */

const MOST_HEAD_BYTES = 8 * 1024;
const MOST_PARTS = 20;
/** RFC 2046 §5.1.1. */
const BOUNDARY = /^[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]$/;
const CR = 13;

export interface FormPart {
  name: string;
  /** As the sender wrote it, never to be used as a path; null for a plain field. */
  filename: string | null;
}

export interface FormEvents {
  begin(part: FormPart): void;
  /** Bytes of the part that began last; only valid during the call. */
  data(bytes: Uint8Array): void;
  end(): void;
}

/** The body is not a whole multipart form. */
export class FormError extends Error {
  override readonly name = "FormError";
}

/** The boundary that a Content-Type names; null when it is no multipart form. */
export function boundaryOf(contentType: string | null): string | null {
  const match = /^multipart\/form-data\s*;(.*)$/i.exec(contentType ?? "");
  const found = /(?:^|;)\s*boundary=(?:"([^"]*)"|([^;\s]+))/i.exec(match?.[1] ?? "");
  const boundary = found?.[1] ?? found?.[2] ?? "";
  return BOUNDARY.test(boundary) ? boundary : null;
}

type State = "preamble" | "delimiter" | "head" | "body" | "epilogue";

/** A parser to push chunks into. Between chunks it holds at most a part's head, or a delimiter that is not whole. */
export class FormStream {
  readonly #events: FormEvents;
  readonly #delimiter: Uint8Array;
  readonly #skips = new Uint8Array(256);
  #state: State = "preamble";
  /** As if a line had ended before the body: the first delimiter may stand at its very beginning. */
  #held: Uint8Array = Uint8Array.of(CR, 10);
  #parts = 0;
  /** The most that was held between two chunks; for tests. */
  largestHeld = 0;

  constructor(boundary: string, events: FormEvents) {
    this.#events = events;
    this.#delimiter = new TextEncoder().encode(`\r\n--${boundary}`);
    const { length } = this.#delimiter;
    this.#skips.fill(length);
    this.#delimiter.subarray(0, -1).forEach((byte, at) => {
      this.#skips[byte] = length - 1 - at;
    });
  }

  push(chunk: Uint8Array): void {
    const bytes = this.#held.length === 0 ? chunk : joined(this.#held, chunk);
    let at = 0;
    for (let moved = true; moved; ) {
      const [state, from] = [this.#state, at];
      at = this.#step(bytes, at);
      moved = at !== from || this.#state !== state;
    }
    this.#held = bytes.slice(at);
    this.largestHeld = Math.max(this.largestHeld, this.#held.length);
  }

  /** The body is over. */
  end(): void {
    if (this.#state !== "epilogue") throw new FormError("the form is cut short");
  }

  /** Takes what it can from `at` on and gives the place where it stopped. */
  #step(bytes: Uint8Array, at: number): number {
    switch (this.#state) {
      case "preamble":
      case "body":
        return this.#content(bytes, at);
      case "delimiter":
        return this.#afterDelimiter(bytes, at);
      case "head":
        return this.#head(bytes, at);
      case "epilogue":
        return bytes.length;
      default:
        return this.#state satisfies never;
    }
  }

  #content(bytes: Uint8Array, at: number): number {
    const isBody = this.#state === "body";
    const found = this.#find(bytes, at);
    const end = found < 0 ? this.#safeEnd(bytes, at) : found;
    if (isBody && end > at) this.#events.data(bytes.subarray(at, end));
    if (found < 0) return end;
    if (isBody) this.#events.end();
    this.#state = "delimiter";
    return found + this.#delimiter.length;
  }

  /** Horspool's search, which looks at the first byte first: no content makes it slow. */
  #find(bytes: Uint8Array, from: number): number {
    const { length } = this.#delimiter;
    for (let at = from; at + length <= bytes.length; ) {
      if (bytes[at] === CR && this.#fits(bytes, at, length)) return at;
      at += this.#skips[bytes[at + length - 1] ?? 0] ?? 1;
    }
    return -1;
  }

  #fits(bytes: Uint8Array, at: number, length: number): boolean {
    for (let i = 0; i < length; i += 1) {
      if (bytes[at + i] !== this.#delimiter[i]) return false;
    }
    return true;
  }

  /** Up to where no delimiter can begin that the next chunk would finish. */
  #safeEnd(bytes: Uint8Array, from: number): number {
    let at = Math.max(from, bytes.length - this.#delimiter.length + 1);
    for (; at < bytes.length; at += 1) {
      if (bytes[at] === CR && this.#fits(bytes, at, bytes.length - at)) return at;
    }
    return bytes.length;
  }

  /** `--` ends the form; a line's end, perhaps after spaces, begins a part. */
  #afterDelimiter(bytes: Uint8Array, from: number): number {
    let at = from;
    if (bytes.length - at < 2) return from;
    if (bytes[at] === 0x2d && bytes[at + 1] === 0x2d) {
      this.#state = "epilogue";
      return at + 2;
    }
    while (bytes[at] === 0x20 || bytes[at] === 0x09) at += 1;
    if (at - from > MOST_HEAD_BYTES) throw new FormError("a delimiter's line does not end");
    if (bytes.length - at < 2) return from;
    if (bytes[at] !== CR || bytes[at + 1] !== 10) throw new FormError("a delimiter has no end");
    this.#state = "head";
    // The line's end stays: of a part without header fields it is the first half of the empty line.
    return at;
  }

  #head(bytes: Uint8Array, at: number): number {
    const end = indexOfEmptyLine(bytes, at);
    if (end - at > MOST_HEAD_BYTES || (end < 0 && bytes.length - at > MOST_HEAD_BYTES)) {
      throw new FormError("a part's head is too long");
    }
    if (end < 0) return at;
    this.#parts += 1;
    if (this.#parts > MOST_PARTS) throw new FormError("too many parts");
    this.#events.begin(partOf(new TextDecoder().decode(bytes.subarray(at, end))));
    this.#state = "body";
    return end + 4;
  }
}

function indexOfEmptyLine(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(CR, from); at >= 0; at = bytes.indexOf(CR, at + 1)) {
    if (bytes[at + 1] === 10 && bytes[at + 2] === CR && bytes[at + 3] === 10) return at;
  }
  return -1;
}

function partOf(head: string): FormPart {
  const field = /\r\ncontent-disposition:\s*form-data\s*(;[^\r\n]*)/i.exec(head)?.[1];
  const name = field === undefined ? null : parameter(field, "name");
  if (field === undefined || name === null) throw new FormError("a part has no name");
  return { name, filename: parameter(field, "filename") };
}

/** Browsers write `"` as %22 and line ends as %0D%0A, everything else as it is (HTML, multipart/form-data encoding). */
function parameter(field: string, name: string): string | null {
  const pattern = new RegExp(`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^;\\s]+))`, "i");
  const found = pattern.exec(field);
  const value = found?.[1] ?? found?.[2];
  if (value === undefined) return null;
  return value
    .replace(/\\"|%22/g, '"')
    .replace(/%0D/gi, "\r")
    .replace(/%0A/gi, "\n");
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  if (tail.length === 0) return head;
  const bytes = new Uint8Array(head.length + tail.length);
  bytes.set(head);
  bytes.set(tail, head.length);
  return bytes;
}
