import { Buffer } from "node:buffer";
import { decodePacket } from "engine.io-parser";
import type { Frame } from "./packets.ts";
import type { Storage } from "./storage.ts";

const SEPARATOR = "\x1e";
const CLOSE = "1";
const NOOP = "6";
const HEADERS = { "content-type": "text/plain; charset=UTF-8", "cache-control": "no-store" };

/** A poll that waits, and how to answer it. */
type Waiter = (answer: Response) => void;

/** A polling answer of these frames. */
export function payloadOf(frames: readonly string[]): Response {
  return new Response(frames.join(SEPARATOR), { headers: HEADERS });
}

/**
 * The way to a client that polls. What comes while a poll waits answers it, everything of one turn together; what comes
 * between polls is kept in the object's storage, so that an eviction loses nothing.
 */
export class PollingTransport {
  readonly #db: Storage;
  readonly #sid: string;
  #waiter: Waiter | null = null;
  #leaving: string[] = [];
  #chars: number;

  constructor(db: Storage, sid: string) {
    this.#db = db;
    this.#sid = sid;
    const [row] = db.rows<{ chars: number | null }>(
      "select sum(length(frame)) as chars from socketio_buffer where sid = ?",
      sid,
    );
    this.#chars = row?.chars ?? 0;
  }

  /** True while a poll waits. */
  get isWaiting(): boolean {
    return this.#waiter !== null;
  }

  /** What the client has not fetched yet, in characters. */
  get bufferedChars(): number {
    return this.#chars;
  }

  push(frame: Frame): void {
    const text = textOf(frame);
    if (this.#waiter) {
      this.#leaving.push(text);
      if (this.#leaving.length === 1) queueMicrotask(() => this.#flush());
      return;
    }
    this.#db.write("insert into socketio_buffer (sid, frame) values (?, ?)", this.#sid, text);
    this.#chars += text.length;
  }

  /** Answers a poll at once if anything is there; otherwise it waits for the next frame. */
  poll(): Response | Promise<Response> {
    const frames = this.#take();
    if (frames.length > 0) return payloadOf(frames);
    return new Promise<Response>((resolve) => {
      this.#waiter = resolve;
    });
  }

  /** Ends a waiting poll without news. */
  release(): void {
    if (this.#leaving.length > 0) this.#flush();
    else this.answer(payloadOf([NOOP]));
  }

  /** Answers the waiting poll, if there is one. */
  answer(response: Response): void {
    const waiter = this.#waiter;
    this.#waiter = null;
    waiter?.(response);
  }

  /** Ends the transport and forgets what is buffered; a waiting poll is told so. */
  close(): void {
    const last = this.#leaving.splice(0);
    this.answer(payloadOf([...last, CLOSE]));
    this.#take();
  }

  /** Hands over what the client has not got, for a transport that takes over. */
  drain(): Frame[] {
    return [...this.#take(), ...this.#leaving.splice(0)].map(frameOf);
  }

  #flush(): void {
    const frames = this.#leaving.splice(0);
    if (frames.length > 0) this.answer(payloadOf(frames));
  }

  #take(): string[] {
    if (this.#chars === 0) return [];
    this.#chars = 0;
    const rows = this.#db.rows<{ frame: string }>(
      "select frame from socketio_buffer where sid = ? order by id",
      this.#sid,
    );
    this.#db.write("delete from socketio_buffer where sid = ?", this.#sid);
    return rows.map(({ frame }) => frame);
  }
}

/** Binary travels as base64 where only text can (the parser's own encoder wants a browser's FileReader for it). */
export function textOf(frame: Frame): string {
  if (typeof frame === "string") return frame;
  const bytes = ArrayBuffer.isView(frame)
    ? Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength)
    : Buffer.from(frame);
  return `b${bytes.toString("base64")}`;
}

/** The other way: a stored text back to what a WebSocket sends. */
export function frameOf(text: string): Frame {
  return text.startsWith("b") ? decodePacket(text, "arraybuffer").data : text;
}
