import type { Frame } from "../rooms/ops.ts";
import type { PreparedEvent, Socket, SocketIoEngine } from "../socketio/index.ts";
import type { SocketData } from "./people.ts";

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
    for (const [room, frames] of all) this.#send(room, frames);
  }

  #send(room: string, frames: Frame[]): void {
    const excepted = new Map<string, Socket<SocketData>>();
    for (const { except } of frames) {
      const socket = except === null ? null : this.#engine.socket(except);
      if (socket?.rooms.has(batchRoom(room))) excepted.set(socket.id, socket);
    }
    this.#engine.to(batchRoom(room)).send(batchOf(frames), { except: excepted.keys() });
    for (const socket of excepted.values()) {
      const rest = frames.filter((frame) => frame.except !== socket.id);
      if (rest.length > 0) socket.send(batchOf(rest));
    }
  }
}

/** `["live:batch", [[event, payload], …]]`: the events are JSON already, so they are only put side by side. */
export function batchOf(frames: Frame[]): PreparedEvent {
  const list = frames.map(({ event }) => event.body).join(",");
  return { body: `["live:batch",[${list}]]`, attachments: [] };
}
