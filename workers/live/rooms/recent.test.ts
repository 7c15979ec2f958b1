import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { unique } from "../../testing/factories.ts";
import { ObjectTables } from "../object-tables.ts";
import { prepareEvent } from "../socketio/index.ts";
import type { Frame } from "./ops.ts";
import { Recent } from "./recent.ts";
import { ROOM_TABLES } from "./tables.ts";

const event = prepareEvent("live:new-message", [{}]);
const said: Omit<Frame, "after" | "mark"> = { event, except: null, isVolatile: false };

/** What a room remembers, on real storage and with a clock of its own. */
class Scene {
  now = 1_800_000_000_000;
  waiting: (() => void)[] = [];
  readonly #storage: DurableObjectStorage;
  #rows = 0;
  recent: Recent;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.recent = this.#open();
  }

  #open(): Recent {
    const tables = new ObjectTables(this.#storage, ROOM_TABLES);
    tables.open();
    if (!tables.made) tables.write("delete from members");
    const write = tables.write.bind(tables);
    tables.write = (query, ...values) => {
      this.#rows += 1;
      write(query, ...values);
    };
    const later = (_: number, act: () => void) => void this.waiting.push(act);
    return new Recent(tables, () => this.now, later);
  }

  evict(): void {
    this.waiting = [];
    this.recent = this.#open();
  }

  say(more: Partial<typeof said> = {}): number {
    this.now += 1;
    return this.recent.note({ ...said, ...more }).mark;
  }

  /** Nothing is said for a while. */
  quiet(): void {
    this.now += 10_000;
    for (const act of this.waiting.splice(0)) act();
  }

  /** How many rows an act writes. */
  rowsOf(act: () => void): number {
    const before = this.#rows;
    act();
    return this.#rows - before;
  }

  missed(mark: number | null, socket = "a") {
    const { frames, isWhole } = this.recent.since(mark, socket);
    return { heard: frames.map((frame) => frame.mark), isWhole };
  }
}

const play = (act: (scene: Scene) => void) =>
  runInDurableObject(env.ROOM.getByName(`live:${unique()}`), (_, { storage }) =>
    act(new Scene(storage)),
  );

describe("what a room said last", () => {
  it("is whole for who heard all of it up to then, or what came before", () =>
    play((scene) => {
      const before = scene.recent.mark;
      const marks = [scene.say(), scene.say(), scene.say()];
      expect(scene.missed(before)).toEqual({ heard: marks, isWhole: true });
      expect(scene.missed(marks[1] ?? 0)).toEqual({ heard: [marks[2]], isWhole: true });
      expect(scene.missed(marks[2] ?? 0)).toEqual({ heard: [], isWhole: true });
    }));

  it("is not whole once the first of it is too old, or too much came after it", () =>
    play((scene) => {
      const before = scene.recent.mark;
      const first = scene.say();
      scene.now += 5_000;
      const second = scene.say();
      scene.now += 54_999;
      expect(scene.missed(before).isWhole).toBe(true);
      scene.now += 1;
      expect(scene.missed(before).isWhole).toBe(false);
      expect(scene.missed(first)).toEqual({ heard: [second], isWhole: true });
      for (let i = 0; i < 1_001; i += 1) scene.recent.note(said);
      expect(scene.missed(first).isWhole).toBe(false);
    }));

  it("is whole over an eviction of a room that was quiet, also one that never said anything", () =>
    play((scene) => {
      scene.evict();
      expect(scene.missed(0)).toEqual({ heard: [], isWhole: true });
      const [first, last] = [scene.say(), scene.say()];
      scene.quiet();
      scene.evict();
      expect(scene.missed(last)).toEqual({ heard: [], isWhole: true });
      expect(scene.missed(first).isWhole).toBe(false);
      expect(scene.recent.note(said)).toMatchObject({ after: last });
    }));

  it("is written with every word of a slow room, one row each, and is whole over an eviction at any time", () =>
    play((scene) => {
      scene.quiet();
      for (let i = 0; i < 3; i += 1) {
        scene.quiet();
        expect(scene.rowsOf(() => scene.say())).toBe(1);
        expect(scene.waiting).toEqual([]);
        scene.evict();
        expect(scene.missed(scene.recent.mark)).toEqual({ heard: [], isWhole: true });
      }
    }));

  it("is written down twice for as long as a room is busy", () =>
    play((scene) => {
      scene.quiet();
      scene.say();
      const rows = scene.rowsOf(() => {
        for (let i = 0; i < 50; i += 1) scene.say();
        scene.quiet();
      });
      expect(rows).toBe(2);
    }));

  it("is not whole for who heard last before an eviction in the middle of it, or does not know what he heard", () =>
    play((scene) => {
      scene.say();
      const mark = scene.say();
      scene.evict();
      expect(scene.missed(mark).isWhole).toBe(false);
      expect(scene.missed(null)).toEqual({ heard: [], isWhole: false });
      expect(scene.missed(scene.recent.mark).isWhole).toBe(true);
      expect(scene.recent.note(said).after).toBeGreaterThan(mark);
    }));

  it("misses nothing that its own socket said, nor what the next of its kind replaces, which has no number", () =>
    play((scene) => {
      const own = scene.say({ except: "a" });
      const { after, mark } = scene.recent.note({ ...said, isVolatile: true });
      expect([after, mark]).toEqual([own, own]);
      expect(scene.missed(0)).toEqual({ heard: [], isWhole: true });
    }));
});
