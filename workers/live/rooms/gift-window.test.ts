import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { unique } from "../../testing/factories.ts";
import { ObjectTables } from "../object-tables.ts";
import { type Asker, GiftQueue, MAX_ASKERS, type WaitingGift } from "./gift-queue.ts";
import { GiftWindow, type Taken } from "./gift-window.ts";
import type { GiftWish } from "./ops.ts";
import { ROOM_TABLES } from "./tables.ts";

/** A database that answers when the test says so, and remembers each key it wrote, as ours does. */
class Bench {
  calls: string[][] = [];
  written = new Set<string>();
  decided: [string, string][] = [];
  /** Who was answered, by the sockets' names. */
  answered: string[] = [];
  now = 1_000_000;
  failing: ((gifts: WaitingGift[]) => boolean) | null = null;
  /** The call is made, and its answer is lost. */
  losesAnswer = false;
  readonly #storage: DurableObjectStorage;
  #pause: Promise<void> | null = null;
  #resume: () => void = () => undefined;
  queue: GiftQueue;
  window: GiftWindow<string>;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    [this.queue, this.window] = this.#build();
  }

  evict(): void {
    [this.queue, this.window] = this.#build();
  }

  #build(): [GiftQueue, GiftWindow<string>] {
    const tables = new ObjectTables(this.#storage, ROOM_TABLES);
    tables.open();
    const queue = new GiftQueue(tables);
    const window = new GiftWindow<string>({
      queue,
      now: () => this.now,
      send: (gifts) => this.#send(gifts),
      decided: (decisions) => {
        for (const { gift, result } of decisions) {
          this.decided.push([gift.wish.key, result]);
          this.answered.push(...gift.askers.map(({ socket }) => socket));
        }
      },
      failed: () => undefined,
      dueChanged: () => undefined,
    });
    return [queue, window];
  }

  pause(): void {
    this.#pause = new Promise((resume) => {
      this.#resume = resume;
    });
  }

  async resume(): Promise<void> {
    this.#pause = null;
    this.#resume();
    await this.settle();
  }

  async #send(gifts: WaitingGift[]): Promise<string[]> {
    this.calls.push(gifts.map(({ wish }) => wish.key));
    await this.#pause;
    if (this.failing?.(gifts)) throw new Error("away");
    const results = gifts.map(({ wish }) => (this.written.has(wish.key) ? "repeated" : "written"));
    for (const { wish } of gifts) this.written.add(wish.key);
    if (this.losesAnswer) throw new Error("lost");
    return results;
  }

  give(...keys: string[]): Taken[] {
    return keys.map((key) => this.window.accept(wishOf(key), askerOf("a")));
  }

  async settle(): Promise<void> {
    for (let i = 0; i < 50; i += 1) await Promise.resolve();
  }
}

const wishOf = (key: string, more: Partial<GiftWish> = {}): GiftWish => ({
  ...{ key, senderId: 1, authSessionId: "s", receiverId: 2, giftId: "cupid" },
  ...{ count: 1, coinValue: null, ...more },
});
const askerOf = (socket: string): Asker => ({ shard: "s1", socket, ask: `${socket}/1` });

const atBench = (play: (bench: Bench) => Promise<void>) =>
  runInDurableObject(env.ROOM.getByName(`live:${unique()}`), (_, state) =>
    play(new Bench(state.storage)),
  );

