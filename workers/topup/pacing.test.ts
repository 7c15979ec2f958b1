import { describe, expect, it } from "vitest";
import type { Lane } from "../../shared/providers/vip-reseller.ts";
import { takeTurn } from "./pacing.ts";

/** A gate with a clock of its own. */
function gateAt(intervalMs = 500) {
  const state: { now: number; next: number | undefined; reads: unknown } = {
    ...{ now: 1_000_000, next: undefined, reads: undefined },
  };
  const options = {
    intervalMs,
    now: () => state.now,
    load: () => state.next,
    save: (next: number) => {
      state.next = next;
    },
    loadReads: () => state.reads,
    saveReads: (reads: object) => {
      state.reads = structuredClone(reads);
    },
  };
  return { state, options, take: (lane: Lane) => takeTurn(options, lane) };
}

describe("turns with the supplier", () => {
  it("are never closer together than the interval, whatever comes when", () => {
    const gate = gateAt();
    const starts: number[] = [];
    let seed = 7;
    for (let round = 0; round < 400; round += 1) {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      gate.state.now += seed % 700;
      const turn = gate.take((["order", "read", "visitor"] as const)[seed % 3] ?? "read");
      if (turn.granted) starts.push(gate.state.now + turn.waitMs);
    }
    starts.sort((a, b) => a - b);
    const gaps = starts.slice(1).map((start, i) => start - (starts[i] ?? 0));
    expect(starts.length).toBeGreaterThan(100);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(500);
  });

  it("leave as much more room as the request may be late", () => {
    const { state, options } = gateAt();
    expect(takeTurn(options, "order", 80)).toEqual({ granted: true, waitMs: 0, spareMs: 80 });
    expect(takeTurn(options, "order", 5_000)).toEqual({
      granted: true,
      waitMs: 580,
      spareMs: 1_000,
    });
    state.now += 2_080;
    expect(takeTurn(options, "read", 50)).toEqual({ granted: true, waitMs: 0, spareMs: 50 });
  });

  it("come at once after a pause", () => {
    const gate = gateAt();
    expect(gate.take("read")).toEqual({ granted: true, waitMs: 0 });
    gate.state.now += 500;
    expect(gate.take("order")).toEqual({ granted: true, waitMs: 0 });
  });

  it("go to orders first: reads do not pile up before them", () => {
    const gate = gateAt();
    const reads = Array.from({ length: 20 }, () => gate.take("read"));
    expect(reads.filter(({ granted }) => granted)).toHaveLength(2);
    expect(gate.take("order")).toEqual({ granted: true, waitMs: 1_000 });
  });

  /**
   * Ten minutes of orders, more than two a second, beside readers that ask as the pace does: again when they are told to,
   * for twenty seconds, and from the start some seconds later. Each moment that was given: when, to whom, with what room.
   */
  function tenBusyMinutes(readers: number, spareMs: number) {
    const { state, options } = gateAt();
    const given: { at: number; lane: Lane; room: number }[] = [];
    const waiting = Array.from({ length: readers }, (_, n) => ({ askAt: n * 7, sinceMs: 0 }));
    const until = state.now + 600_000;
    const ask = (lane: Lane) => {
      const turn = takeTurn(options, lane, spareMs);
      const room = turn.spareMs ?? 0;
      if (turn.granted) given.push({ at: state.now + turn.waitMs, lane, room });
      return turn;
    };
    for (let tick = 0; state.now < until; tick += 1, state.now += 10) {
      if (tick % 40 === 0) ask("order");
      for (const reader of waiting.filter(({ askAt }) => askAt <= state.now)) {
        const { granted, waitMs } = ask("read");
        const isPatient = !granted && reader.sinceMs + waitMs <= 20_000;
        reader.sinceMs = isPatient ? reader.sinceMs + Math.max(waitMs, 1) : 0;
        reader.askAt = state.now + (granted || isPatient ? Math.max(waitMs, 1) : 5_000);
      }
    }
    return given.sort((a, b) => a.at - b.at);
  }

  it.each([
    [1, 0],
    [1, 100],
    [20, 100],
  ])(
    "come to %d reading besides however many orders there are, with %d ms of room",
    (readers, spareMs) => {
      const given = tenBusyMinutes(readers, spareMs);
      const gaps = given
        .slice(1)
        .map(({ at }, n) => at - (given[n]?.at ?? 0) - (given[n]?.room ?? 0));
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(500);
      const reads = given.filter(({ lane }) => lane === "read").map(({ at }) => at);
      const ends = [...reads, 1_000_000 + 600_000];
      const silent = ends.map((at, n) => at - (ends[n - 1] ?? 1_000_000));
      expect(Math.max(...silent)).toBeLessThan(45_000);
      const orders = given.filter(({ lane }) => lane === "order");
      expect(orders.length).toBeGreaterThan(0.7 * given.length);
    },
  );

  /**
   * Ten minutes of visitors, ten a second, each with a second's patience, beside reads of our own. How long each of those
   * waited, and how many moments visitors had.
   */
  function tenWatchedMinutes(readEveryMs: number) {
    const { state, options } = gateAt();
    let watched = 0;
    let visitors: { askAt: number; goneAt: number }[] = [];
    const reads: { askAt: number; sinceAt: number }[] = [];
    const waited: number[] = [];
    for (let tick = 0; tick < 60_000; tick += 1, state.now += 10) {
      const now = state.now;
      if (tick % 10 === 0) visitors.push({ askAt: now, goneAt: now + 1_000 });
      if ((tick * 10) % readEveryMs === 0) reads.push({ askAt: now, sinceAt: now });
      for (const visitor of visitors.filter(({ askAt }) => askAt <= now)) {
        const turn = takeTurn(options, "visitor", 100, visitor.goneAt - now);
        if (turn.granted) watched += 1;
        visitor.askAt = turn.granted ? Number.POSITIVE_INFINITY : now + turn.waitMs;
      }
      visitors = visitors.filter(({ askAt, goneAt }) => askAt <= goneAt);
      for (const read of reads.filter(({ askAt }) => askAt <= now)) {
        const turn = takeTurn(options, "read", 100);
        if (turn.granted) waited.push(now + turn.waitMs - read.sinceAt);
        read.askAt = turn.granted ? Number.POSITIVE_INFINITY : now + turn.waitMs;
      }
    }
    return { waited, watched };
  }

  it.each([
    [5_000, 120, 800, 1_200],
    [1_000, 600, 300, 1_200],
    [750, 800, 150, 1_200],
  ])(
    "come to reads, one every %d ms, soon beside any crowd of visitors, who have what is left over",
    (everyMs, reads, visits, mostMs) => {
      const { waited, watched } = tenWatchedMinutes(everyMs);
      expect(waited).toHaveLength(reads);
      expect(Math.max(...waited)).toBeLessThanOrEqual(mostMs);
      expect(watched).toBeGreaterThanOrEqual(visits);
    },
  );

  /** So many visitors, one after the other, beside readers who ask again as soon as they were answered. */
  function besideReaders(readers: number, visitors: number, patienceMs: number) {
    const { state, options } = gateAt();
    const reads = Array.from({ length: readers }, () => ({ askAt: state.now }));
    const moments = { told: 0, lost: 0 };
    for (let visit = 0; visit < visitors; visit += 1) {
      let askAt = state.now + 700;
      const goneAt = askAt + patienceMs;
      for (; state.now <= goneAt; state.now += 10) {
        for (const read of reads.filter((one) => one.askAt <= state.now)) {
          const { granted, waitMs } = takeTurn(options, "read", 100);
          read.askAt = state.now + waitMs + (granted ? 250 : 0);
        }
        if (askAt > state.now) continue;
        const { granted, waitMs } = takeTurn(options, "visitor", 100, goneAt - state.now);
        askAt = granted ? Number.POSITIVE_INFINITY : state.now + waitMs;
        if (granted) moments[state.now + waitMs <= goneAt ? "told" : "lost"] += 1;
      }
    }
    return moments;
  }

  it("come to a visitor though reads follow each other closely", () => {
    expect(besideReaders(1, 20, 10_000)).toEqual({ told: 20, lost: 0 });
  });

  it("are not given to visitors who will have gone by then", () => {
    const { told, lost } = besideReaders(2, 200, 1_000);
    expect(lost).toBe(0);
    expect(told).toBeGreaterThan(20);
  });

  it("are all for orders where nothing is read", () => {
    const given = tenBusyMinutes(0, 0);
    const gaps = given.slice(1).map(({ at }, n) => at - (given[n]?.at ?? 0));
    expect([given.length > 1_000, Math.max(...gaps)]).toEqual([true, 500]);
  });

  it.each([
    ["nothing", undefined],
    ["something else", { left: "soon" }],
    [
      "what a clock far ahead left",
      { askedAt: 9e12, spareMs: 0, since: 3, left: [{ at: 9e12, spareMs: 0 }] },
    ],
  ])("are given though %s is known of reads", (_, reads) => {
    const gate = gateAt();
    gate.state.reads = reads;
    expect(gate.take("order")).toEqual({ granted: true, waitMs: 0 });
    expect(gate.take("read")).toEqual({ granted: true, waitMs: 500 });
  });

  it("are refused to an order that would wait too long, without a place being lost", () => {
    const gate = gateAt();
    const orders = Array.from({ length: 60 }, () => gate.take("order"));
    const granted = orders.filter((turn) => turn.granted);
    expect(granted).toHaveLength(41);
    expect(orders.at(-1)).toEqual({ granted: false, waitMs: 20_500 });
    gate.state.now += 20_500;
    expect(gate.take("order")).toEqual({ granted: true, waitMs: 0 });
  });

  it("are not held back by a clock that was set back", () => {
    const gate = gateAt();
    gate.take("order");
    gate.state.now -= 86_400_000;
    expect(gate.take("order")).toEqual({ granted: true, waitMs: 500 });
    expect(gate.take("order")).toEqual({ granted: true, waitMs: 1_000 });
  });
});
