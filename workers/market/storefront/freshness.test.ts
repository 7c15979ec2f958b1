import { describe, expect, it } from "vitest";
import {
  FRESH_MS,
  Freshness,
  HEAL_MS,
  type Kept,
  RETRY_MS,
  UNKNOWN_MS,
  WHOLE_MS,
} from "./freshness.ts";

/** A database whose answers the test gives when it wants, a clock that it moves, and a memory. */
function rig() {
  const world = {
    now: 1_000_000,
    truth: "store/a/1",
    kept: null as Kept | null,
    loads: 0,
    checks: 0,
    down: false,
    gate: Promise.resolve(),
    behind: [] as Promise<void>[],
  };
  const read = async () => {
    const seen = world.truth;
    await world.gate;
    if (world.down) throw new Error("down");
    return seen;
  };
  const freshness = new Freshness<{ state: string }>({
    now: () => world.now,
    load: async () => {
      world.loads += 1;
      return { state: await read() };
    },
    check: async () => {
      world.checks += 1;
      return await read();
    },
    kept: () => world.kept,
    keep: ({ state }, at) => {
      world.kept = { state, loadedAt: at, checkedAt: at };
    },
    confirm: (at) => {
      if (world.kept) world.kept = { ...world.kept, checkedAt: at };
    },
    forget: () => {
      world.kept = null;
    },
    behind: (work) => world.behind.push(work.catch(() => undefined)),
  });
  const ready = () => freshness.ready("visit");
  /** Holds every read until the returned function is called. */
  const hold = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    world.gate = promise;
    return resolve;
  };
  return { world, freshness, ready, hold };
}

async function warm() {
  const made = rig();
  await made.ready();
  return made;
}

describe("a kept store", () => {
  it("is read once by any number of first visitors", async () => {
    const { world, ready } = rig();
    expect(await Promise.all(Array.from({ length: 20 }, ready))).toEqual(Array(20).fill("kept"));
    expect(world.loads).toBe(1);
  });

  it("is served without a question while it is fresh", async () => {
    const { world, ready } = await warm();
    world.now += FRESH_MS - 1;
    expect(await ready()).toBe("kept");
    expect([world.loads, world.checks]).toEqual([1, 0]);
  });

  it("is served and checked behind the answer when it is not quite fresh", async () => {
    const { world, ready, hold } = await warm();
    const release = hold();
    world.now += FRESH_MS;
    expect(await ready()).toBe("kept");
    expect(world.checks).toBe(1);
    release();
    await Promise.all(world.behind);
    expect(world.kept?.checkedAt).toBe(world.now);
    expect(world.loads).toBe(1);
  });

  it("heals a lost refresh: an old one is checked before it is shown, and read when its version differs", async () => {
    const { world, ready } = await warm();
    world.truth = "store/a/2";
    world.now += HEAL_MS;
    expect(await ready()).toBe("kept");
    expect(world.kept?.state).toBe("store/a/2");
    expect([world.loads, world.checks]).toEqual([2, 1]);
  });

  it("is not read again when its version is the same", async () => {
    const { world, ready } = await warm();
    world.now += HEAL_MS;
    await ready();
    expect([world.loads, world.checks]).toEqual([1, 1]);
  });

  it("is read whole now and then, because stock changes without a version", async () => {
    const { world, ready } = await warm();
    world.now += WHOLE_MS;
    await ready();
    expect(world.loads).toBe(2);
  });
});

describe("a refresh", () => {
  it("reads anew whatever the age", async () => {
    const { world, freshness } = await warm();
    world.truth = "store/a/2";
    await freshness.refresh("write");
    expect(world.kept?.state).toBe("store/a/2");
  });

  it("that comes while an older read is on its way reads once more", async () => {
    const { world, freshness, hold } = await warm();
    const release = hold();
    const first = freshness.refresh("write");
    world.truth = "store/a/2";
    const second = freshness.refresh("write");
    const third = freshness.refresh("write");
    release();
    await Promise.all([first, second, third]);
    expect(world.kept?.state).toBe("store/a/2");
    expect(world.loads).toBe(3);
  });

  it("that failed is made up for by the next visit", async () => {
    const { world, freshness, ready } = await warm();
    world.down = true;
    world.truth = "store/a/2";
    await expect(freshness.refresh("write")).rejects.toThrow("down");
    world.down = false;
    world.now += RETRY_MS;
    await ready();
    await Promise.all(world.behind);
    expect(world.kept?.state).toBe("store/a/2");
  });
});

describe("while the database is down", () => {
  it("what is kept is shown however old it is, and the database is asked again only after a rest", async () => {
    const { world, ready } = await warm();
    world.down = true;
    world.now += 100 * HEAL_MS;
    expect(await ready()).toBe("kept");
    expect(await ready()).toBe("kept");
    expect([world.loads, world.checks]).toEqual([2, 0]);
    world.now += RETRY_MS;
    expect(await ready()).toBe("kept");
    await Promise.all(world.behind);
    expect(world.loads).toBe(3);
  });

  it("visitors no longer wait for it once it has failed", async () => {
    const { world, ready, hold } = await warm();
    world.down = true;
    world.now += HEAL_MS;
    await ready();
    hold();
    world.now += RETRY_MS;
    expect(await ready()).toBe("kept");
  });

  it("a store that was never read is unavailable, and is read once the database is back", async () => {
    const { world, ready } = rig();
    world.down = true;
    expect(await ready()).toBe("unavailable");
    world.down = false;
    expect(await ready()).toBe("unavailable");
    world.now += RETRY_MS;
    expect(await ready()).toBe("kept");
  });
});

describe("after a failure of the database", () => {
  it("nothing older than HEAL_MS is shown once it has answered for that long, however late the next visit", async () => {
    for (const later of [HEAL_MS, 8 * 60 * HEAL_MS]) {
      const { world, ready } = await warm();
      world.down = true;
      world.now += HEAL_MS;
      await ready();
      world.down = false;
      world.truth = "suspended/a/2";
      world.now += later;
      expect(await ready()).toBe("kept");
      expect(world.kept?.state).toBe("suspended/a/2");
    }
  });

  it("that goes on, visitors go on without waiting for it", async () => {
    const { world, ready, hold } = await warm();
    world.down = true;
    world.now += HEAL_MS;
    await ready();
    for (let visit = 0; visit < 20; visit += 1) {
      world.now += RETRY_MS;
      await ready();
      await Promise.all(world.behind);
    }
    hold();
    world.now += RETRY_MS;
    expect(await ready()).toBe("kept");
  });
});

describe("a name that no store has", () => {
  it("is kept nowhere and believed for a short time", async () => {
    const { world, ready } = rig();
    world.truth = "unknown";
    expect(await ready()).toBe("unknown");
    expect(await ready()).toBe("unknown");
    expect([world.kept, world.loads]).toEqual([null, 1]);
    world.now += UNKNOWN_MS;
    world.truth = "store/a/1";
    expect(await ready()).toBe("kept");
  });

  it("is forgotten when its store is deleted", async () => {
    const { world, ready } = await warm();
    world.truth = "unknown";
    world.now += HEAL_MS;
    expect(await ready()).toBe("unknown");
    expect(world.kept).toBeNull();
  });

  it("is found at once when its store opens and refreshes it", async () => {
    const { world, freshness, ready } = rig();
    world.truth = "unknown";
    await ready();
    world.truth = "store/a/1";
    await freshness.refresh("write");
    expect(await ready()).toBe("kept");
  });
});
