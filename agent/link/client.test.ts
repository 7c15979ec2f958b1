import { beforeEach, describe, expect, it } from "vitest";
import { type AgentFrame, CLOSE } from "../../shared/agent-protocol/index.ts";
import { backoffMs, longPauseMs } from "./backoff.ts";
import { LinkClient, type LinkSocket, type SocketEvents } from "./client.ts";

const facts = {
  ...{ hostname: "m", goos: "linux", goarch: "x64", osId: "debian", osVersion: "12" },
  ...{ cpuThreads: 1, memoryBytes: 1, sitesRoot: "/var/www", phpVersions: [] },
};
const quiet = { info() {}, warn() {}, error() {} };

/** A clock that moves when it is told to, and the sockets that were opened. */
class World {
  now = 0;
  timers: { at: number; work: () => void }[] = [];
  sockets: { events: SocketEvents; sent: string[]; openedAt: number; isDropped: boolean }[] = [];
  greetings = 0;
  frames: unknown[] = [];
  hellos: boolean[] = [];
  client = new LinkClient({
    connect: (events): LinkSocket => {
      const socket = { events, sent: [] as string[], openedAt: this.now, isDropped: false };
      this.sockets.push(socket);
      return {
        send: (text) => void socket.sent.push(text),
        close: () => undefined,
        drop: () => {
          socket.isDropped = true;
        },
      };
    },
    hello: async ({ displaced }): Promise<AgentFrame> => {
      this.hellos.push(displaced);
      const instance = "0199aa00-0000-7000-8000-000000000000";
      return { v: 1, t: "hello", agentVersion: "1", facts, instance, displaced, holds: [] };
    },
    greeted: () => {
      this.greetings += 1;
    },
    frame: (frame) => void this.frames.push(frame),
    schedule: (ms, work) => {
      const timer = { at: this.now + ms, work };
      this.timers.push(timer);
      return () => {
        this.timers = this.timers.filter((one) => one !== timer);
      };
    },
    random: () => 0,
    log: quiet,
  });

  get socket() {
    const last = this.sockets.at(-1);
    if (!last) throw new Error("no socket was opened");
    return last;
  }

  /** Lets time pass, timer by timer. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const [next] = this.timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.now = next.at;
      this.timers = this.timers.filter((one) => one !== next);
      next.work();
    }
    this.now = end;
  }

  async open(): Promise<void> {
    this.socket.events.open();
    await Promise.resolve();
    await Promise.resolve();
  }

  async connect(): Promise<void> {
    await this.open();
    this.socket.events.message("pong");
  }
}

let world: World;
beforeEach(() => {
  world = new World();
  world.client.start();
});

describe("the pause before the next attempt", () => {
  it("grows from a second to a minute, and leaves a random half out", () => {
    const longest = Array.from({ length: 9 }, (_, attempt) => backoffMs(attempt, () => 0));
    expect(longest).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60].map((s) => s * 1_000));
    expect(backoffMs(0, () => 0.999999)).toBe(500);
    expect(backoffMs(500, () => 0)).toBe(60_000);
    expect(longPauseMs(() => 0)).toBe(60_000);
  });
});

describe("a connection", () => {
  it("says hello first, then pings, and pings again half a minute after each answer", async () => {
    await world.open();
    expect(world.socket.sent.map((text) => text.slice(0, 16))).toEqual([
      '{"v":1,"t":"hell',
      "ping",
    ]);
    expect(world.greetings).toBe(0);
    world.socket.events.message("pong");
    expect(world.greetings).toBe(1);
    world.pass(30_000);
    expect(world.socket.sent.filter((text) => text === "ping")).toHaveLength(2);
    world.socket.events.message("pong");
    expect(world.greetings).toBe(1);
  });

  it("whose edge does not answer a ping is given up, though its socket says nothing", async () => {
    await world.connect();
    world.pass(30_000 + 14_999);
    expect(world.sockets).toHaveLength(1);
    world.pass(1);
    expect(world.socket.isDropped).toBe(true);
    world.pass(1_000);
    expect(world.sockets).toHaveLength(2);
  });

  it("passes frames on, and over what is none", async () => {
    await world.connect();
    for (const text of ["{", "null", '{"v":2,"t":"ack","ids":[]}', '{"v":1,"t":"ack","ids":[]}']) {
      world.socket.events.message(text);
    }
    expect(world.frames).toEqual([{ v: 1, t: "ack", ids: [] }]);
  });
});

describe("a lost connection", () => {
  it("of ten minutes is tried again and again, ever more slowly, until it stands", async () => {
    await world.connect();
    const cutAt = world.now;
    world.socket.events.closed({ code: 1006 });
    while (world.now < cutAt + 600_000) {
      world.pass(1_000);
      if (world.socket.openedAt === world.now) world.socket.events.closed({ code: 1006 });
    }
    const pauses = world.sockets.slice(1).map(({ openedAt }, i, all) => {
      return openedAt - (i === 0 ? cutAt : (all[i - 1]?.openedAt ?? 0));
    });
    expect(pauses.slice(0, 8)).toEqual([1, 2, 4, 8, 16, 32, 60, 60].map((s) => s * 1_000));
    expect(world.client.isOpen).toBe(false);
    world.pass(60_000);
    await world.connect();
    expect(world.client.isOpen).toBe(true);
    expect(world.greetings).toBe(2);
    world.socket.events.closed({ code: 1001 });
    world.pass(1_000);
    expect(world.socket.openedAt).toBe(world.now);
  });

  it("takes nothing to send: what counts is told after the next hello", async () => {
    await world.connect();
    world.socket.events.closed({ code: 1006 });
    const { sent } = world.socket;
    expect(world.client.send({ v: 1, t: "progress", id: "x", percent: 1, lines: [] })).toBe(false);
    expect(sent.filter((text) => text.includes("progress"))).toEqual([]);
  });

  it("is not heard any more, whatever its socket still says", async () => {
    await world.connect();
    const old = world.socket;
    old.events.closed({ code: 1006 });
    world.pass(1_000);
    await world.connect();
    old.events.message('{"v":1,"t":"ack","ids":[]}');
    old.events.closed({ code: 1000 });
    expect(world.frames).toEqual([]);
    expect(world.client.isOpen).toBe(true);
    world.pass(5_000);
    expect(world.sockets).toHaveLength(2);
  });

  it("that another agent took is told of in the next hello, a minute later", async () => {
    await world.connect();
    world.socket.events.closed({ code: CLOSE.replaced });
    world.pass(59_999);
    expect(world.sockets).toHaveLength(1);
    world.pass(1);
    await world.connect();
    world.socket.events.closed({ code: 1006 });
    world.pass(1_000);
    await world.connect();
    expect(world.hellos).toEqual([false, true, false]);
  });

  it("that was refused for its signature is not tried again within the minute", async () => {
    world.socket.events.closed({ code: 1006, status: 401 });
    world.pass(59_999);
    expect(world.sockets).toHaveLength(1);
    world.pass(30_001);
    expect(world.sockets).toHaveLength(2);
  });

  it("is not opened again by an agent that was stopped", async () => {
    await world.connect();
    world.client.stop();
    world.socket.events.closed({ code: 1000 });
    world.pass(600_000);
    expect(world.sockets).toHaveLength(1);
  });
});
