import { boundaryOf, type FormPart, FormStream } from "../../../shared/files/form-stream.ts";
import type { ArchiveCheck, ArchiveFacts } from "../archives/archive.ts";
import { joined } from "../archives/input.ts";
import { GzipFrame } from "./gzip-frame.ts";
import type { ObjectWriter } from "./object-writer.ts";

export const MAX_FILE_BYTES = 50 * 1024 * 1024;
/** Heads, boundaries and small fields beside the file. */
const FORM_OVERHEAD_BYTES = 64 * 1024;
const MOST_FIELD_BYTES = 1024;
/** A chunk, however long, is worked off in slices, so that little is made of it at once. */
const SLICE_BYTES = 64 * 1024;
const NOTHING = new Uint8Array(0);

export interface ReceivedForm {
  websiteId: string;
  filename: string;
  /** Of the file as it was sent. */
  size: number;
  facts: ArchiveFacts;
}

export type FormProblem = "no_form" | "no_file" | "no_website" | "too_large";

/** The form is not what the contract asks for. */
export class FormRefusal extends Error {
  readonly problem: FormProblem;

  constructor(problem: FormProblem) {
    super(problem);
    this.name = "FormRefusal";
    this.problem = problem;
  }
}

type FormRequest = Pick<Request, "headers" | "body">;

/** Tells by the head alone that a body is no form, or one that is too long. */
export function checkHead({ headers, body }: FormRequest): string {
  const boundary = boundaryOf(headers.get("content-type"));
  if (boundary === null || body === null) throw new FormRefusal("no_form");
  const length = Number(headers.get("content-length"));
  if (length > MAX_FILE_BYTES + FORM_OVERHEAD_BYTES) throw new FormRefusal("too_large");
  return boundary;
}

/**
 * Reads the form (`file` and `websiteId`, in either order) while its file goes to `writer`, checked entry by entry. At
 * any time one slice, one part for R2 and what the check holds are in memory. What is wrong stops it at that byte.
 */
export async function receiveForm(
  request: FormRequest,
  writer: ObjectWriter,
  check: ArchiveCheck,
): Promise<ReceivedForm> {
  const form = new UploadForm(writer, check);
  const stream = new FormStream(checkHead(request), form);
  let total = 0;
  for await (const chunk of chunksOf(request)) {
    total += chunk.length;
    if (total > MAX_FILE_BYTES + FORM_OVERHEAD_BYTES) throw new FormRefusal("too_large");
    for (let at = 0; at < chunk.length; at += SLICE_BYTES) {
      stream.push(chunk.subarray(at, at + SLICE_BYTES));
      await writer.flush();
    }
  }
  stream.end();
  return form.result();
}

/**
 * The body, chunk by chunk, each valid until the next is asked for: all are read into one buffer, as the garbage of 50 MB
 * of chunks would be most of what an upload takes.
 */
async function* chunksOf({ body }: FormRequest): AsyncGenerator<Uint8Array> {
  if (body === null) throw new FormRefusal("no_form");
  const reader = readerInto(body);
  if (reader === null) return yield* body;
  let buffer = new ArrayBuffer(SLICE_BYTES);
  try {
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(buffer));
      if (done || value === undefined) return;
      yield value;
      buffer = value.buffer;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** Null for a stream that hands out chunks of its own; a request's body is none. */
function readerInto(body: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | null {
  try {
    return body.getReader({ mode: "byob" });
  } catch {
    return null;
  }
}

type Target = "file" | "websiteId" | "other";

/** What becomes of the parts of the form. */
class UploadForm {
  readonly #writer: ObjectWriter;
  readonly #check: ArchiveCheck;
  #target: Target = "other";
  #filename: string | null = null;
  #size = 0;
  #websiteId: string | null = null;
  #field = new Uint8Array(MOST_FIELD_BYTES);
  #fieldLength = 0;
  #start: Uint8Array = NOTHING;
  #frame: GzipFrame | null = null;
  #facts: ArchiveFacts | null = null;

  constructor(writer: ObjectWriter, check: ArchiveCheck) {
    this.#writer = writer;
    this.#check = check;
  }

  begin({ name, filename }: FormPart): void {
    this.#target = "other";
    this.#fieldLength = 0;
    // Of two files, or two ids, the first counts; the others are read past.
    if (name === "file" && filename !== null && this.#filename === null) {
      this.#target = "file";
      this.#filename = filename;
    }
    if (name === "websiteId" && this.#websiteId === null) this.#target = "websiteId";
  }

  data(bytes: Uint8Array): void {
    if (this.#target === "file") this.#fileData(bytes);
    else if (this.#target === "websiteId") this.#fieldData(bytes);
  }

  #fileData(bytes: Uint8Array): void {
    this.#size += bytes.length;
    if (this.#size > MAX_FILE_BYTES) throw new FormRefusal("too_large");
    this.#check.push(bytes);
    // What it is, two bytes tell; until then they wait.
    const waited = this.#start;
    if (this.#check.format === null) {
      this.#start = joined(waited, bytes);
      return;
    }
    this.#start = NOTHING;
    if (waited.length > 0) this.#store(waited);
    this.#store(bytes);
  }

  /** Servers unpack .tar.gz and no plain .tar, so such a file is packed on its way. */
  #store(bytes: Uint8Array): void {
    if (this.#check.format === "tar") {
      this.#frame ??= new GzipFrame((framed) => this.#writer.write(framed));
      this.#frame.push(bytes);
    } else this.#writer.write(bytes);
  }

  #fieldData(bytes: Uint8Array): void {
    const room = this.#field.subarray(this.#fieldLength);
    const fitting = bytes.subarray(0, room.length);
    room.set(fitting);
    this.#fieldLength += fitting.length;
  }

  end(): void {
    // A browser sends a nameless, empty file when none was chosen.
    if (this.#target === "file" && this.#size > 0) {
      this.#facts = this.#check.end();
      this.#frame?.end();
    }
    if (this.#target === "websiteId") {
      this.#websiteId = new TextDecoder().decode(this.#field.subarray(0, this.#fieldLength)).trim();
    }
  }

  result(): ReceivedForm {
    if (this.#facts === null) throw new FormRefusal("no_file");
    if (!this.#websiteId) throw new FormRefusal("no_website");
    const { size, facts } = { size: this.#size, facts: this.#facts };
    return { websiteId: this.#websiteId, filename: this.#filename ?? "", size, facts };
  }
}
