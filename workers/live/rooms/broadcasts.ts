import { Courier, callTwice } from "../courier.ts";
import type { ObjectTables } from "../object-tables.ts";
import { lightOf, type PreparedEvent, prepareEvent } from "../socketio/index.ts";
import type { Members } from "./members.ts";
import type { Delivery, GiftAnswer } from "./ops.ts";
import { Recent } from "./recent.ts";

/** Calls a shard; `wanted` is false when it holds nobody of this room any more. */
export type CallShard = (shard: string, deliveries: Delivery[]) => Promise<{ wanted: boolean }>;

/**
 * So many characters of heavy events may be on their way to one shard. A call takes 32 MiB, a character has up to two
 * bytes, and what is too much fails with all that gathered beside it: words, and what became of gifts.
 */
const MAX_HEAVY_CHARS = 6_000_000;

interface SayOptions {
  except?: string | null;
  isVolatile?: boolean;
}

/** What a room tells its sockets: an event is encoded once, and each shard gets what gathered in one call. */
export class Broadcasts {
  readonly #members: Members;
  readonly #callShard: CallShard;
  readonly #now: () => number;
  readonly #failed: (error: unknown) => void;
  readonly #recent: Recent;
  readonly #couriers = new Map<string, Courier<Delivery, { wanted: boolean }>>();
  /** The characters of heavy events that are on their way, by shard. */
  readonly #heavy = new Map<string, number>();

  constructor(parts: {
    tables: ObjectTables;
    members: Members;
    callShard: CallShard;
    now: () => number;
    later?: (ms: number, act: () => void) => void;
    failed: (error: unknown) => void;
  }) {
    this.#members = parts.members;
    this.#callShard = parts.callShard;
    this.#now = parts.now;
    this.#failed = parts.failed;
    this.#recent = new Recent(parts.tables, parts.now, parts.later);
  }

  /** To everybody in the room, save one socket if told. */
  say(name: string, payload: unknown, options: SayOptions = {}): void {
    this.tell(prepareEvent(name, [payload]), options);
  }

  /** The same, of an event that is encoded. */
  tell(event: PreparedEvent, { except = null, isVolatile = false }: SayOptions = {}): void {
    const shards = this.#members.shards(this.#now());
    // News that the next replaces is for who is here; all else also for who is between two shards, and on none.
    if (shards.length === 0 && isVolatile) return;
    const frame = this.#recent.note({ event, except, isVolatile });
    const light = { ...frame, event: lightOf(event) };
    const chars = frame.event === light.event ? 0 : event.body.length;
    for (const shard of shards) {
      const onTheWay = this.#heavy.get(shard) ?? 0;
      const isWhole = chars === 0 || onTheWay + chars <= MAX_HEAVY_CHARS;
      const brought = this.#bring(shard, { kind: "frame", frame: isWhole ? frame : light });
      if (isWhole && chars > 0) this.#weigh(shard, chars, brought);
    }
  }

  /** The number of what was said last. */
  get mark(): number {
    return this.#recent.mark;
  }

  /** Lets a socket in that was lost, in step with what is said to all. */
  admit(shard: string, socket: string, since: number | null): void {
    const missed = this.#recent.since(since, socket);
    void this.#bring(shard, { kind: "entry", socket, ...missed, mark: this.mark });
  }

  /** To one socket alone. */
  answer(shard: string, answer: GiftAnswer): void {
    void this.#bring(shard, { kind: "answer", answer });
  }

  /** Counts it as on its way until it is brought, or lost. */
  #weigh(shard: string, chars: number, brought: Promise<void>): void {
    const add = (more: number) => this.#heavy.set(shard, (this.#heavy.get(shard) ?? 0) + more);
    add(chars);
    void brought.then(() => add(-chars));
  }

  /** Settles when it is brought, or lost. */
  #bring(shard: string, delivery: Delivery): Promise<void> {
    const courier = this.#couriers.get(shard) ?? this.#courierTo(shard);
    return courier.deliver(delivery).then(
      ({ wanted }) => {
        if (!wanted) this.#members.release(shard);
      },
      (error: unknown) => this.#failed(error),
    );
  }

  #courierTo(shard: string): Courier<Delivery, { wanted: boolean }> {
    const made = new Courier<Delivery, { wanted: boolean }>(async (deliveries) => {
      const reply = await callTwice(() => this.#callShard(shard, deliveries));
      return deliveries.map(() => reply);
    });
    this.#couriers.set(shard, made);
    return made;
  }
}
