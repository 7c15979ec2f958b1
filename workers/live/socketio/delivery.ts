import type { LiveSocket } from "./live-socket.ts";
import {
  type EmitOptions,
  eventFrames,
  type Frame,
  type PreparedEvent,
  prepareEvent,
} from "./packets.ts";
import type { Recovery } from "./recovery.ts";
import { offsetText } from "./replay-log.ts";
import type { RoomIndex } from "./rooms.ts";
import type { Target } from "./socket.ts";
import { Bundle, type Part, together } from "./together.ts";

const NOBODY: ReadonlySet<string> = new Set();

/** Sends events: one encoding a packet, one `send` of the same string a socket, one entry in the log for who is away. */
export class Delivery<Data> {
  readonly #index: RoomIndex<Data>;
  readonly #recovery: Recovery | null;
  readonly #wakeAll: () => void;

  constructor(index: RoomIndex<Data>, recovery: Recovery | null, wakeAll: () => void) {
    this.#index = index;
    this.#recovery = recovery;
    this.#wakeAll = wakeAll;
  }

  target(room: string | null, namespace: string): Target {
    const send = (event: PreparedEvent, options: EmitOptions = {}) =>
      this.#broadcast(namespace, room, event, options);
    return {
      send,
      emit: (name, args, options) => send(prepareEvent(name, args), options),
      sendTogether: (name, parts) => this.#together({ namespace, room, name }, parts),
    };
  }

  toSocket(socket: LiveSocket<Data>, event: PreparedEvent, isVolatile: boolean): void {
    socket.deliver(this.#frames(socket.namespace, socket.id, event, isVolatile, NOBODY));
  }

  #broadcast(
    namespace: string,
    room: string | null,
    event: PreparedEvent,
    { except, volatile: isVolatile = false }: EmitOptions,
  ): number {
    this.#wakeAll();
    const excluded = except ? new Set(except) : NOBODY;
    const frames = this.#frames(namespace, room, event, isVolatile, excluded);
    let count = 0;
    for (const socket of this.#index.members(namespace, room)) {
      if (excluded.size > 0 && excluded.has(socket.id)) continue;
      socket.deliver(frames);
      count += 1;
    }
    return count;
  }

  /**
   * Each event is kept by itself, so that who speaks has no text of his own in the log. The packet goes under the number of
   * the last: who names it has got them all.
   */
  #together(
    { namespace, room, name }: { namespace: string; room: string | null; name: string },
    parts: readonly Part[],
  ): number {
    this.#wakeAll();
    let last: number | undefined;
    for (const { event, except, isVolatile } of parts) {
      const log = isVolatile ? undefined : this.#recovery?.log;
      if (!log) continue;
      last = log.next();
      const frames = eventFrames(together(name, [event]), namespace, { offset: offsetText(last) });
      log.append({ n: last, namespace, room, except: except === null ? [] : [except], frames });
    }
    const offset = last === undefined ? undefined : offsetText(last);
    const bundle = new Bundle(name, parts, { namespace, offset });
    let count = 0;
    for (const socket of this.#index.members(namespace, room)) {
      const frames = bundle.framesFor(socket.id);
      socket.deliver(frames);
      count += frames.length;
    }
    return count;
  }

  /** The frames of an event; with recovery it gets an offset and is kept. */
  #frames(
    namespace: string,
    room: string | null,
    event: PreparedEvent,
    isVolatile: boolean,
    except: ReadonlySet<string>,
  ): Frame[] {
    const log = isVolatile ? undefined : this.#recovery?.log;
    if (!log) return eventFrames(event, namespace);
    const n = log.next();
    const frames = eventFrames(event, namespace, { offset: offsetText(n) });
    log.append({ n, namespace, room, except: [...except], frames });
    return frames;
  }
}
