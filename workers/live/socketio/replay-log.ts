import { z } from "zod";
import type { RecoveryOptions } from "./options.ts";
import type { Frame } from "./packets.ts";
import { frameOf, textOf } from "./polling.ts";
import type { SocketState } from "./socket-state.ts";
import { ROW_CHARS, type Storage } from "./storage.ts";

/** One packet that went to a room (or to all of a namespace, for null), as it went; without frames where one was lost. */
const Logged = z.object({
  n: z.number(),
  namespace: z.string(),
  room: z.string().nullable(),
  except: z.array(z.string()),
  frames: z.array(z.string()),
});
type Logged = z.infer<typeof Logged>;

/** Packets that were written together. `packets` is null until somebody asks for them. */
interface Segment {
  last: number;
  count: number;
  chars: number;
  packets: Logged[] | null;
}

/** A packet on its way to another object's log. */
export const Moved = Logged.pick({ n: true, frames: true });
export type Moved = z.infer<typeof Moved>;

/** The frames of packets, one after the other, as they go out. */
export const framesOf = (packets: readonly Moved[]): Frame[] =>
  packets.flatMap(({ frames }) => frames.map(frameOf));

type Reader = Pick<SocketState, "id" | "namespace" | "rooms" | "since">;

const PER_MS = 1_000;
const MAX_CHARS = 8_000_000;
/** A packet that does not fit into a row is not kept, and who missed it gets a new session. */
const ROW_BYTES = 1_950_000;
const SEGMENT_CHARS = 256_000;
/** What is to be forgotten waits for more of it: that the log begins later is written once for all of them. */
const SLACK = { ms: 30_000, part: 1.25 };

/**
 * What was sent lately, for those who were away. An offset is a number made of the time (`n`, in base 36 on the wire), so
 * that offsets of different lives of the object never meet. `floor` is the last packet that is not here any more.
 */
export class ReplayLog {
  readonly #db: Storage;
  readonly #options: RecoveryOptions;
  readonly #retainMs: number;
  readonly #now: () => number;
  /** Has `flush` called a little later. */
  readonly #later: () => void;
  #segments: Segment[] | null = null;
  #floor = 0;
  #n = 0;
  #tail: Logged[] = [];
  #tailChars = 0;

  constructor(parts: {
    db: Storage;
    options: RecoveryOptions;
    retainMs: number;
    now: () => number;
    later: () => void;
  }) {
    this.#db = parts.db;
    this.#options = parts.options;
    this.#retainMs = parts.retainMs;
    this.#now = parts.now;
    this.#later = parts.later;
  }

  /** The offset of the next packet; every call answers a greater one. */
  next(): number {
    this.#n = Math.max(this.#n + 1, this.#now() * PER_MS);
    return this.#n;
  }

  /** Something that was sent to a room never came here: who was away cannot be given it. */
  lose(namespace: string, room: string): void {
    this.append({ n: this.next(), namespace, room, except: [], frames: [] });
  }

  /** True while something is in memory only. */
  get isBehind(): boolean {
    return this.#tail.length > 0;
  }

  /** What was sent until now is not all known: nobody is given what he missed of it. */
  cut(): void {
    this.#load();
    this.#forget(this.next());
  }

