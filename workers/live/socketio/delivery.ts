import type { LiveSocket } from "./live-socket.ts";
import {
  type EmitOptions,
  eventFrames,
  type Frame,
  lightOf,
  type PreparedEvent,
  prepareEvent,
} from "./packets.ts";
import type { Recovery } from "./recovery.ts";
import { offsetText } from "./replay-log.ts";
import type { RoomIndex } from "./rooms.ts";
import type { Target } from "./socket.ts";
import { Bundle, type Part, together } from "./together.ts";
import { TokenBucket, type TokenBucketOptions } from "./token-bucket.ts";

const NOBODY: ReadonlySet<string> = new Set();
const HEAVY: TokenBucketOptions = { burst: 32_000_000, perSecond: 8_000_000 };

/** One packet as it goes out: `whole` to who can take it, `light` (the same frames unless it is heavy) to all others. */
interface Forms {
  whole: readonly Frame[];
  light: readonly Frame[];
}

/** Sends events: one encoding a packet, one `send` of the same string a socket, one entry in the log for who is away. */
export class Delivery<Data> {
  readonly #index: RoomIndex<Data>;
  readonly #recovery: Recovery | null;
  readonly #wakeAll: () => void;
  readonly #now: () => number;
  readonly #heavy: TokenBucket;

  constructor(parts: {
    index: RoomIndex<Data>;
    recovery: Recovery | null;
    wakeAll: () => void;
    now: () => number;
    heavy: TokenBucketOptions | undefined;
  }) {
    this.#index = parts.index;
    this.#recovery = parts.recovery;
    this.#wakeAll = parts.wakeAll;
    this.#now = parts.now;
    this.#heavy = new TokenBucket(parts.heavy ?? HEAVY, parts.now());
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
    this.#deliver(socket, this.#forms(socket.namespace, socket.id, event, isVolatile, NOBODY));
  }

  #broadcast(
    namespace: string,
    room: string | null,
    event: PreparedEvent,
    { except, volatile: isVolatile = false }: EmitOptions,
  ): number {
    this.#wakeAll();
    const excluded = except ? new Set(except) : NOBODY;
    const forms = this.#forms(namespace, room, event, isVolatile, excluded);
    let count = 0;
    for (const socket of this.#index.members(namespace, room)) {
      if (excluded.size > 0 && excluded.has(socket.id)) continue;
      this.#deliver(socket, forms);
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
      const kept = together(name, [lightOf(event)]);
      const frames = eventFrames(kept, namespace, { offset: offsetText(last) });
      log.append({ n: last, namespace, room, except: except === null ? [] : [except], frames });
    }
    const offset = last === undefined ? undefined : offsetText(last);
    const bundle = new Bundle(name, parts, { namespace, offset });
    const isHeavy = parts.some(({ event }) => event.light !== undefined);
    const light = isHeavy ? new Bundle(name, parts.map(lightPart), { namespace, offset }) : null;
    let count = 0;
    for (const socket of this.#index.members(namespace, room)) {
      const whole = bundle.framesFor(socket.id);
      this.#deliver(socket, { whole, light: light?.framesFor(socket.id) ?? whole });
      count += whole.length;
    }
    return count;
  }

  #deliver(socket: LiveSocket<Data>, { whole, light }: Forms): void {
    const isWhole = whole === light || this.#mayTake(socket, bytesOf(whole));
    socket.deliver(isWhole ? whole : light);
  }

  #mayTake(socket: LiveSocket<Data>, bytes: number): boolean {
    return socket.hasRoomFor(bytes) && this.#heavy.take(this.#now(), bytes);
  }

  /** The frames of an event; with recovery it gets an offset and is kept. */
  #forms(
    namespace: string,
    room: string | null,
    event: PreparedEvent,
    isVolatile: boolean,
    except: ReadonlySet<string>,
  ): Forms {
    const log = isVolatile ? undefined : this.#recovery?.log;
    const n = log?.next();
    const numbered = n === undefined ? {} : { offset: offsetText(n) };
    const whole = eventFrames(event, namespace, numbered);
    const isHeavy = event.light !== undefined;
    const light = isHeavy ? eventFrames(lightOf(event), namespace, numbered) : whole;
    if (n !== undefined) log?.append({ n, namespace, room, except: [...except], frames: light });
    return { whole, light };
  }
}

const lightPart = (part: Part): Part => ({ ...part, event: lightOf(part.event) });

const bytesOf = (frames: readonly Frame[]) =>
  frames.reduce((sum, one) => sum + (typeof one === "string" ? one.length : one.byteLength), 0);
