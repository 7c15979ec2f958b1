import { z } from "zod";
import type { ObjectTables } from "../object-tables.ts";
import type { GiftWish } from "./ops.ts";

/** So many questions about one gift are answered; nobody has reason to ask that often. */
export const MAX_ASKERS = 32;

/** Who asked for a gift, and with which question. */
export interface Asker {
  shard: string;
  socket: string;
  ask: string;
}

/** A gift that waits to be written: kept in the object's storage before anybody is told that it was taken. */
export interface WaitingGift {
  wish: GiftWish;
  /** All who wait for the answer, each question once. */
  askers: Asker[];
}

const Wish = z.object({
  key: z.string(),
  senderId: z.number(),
  authSessionId: z.string(),
  receiverId: z.number(),
  giftId: z.string(),
  count: z.number(),
  coinValue: z.number().nullable(),
}) satisfies z.ZodType<GiftWish>;

const Askers = z.array(z.object({ shard: z.string(), socket: z.string(), ask: z.string() }));

type Row = { askers: string; wish: string };

/** The gifts of a room that were taken and are not yet answered, oldest first. */
export class GiftQueue {
  readonly #tables: ObjectTables;
  #size: number | null = null;

  constructor(tables: ObjectTables) {
    this.#tables = tables;
  }

  get size(): number {
    this.#size ??= this.#tables.rows<{ n: number }>("select count(*) as n from gifts")[0]?.n ?? 0;
    return this.#size;
  }

  /** The gift that waits under this key. */
  find(key: string): WaitingGift | undefined {
    const [row] = this.#tables.rows<Row>("select askers, wish from gifts where key = ?", key);
    return row && giftOf(row);
  }

  add(wish: GiftWish, asker: Asker, now: number): void {
    const before = this.size;
    this.#tables.write(
      "insert into gifts (key, at, askers, wish) values (?, ?, ?, ?)",
      ...[wish.key, now, JSON.stringify([asker]), JSON.stringify(wish)],
    );
    this.#size = before + 1;
  }

  /** Its sender asks again, perhaps from another socket: that one gets the answer too. False when too many do. */
  addAsker({ wish, askers }: WaitingGift, asker: Asker): boolean {
    // A shard brings a question again when it does not know whether it arrived.
    if (askers.some(({ shard, ask }) => shard === asker.shard && ask === asker.ask)) return true;
    if (askers.length >= MAX_ASKERS) return false;
    this.#tables.write(
      "update gifts set askers = ? where key = ?",
      ...[JSON.stringify([...askers, asker]), wish.key],
    );
    return true;
  }

  /** The oldest, up to a number. */
  oldest(limit: number): WaitingGift[] {
    const query = "select askers, wish from gifts order by at, key limit ?";
    const found = this.#tables.rows<Row>(query, limit);
    if (found.length === 0) this.#size = 0;
    return found.map(giftOf);
  }

  /** These are decided: they leave, each with all who have asked for it until now. */
  remove(gifts: WaitingGift[]): WaitingGift[] {
    const before = this.size;
    const keys = JSON.stringify(gifts.map(({ wish }) => wish.key));
    const rows = this.#tables.rows<{ key: string; askers: string }>(
      "delete from gifts where key in (select value from json_each(?)) returning key, askers",
      keys,
    );
    this.#size = Math.max(0, before - gifts.length);
    const askers = new Map(rows.map((row) => [row.key, askersOf(row.askers)]));
    return gifts.map((gift) => ({ ...gift, askers: askers.get(gift.wish.key) ?? gift.askers }));
  }

  /** Lets others go first: one that fails by itself holds nobody up. */
  postpone(key: string, now: number): void {
    this.#tables.write("update gifts set at = ? where key = ?", now, key);
  }
}

const askersOf = (json: string): Asker[] => Askers.parse(JSON.parse(json));

const giftOf = ({ wish, askers }: Row): WaitingGift => ({
  wish: Wish.parse(JSON.parse(wish)),
  askers: askersOf(askers),
});