  append(packet: Omit<Logged, "frames"> & { frames: readonly Frame[] }): void {
    const frames = packet.frames.map(textOf);
    const chars = frames.reduce((sum, { length }) => sum + length, 0);
    if (this.#tailChars + chars > ROW_CHARS) this.flush();
    if (chars > ROW_CHARS && bytesOf(frames) > ROW_BYTES) {
      this.#load();
      this.#forget(packet.n);
      return;
    }
    this.#tail.push({ ...packet, frames });
    this.#tailChars += chars;
    if (this.#options.flushMs === 0 || this.#tailChars >= SEGMENT_CHARS) this.flush();
    else this.#later();
  }

  /** Writes what is in memory only, and drops what is too old or too much. */
  flush(): void {
    const { maxPackets } = this.#options;
    const packets = this.#tail.slice(-maxPackets);
    const last = packets.at(-1)?.n;
    if (last === undefined) return;
    const tooMany = this.#tail.at(-maxPackets - 1)?.n;
    if (tooMany !== undefined) this.#forget(tooMany);
    const segment = { last, count: packets.length, chars: charsOf(packets), packets };
    this.#tail = [];
    this.#tailChars = 0;
    const segments = this.#load();
    this.#db.write(
      "insert into socketio_log (last, count, chars, packets) values (?, ?, ?, ?)",
      last,
      segment.count,
      segment.chars,
      JSON.stringify(packets),
    );
    segments.push(segment);
    this.#trim(segments);
  }

  /**
   * The packets that a reader missed after an offset, oldest first; null when some of it is gone. `aliveAt` is a time at
   * which the connection surely still took everything: what went before it need not be here.
   */
  missedBy(reader: Reader, offset: number, aliveAt: number): Logged[] | null {
    const segments = this.#load();
    if (offset < this.#floor && this.#floor > aliveAt * PER_MS) return null;
    const since = new Map(reader.rooms.map((room) => [room, reader.since[room] ?? 0]));
    since.set(reader.id, 0);
    const missed: Logged[] = [];
    const look = (packet: Logged) => {
      const from = packet.room === null ? 0 : (since.get(packet.room) ?? Number.POSITIVE_INFINITY);
      if (packet.n <= Math.max(offset, from) || packet.namespace !== reader.namespace) return;
      if (!packet.except.includes(reader.id)) missed.push(packet);
    };
    for (const segment of segments) {
      if (segment.last > offset) this.#packetsOf(segment).forEach(look);
    }
    this.#tail.forEach(look);
    return missed.every(({ frames }) => frames.length > 0) ? missed : null;
  }

  /**
   * Takes over what a reader missed in another object, to be replayed to it alone: under offsets of this log, greater than
   * all that it may have had there (`last`).
   */
  adopt(
    { id, namespace }: Pick<Reader, "id" | "namespace">,
    packets: readonly Moved[],
    last: number,
  ): void {
    this.#n = Math.max(this.#n, last);
    for (const packet of packets) {
      const n = this.next();
      const [head = "", ...attachments] = packet.frames;
      const ending = `${JSON.stringify(offsetText(packet.n))}]`;
      const frames = [
        `${head.slice(0, -ending.length)}${JSON.stringify(offsetText(n))}]`,
        ...attachments.map(frameOf),
      ];
      this.append({ n, namespace, room: id, except: [], frames });
    }
  }

  /** Forgets everything: nobody is left who could ask. */
  clear(): void {
    const segments = this.#load();
    this.#tail = [];
    this.#tailChars = 0;
    const last = segments.at(-1)?.last;
    if (last !== undefined) this.#forget(last);
  }

  #trim(segments: Segment[]): void {
    const { maxPackets, maxChars = MAX_CHARS } = this.#options;
    const oldest = (this.#now() - this.#retainMs) * PER_MS;
    let count = segments.reduce((sum, segment) => sum + segment.count, 0);
    let chars = segments.reduce((sum, segment) => sum + segment.chars, 0);
    const first = segments[0]?.last ?? oldest;
    const isInSlack = first >= oldest - SLACK.ms * PER_MS && count <= maxPackets * SLACK.part;
    if (isInSlack && chars <= maxChars) return;
    let upTo: number | null = null;
    for (const segment of segments) {
      if (segment.last >= oldest && count <= maxPackets && chars <= maxChars) break;
      count -= segment.count;
      chars -= segment.chars;
      upTo = segment.last;
    }
    if (upTo !== null) this.#forget(upTo);
  }

  #forget(upTo: number): void {
    this.#floor = Math.max(this.#floor, upTo);
    this.#segments = this.#load().filter(({ last }) => last > upTo);
    this.#db.write("delete from socketio_log where last <= ?", upTo);
    this.#db.write("update socketio_clock set log_floor = ?", this.#floor);
  }

  #load(): Segment[] {
    if (this.#segments) return this.#segments;
    const [row] = this.#db.rows<{ floor: number }>("select log_floor as floor from socketio_clock");
    this.#floor = Math.max(this.#floor, row?.floor ?? 0);
    const rows = this.#db.rows<{ last: number; count: number; chars: number }>(
      "select last, count, chars from socketio_log order by last",
    );
    this.#segments = rows.map((segment) => ({ ...segment, packets: null }));
    return this.#segments;
  }

  #packetsOf(segment: Segment): Logged[] {
    if (segment.packets) return segment.packets;
    const [row] = this.#db.rows<{ packets: string }>(
      "select packets from socketio_log where last = ?",
      segment.last,
    );
    segment.packets = z.array(Logged).parse(JSON.parse(row?.packets ?? "[]"));
    return segment.packets;
  }
}

const charsOf = (packets: readonly Logged[]) =>
  packets.reduce((sum, { frames }) => frames.reduce((all, { length }) => all + length, sum), 0);

const bytesOf = (frames: readonly string[]) =>
  new TextEncoder().encode(JSON.stringify(frames)).byteLength;

/** An offset as it stands in a packet. */
export const offsetText = (n: number) => n.toString(36);

/** The offset that a client names, or null when it is none. */
export function offsetOf(text: string): number | null {
  const n = /^[0-9a-z]{1,12}$/.test(text) ? Number.parseInt(text, 36) : Number.NaN;
  return Number.isSafeInteger(n) ? n : null;
}
