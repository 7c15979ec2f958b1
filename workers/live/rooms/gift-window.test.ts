import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { unique } from "../../testing/factories.ts";
import { ObjectTables } from "../object-tables.ts";
import { GiftQueue, type WaitingGift } from "./gift-queue.ts";
import { GiftWindow } from "./gift-window.ts";
import { ROOM_TABLES } from "./tables.ts";

/** A database that answers when the test says so, and remembers each key it wrote, as ours does. */
class Bench {
  calls: string[][] = [];
  written = new Set<string>();
  decided: [string, string][] = [];
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
      decided: ({ wish }, result) => this.decided.push([wish.key, result]),
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

  give(...keys: string[]): boolean[] {
    return keys.map((key) => this.window.accept(gift(key)));
  }

  async settle(): Promise<void> {
    for (let i = 0; i < 50; i += 1) await Promise.resolve();
  }
}

const gift = (key: string): WaitingGift => ({
  wish: {
    ...{ key, senderId: 1, authSessionId: "s", receiverId: 2, giftId: "cupid" },
    ...{ count: 1, coinValue: null },
  },
  ...{ shard: "s1", socket: "a", attempts: 0 },
});

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
      expect(bench.give("a", "a")).toEqual([true, true]);
      await bench.settle();
      bench.give("a");
      await bench.resume();
      expect(bench.decided).toEqual([["a", "written"]]);
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

  it("are refused while nothing is promised yet, when far too many wait", () =>
    atBench(async (bench) => {
      bench.failing = () => true;
      const taken = bench.give(...Array.from({ length: 5_002 }, (_, i) => `k${i}`));
      await bench.settle();
      expect(taken.filter((isTaken) => isTaken)).toHaveLength(5_000);
    }));
});
