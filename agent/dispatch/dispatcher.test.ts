import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  type AgentFrame,
  type CommandFrame,
  MAX_FRAME_LENGTH,
  readAgentFrame,
} from "../../shared/agent-protocol/index.ts";
import { CommandError } from "../command-error.ts";
import type { AgentCtx, Progress } from "../ctx.ts";
import type { AnyHandler } from "../handlers.ts";
import { Journal } from "../journal/journal.ts";
import { Dispatcher } from "./dispatcher.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "dispatch-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Call {
  database: string;
  progress: Progress;
  signal: AbortSignal;
  end(): void;
  fail(error: unknown): void;
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A dispatcher whose handler waits to be told how it ends. */
class World {
  now = Date.now();
  sent: AgentFrame[] = [];
  calls: Call[] = [];
  timers: { at: number; work: () => void }[] = [];
  logged: unknown[] = [];
  file = join(folder, `${crypto.randomUUID()}.jsonl`);
  journal = new Journal(this.file);
  dispatcher: Dispatcher;
  handlers: Record<string, AnyHandler>;

  constructor() {
    this.journal.open();
    const create = (ctx: AgentCtx, { database }: { database: string }, progress: Progress) =>
      new Promise((resolve, reject) => {
        const end = () => resolve({ database, created: true });
        this.calls.push({ database, progress, signal: ctx.signal, end, fail: reject });
      });
    const log = (...entry: unknown[]) => void this.logged.push(entry);
    this.handlers = {
      "db.create": create as AnyHandler,
      "db.list": async () => ({ databases: [] }),
    };
    this.dispatcher = new Dispatcher({
      ...{ handlers: this.handlers, journal: this.journal },
      context: (signal) =>
        ({ signal, log: { info: log, warn: log, error: log } }) as unknown as AgentCtx,
      send: (frame) => void this.sent.push(frame),
      now: () => this.now,
      schedule: (ms, work) => {
        const timer = { at: this.now + ms, work };
        this.timers.push(timer);
        return () => {
          this.timers = this.timers.filter((one) => one !== timer);
        };
      },
    });
  }

  results(id: string) {
    return this.sent.flatMap((frame) =>
      frame.t === "result" && frame.id === id ? [frame.outcome] : [],
    );
  }
}

let world: World;
beforeEach(() => {
  world = new World();
});

const command = (changes: Partial<CommandFrame> = {}): CommandFrame => ({
  ...{ v: 1, t: "command", id: crypto.randomUUID(), type: "db.create", subject: "db" },
  ...{ deadline: world.now + 60_000, input: { database: "toko" } },
  ...changes,
});

describe("a command", () => {
  it("delivered ten times before, while and after it runs acts once and is answered each time after", async () => {
    const frame = command();
    for (let i = 0; i < 5; i += 1) world.dispatcher.command(frame);
    expect(world.calls).toHaveLength(1);
    world.calls[0]?.end();
    await settled();
    for (let i = 0; i < 5; i += 1) world.dispatcher.command(frame);
    await settled();
    expect(world.calls).toHaveLength(1);
    const value = { database: "toko", created: true };
    expect(world.results(frame.id)).toEqual(Array(6).fill({ ok: true, value }));
  });

  it("waits for the one before it of its subject; four subjects go side by side", async () => {
    const frames = ["a", "a", "b", "c", "d", "e"].map((subject, i) =>
      command({ subject, input: { database: `d${i}` } }),
    );
    for (const frame of frames) world.dispatcher.command(frame);
    const begun = () => world.calls.map(({ database }) => database);
    expect(begun()).toEqual(["d0", "d2", "d3", "d4"]);
    world.calls[1]?.end();
    await settled();
    expect(begun()).toEqual(["d0", "d2", "d3", "d4", "d5"]);
    world.calls[0]?.end();
    await settled();
    expect(begun()).toEqual(["d0", "d2", "d3", "d4", "d5", "d1"]);
  });

  it("whose time is up before it begins is not begun", async () => {
    const frame = command({ deadline: world.now });
    world.dispatcher.command(frame);
    await settled();
    expect(world.calls).toEqual([]);
    expect(world.results(frame.id)).toMatchObject([{ ok: false, error: { code: "timeout" } }]);
  });

  it("past its deadline is told to stop and answered, and its subject stays taken until it has stopped", async () => {
    const [frame, next] = [command(), command()];
    world.dispatcher.command(frame);
    world.dispatcher.command(next);
    world.now = frame.deadline;
    for (const { work } of world.timers) work();
    expect(world.calls[0]?.signal.aborted).toBe(true);
    expect(world.results(frame.id)).toMatchObject([{ ok: false, error: { code: "timeout" } }]);
    await settled();
    expect(world.calls).toHaveLength(1);
    world.now -= 1_000;
    world.calls[0]?.end();
    await settled();
    expect(world.results(frame.id).every((outcome) => !outcome.ok)).toBe(true);
    expect(world.calls).toHaveLength(2);
  });

  it("is cancelled while it waits, and while it runs", async () => {
    const [running, waiting] = [command(), command()];
    world.dispatcher.command(running);
    world.dispatcher.command(waiting);
    world.dispatcher.cancel(waiting.id);
    world.dispatcher.cancel(running.id);
    world.calls[0]?.fail(new Error("aborted"));
    await settled();
    const cancelled = [{ ok: false, error: { code: "cancelled" } }];
    expect(world.results(waiting.id)).toMatchObject(cancelled);
    expect(world.results(running.id)).toMatchObject(cancelled);
    expect(world.calls).toHaveLength(1);
  });

  it("that this agent does not know, or with another input, is refused without being begun", async () => {
    const frames = [
      command({ type: "site.provision" }),
      command({ type: "constructor" }),
      command({ input: { database: "x'; drop" } }),
    ];
    for (const frame of frames) world.dispatcher.command(frame);
    await settled();
    await settled();
    expect(frames.map(({ id }) => world.results(id)[0])).toMatchObject([
      { error: { code: "version" } },
      { error: { code: "version" } },
      { error: { code: "invalid" } },
    ]);
  });

  it.each([
    [new CommandError("conflict", "it is taken"), "conflict", "it is taken"],
    [
      Object.assign(new Error("write Rahasia-123"), { code: "ENOSPC" }),
      "disk_full",
      "disk is full",
    ],
    [new Error("mysql said Rahasia-123"), "tool_failed", "unexpected failure"],
    ["Rahasia-123", "tool_failed", "unexpected failure"],
  ])("that fails says why in our own words (%#)", async (thrown, code, words) => {
    const frame = command();
    world.dispatcher.command(frame);
    world.calls[0]?.fail(thrown);
    await settled();
    const message = expect.stringContaining(words);
    expect(world.results(frame.id)).toMatchObject([{ ok: false, error: { code, message } }]);
    const told = JSON.stringify([world.sent, world.logged, readFileSync(world.file, "utf8")]);
    expect(told).not.toContain("Rahasia-123");
  });

  it("leaves nothing of its input on disk", async () => {
    const frame = command({ input: { database: "Rahasia_9" } });
    world.dispatcher.command(frame);
    expect(readFileSync(world.file, "utf8")).toContain(frame.id);
    expect(readFileSync(world.file, "utf8")).not.toContain("Rahasia_9");
  });

  it("tells its progress at most once a second, and the last of it before its end", async () => {
    const frame = command();
    world.dispatcher.command(frame);
    for (let i = 1; i <= 50; i += 1) {
      world.calls[0]?.progress(i, [`baris ${i}`]);
      world.now += 100;
    }
    world.calls[0]?.progress(20, ["x".repeat(1_000)]);
    world.calls[0]?.end();
    await settled();
    const told = world.sent.filter((sent) => sent.t === "progress");
    expect(told.length).toBeLessThanOrEqual(7);
    expect(told.at(-1)).toMatchObject({ percent: 50 });
    expect(
      told.flatMap(({ lines }) => lines).filter((line) => line.startsWith("baris")),
    ).toHaveLength(50);
    expect(world.sent.at(-1)?.t).toBe("result");
  });
});

describe("an end that fits no frame", () => {
  const backup = (n: number) => ({
    ...{
      file: `/b/${n}.json`,
      name: `nusantara_state_20261121_${String(n).padStart(6, "0")}.json`,
    },
    ...{ backupId: crypto.randomUUID(), kind: "state", subject: "", bytes: 1, plainBytes: 1 },
    ...{ createdAt: "2026-11-21T00:00:00.000Z", sha256: "0".repeat(64), plainSha256: null },
    ...{ manifestSha256: "0".repeat(64), counts: {}, notes: Array(10).fill("x".repeat(200)) },
  });
  const items = Array.from({ length: 400 }, (_, n) => backup(n));

  it("is told with less in it, and says so", async () => {
    const value = { dir: "/b", items, unreadable: [] };
    world.handlers["backup.list"] = async () => value;
    expect(JSON.stringify(value).length).toBeGreaterThan(MAX_FRAME_LENGTH);
    const frame = command({ type: "backup.list", input: {} });
    world.dispatcher.command(frame);
    await settled();
    const told = world.sent.at(-1);
    expect(readAgentFrame(JSON.stringify(told)), "the edge reads it").toEqual(told);
    const [outcome] = world.results(frame.id);
    const kept = (outcome?.ok && (outcome.value as typeof value)) || value;
    expect(kept).toHaveProperty("complete", false);
    expect(kept.items.length).toBeGreaterThan(100);
    expect(kept.items).toEqual(items.slice(0, kept.items.length));
  });

  it("is a failure at once where nothing can be left out, also one that was written down before", async () => {
    const id = crypto.randomUUID();
    world.journal.ended(id, { ok: true, value: "x".repeat(600_000) });
    world.handlers["db.list"] = async () => ({
      databases: Array(9_000).fill({ name: "x".repeat(64), system: false }),
    });
    world.dispatcher.tellEnds();
    const asked = crypto.randomUUID();
    await world.dispatcher.ask({ v: 1, t: "ask", id: asked, type: "db.list", input: {} });
    const error = { code: "tool_failed", message: expect.stringContaining("too large") };
    expect(world.sent).toMatchObject([
      { t: "result", id, outcome: { ok: false, error } },
      { t: "answer", id: asked, outcome: { ok: false, error } },
    ]);
  });
});

describe("an agent that stops", () => {
  it("ends what runs, begins nothing, and leaves the rest to be sent again", async () => {
    const [running, waiting, late] = [command(), command(), command()];
    world.dispatcher.command(running);
    world.dispatcher.command(waiting);
    const stopped = world.dispatcher.stop();
    world.dispatcher.command(late);
    world.calls[0]?.end();
    await stopped;
    expect(world.results(running.id)).toHaveLength(1);
    expect(world.calls).toHaveLength(1);
    expect(world.journal.holds().map(({ id }) => id)).toEqual([running.id]);
  });
});

describe("a question", () => {
  it("is answered once, and kept nowhere", async () => {
    const id = crypto.randomUUID();
    await world.dispatcher.ask({ v: 1, t: "ask", id, type: "db.list", input: {} });
    const value = { databases: [] };
    expect(world.sent).toEqual([{ v: 1, t: "answer", id, outcome: { ok: true, value } }]);
    expect(world.journal.holds()).toEqual([]);
  });
});