describe("a room's gifts", () => {
  it("start at once, gather while a write is under way, and leave together after it", () =>
    atBench(async (bench) => {
      bench.pause();
      bench.give("a");
      await bench.settle();
      bench.give("b", "c");
      await bench.settle();
      bench.give("d");
      await bench.resume();
      expect(bench.calls).toEqual([["a"], ["b", "c", "d"]]);
      expect(bench.decided.map(([key]) => key)).toEqual(["a", "b", "c", "d"]);
      expect(bench.queue.size).toBe(0);
    }));

  it("are one gift under one key, however often it is brought", () =>
    atBench(async (bench) => {
      bench.pause();
      expect(bench.give("a", "a")).toEqual(["taken", "taken"]);
      await bench.settle();
      bench.give("a");
      await bench.resume();
      expect(bench.decided).toEqual([["a", "written"]]);
    }));

  it("answer all who asked under the key, also who came while it was being written, and through an eviction", () =>
    atBench(async (bench) => {
      bench.pause();
      for (const socket of ["a", "b", "a"]) bench.window.accept(wishOf("k"), askerOf(socket));
      await bench.settle();
      bench.window.accept(wishOf("k"), askerOf("c"));
      await bench.resume();
      expect(bench.answered).toEqual(["a", "b", "c"]);
      bench.failing = () => true;
      for (const socket of ["d", "e"]) bench.window.accept(wishOf("l"), askerOf(socket));
      await bench.settle();
      bench.evict();
      bench.failing = null;
      await bench.window.run();
      expect(bench.answered).toEqual(["a", "b", "c", "d", "e"]);
    }));

  it.each([{ giftId: "burger" }, { count: 2 }, { receiverId: 3 }, { senderId: 3 }])(
    "refuse another gift %j under the key of one that waits, and keep that one",
    (more) =>
      atBench(async (bench) => {
        bench.pause();
        bench.give("k");
        expect(bench.window.accept(wishOf("k", more), askerOf("b"))).toBe("mismatch");
        await bench.settle();
        expect(bench.window.accept(wishOf("k", more), askerOf("b"))).toBe("mismatch");
        await bench.resume();
        expect([bench.decided, bench.answered]).toEqual([[["k", "written"]], ["a"]]);
      }),
  );

  it("are not asked for without end: beyond a number of askers of one gift the next are told so", () =>
    atBench(async (bench) => {
      bench.failing = () => true;
      const taken = Array.from({ length: MAX_ASKERS + 1 }, (_, i) =>
        bench.window.accept(wishOf("k"), askerOf(`x${i}`)),
      );
      await bench.settle();
      expect(taken.filter((one) => one === "taken")).toHaveLength(MAX_ASKERS);
      expect(taken.at(-1)).toBe("full");
    }));

  it("go 500 to a call", () =>
    atBench(async (bench) => {
      bench.give(...Array.from({ length: 1_001 }, (_, i) => `k${String(i).padStart(4, "0")}`));
      await bench.settle();
      expect(bench.calls.map((call) => call.length)).toEqual([500, 500, 1]);
    }));

  it("wait while the database is away, ask to be woken, and are written with their first keys when it is back", () =>
    atBench(async (bench) => {
      bench.failing = () => true;
      bench.give("a", "b");
      await bench.settle();
      expect(bench.decided).toEqual([]);
      expect(bench.window.dueAt).toBe(bench.now + 500);
      bench.give("c");
      bench.failing = null;
      await bench.window.run();
      expect(bench.decided.map(([key]) => key)).toEqual(["a", "b", "c"]);
      expect(bench.calls.at(-1)).toEqual(["a", "b", "c"]);
    }));

  it("survive an eviction in the middle of a write, and none is lost or doubled", () =>
    atBench(async (bench) => {
      bench.pause();
      bench.give("a", "b");
      await bench.settle();
      bench.give("c");
      expect(bench.window.dueAt).toBeGreaterThan(bench.now);
      bench.evict();
      expect(bench.window.dueAt).toBeLessThanOrEqual(bench.now);
      await bench.resume();
      await bench.window.run();
      expect(bench.written).toEqual(new Set(["a", "b", "c"]));
      expect(bench.queue.size).toBe(0);
      const counts = bench.decided.filter(([, result]) => result === "written").map(([key]) => key);
      expect(counts.sort()).toEqual(["a", "b", "c"]);
    }));

  it("whose answer was lost are asked for again under the same key", () =>
    atBench(async (bench) => {
      bench.losesAnswer = true;
      bench.give("a");
      await bench.settle();
      bench.losesAnswer = false;
      await bench.window.run();
      expect(bench.decided).toEqual([["a", "repeated"]]);
    }));

  it("of which one always fails hold up no other for long", () =>
    atBench(async (bench) => {
      bench.failing = (gifts) => gifts.some(({ wish }) => wish.key === "a");
      bench.give("a", "b", "c");
      await bench.settle();
      for (let i = 0; i < 12; i += 1) {
        bench.now += 5_000;
        await bench.window.run();
      }
      expect(bench.decided.map(([key]) => key)).toEqual(["b", "c"]);
      expect(bench.queue.size).toBe(1);
    }));

  it("that waited in an object of the older form are written, and who asked is answered", () =>
    runInDurableObject(env.ROOM.getByName(`live:${unique()}`), async (_, { storage }) => {
      const older = new ObjectTables(storage, ROOM_TABLES.slice(0, 2));
      const wish = JSON.stringify(wishOf("k"));
      older.write("insert into gifts values ('k', 1, 2, 's1', 'a', ?)", wish);
      const bench = new Bench(storage);
      await bench.window.run();
      expect([bench.decided, bench.answered]).toEqual([[["k", "written"]], ["a"]]);
    }));

  it("are refused while nothing is promised yet, when far too many wait", () =>
    atBench(async (bench) => {
      bench.failing = () => true;
      const taken = bench.give(...Array.from({ length: 5_002 }, (_, i) => `k${i}`));
      await bench.settle();
      expect(taken.filter((one) => one === "taken")).toHaveLength(5_000);
    }));
});
