import { z } from "zod";
import type { ObjectTables } from "../object-tables.ts";
import type { GiftWish } from "./ops.ts";

/** A gift that waits to be written: kept in the object's storage before anybody is told that it was taken. */
export interface WaitingGift {
  wish: GiftWish;
  shard: string;
  socket: string;
  /** How often Postgres was asked for it. */
  attempts: number;
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

type Row = { shard: string; socket: string; attempts: number; wish: string };

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

  has(key: string): boolean {
    return this.#tables.rows("select 1 from gifts where key = ?", key).length > 0;
  }

  add(gift: WaitingGift, now: number): void {
    const { wish, shard, socket } = gift;
    const before = this.size;
    this.#tables.write(
      "insert into gifts values (?, ?, 0, ?, ?, ?)",
      ...[wish.key, now, shard, socket, JSON.stringify(wish)],
    );
    this.#size = before + 1;
  }

  /** Its sender asks again, perhaps from another socket: that one gets the answer. */
  readdress({ wish, shard, socket }: WaitingGift): void {
    this.#tables.write(
      "update gifts set shard = ?, socket = ? where key = ?",
      ...[shard, socket, wish.key],
    );
  }

  /** The oldest, up to a number; each is marked as asked for once more. */
  take(limit: number): WaitingGift[] {
    const taken = this.#tables.rows<Row>(
      "select shard, socket, attempts, wish from gifts order by at, key limit ?",
      limit,
    );
    if (taken.length === 0) this.#size = 0;
    const gifts = taken.map(({ wish, ...row }) => ({ ...row, wish: Wish.parse(JSON.parse(wish)) }));
    const keys = JSON.stringify(gifts.map(({ wish }) => wish.key));
    this.#tables.write(
      "update gifts set attempts = attempts + 1 where key in (select value from json_each(?))",
      keys,
    );
    return gifts;
  }

  /** These are answered. */
  remove(keys: string[]): void {
    const before = this.size;
    this.#tables.write(
      "delete from gifts where key in (select value from json_each(?))",
      JSON.stringify(keys),
    );
    this.#size = Math.max(0, before - keys.length);
  }

  /** Lets others go first: one that fails by itself holds nobody up. */
  postpone(key: string, now: number): void {
    this.#tables.write("update gifts set at = ? where key = ?", now, key);
  }
}
