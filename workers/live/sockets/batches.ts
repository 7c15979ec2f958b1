import type { Frame } from "../rooms/ops.ts";
import { type PreparedEvent, type SocketIoEngine, together } from "../socketio/index.ts";
import type { SocketData } from "./people.ts";

const BATCH = "live:batch";
const BATCH_MS = 50;

/** Sockets that asked for batches sit in a room of their own beside the room. */
export const batchRoom = (room: string) => `batched/${room}`;

/**
 * Batched delivery. A client that connects with `auth.batch: true` gets what rooms say as one `live:batch` event per
 * 50 ms, whose argument is the list of `[event, payload]` since, in order; what is sent to it alone comes at once, as to
 * anybody. A frame then costs both sides once per 50 ms instead of once per message. The timer exists only while
 * something waits.
 */
export class Batches {
  readonly #engine: SocketIoEngine<SocketData>;
  readonly #waiting = new Map<string, Frame[]>();
  #isTimed = false;

  constructor(engine: SocketIoEngine<SocketData>) {
    this.#engine = engine;
  }

  add(room: string, frames: Frame[]): void {
    const waiting = this.#waiting.get(room);
    if (waiting) waiting.push(...frames);
    else this.#waiting.set(room, [...frames]);
    if (this.#isTimed) return;
    this.#isTimed = true;
    setTimeout(() => this.flush(), BATCH_MS);
  }

  flush(): void {
    this.#isTimed = false;
    const all = [...this.#waiting];
    this.#waiting.clear();
    for (const [room, frames] of all) {
      this.#engine.to(batchRoom(room)).sendTogether(BATCH, frames);
    }
  }
}

export const batchOf = (frames: Frame[]): PreparedEvent =>
  together(
    BATCH,
    frames.map(({ event }) => event),
  );
