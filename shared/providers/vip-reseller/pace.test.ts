import { describe, expect, test } from "vitest";
import { failureOf } from "../testing/failures.ts";
import { paceOf, type Turn } from "../vip-reseller.ts";

/** A gate that gives these turns, and a sleep that only adds up. */
function paced(longestMs: number, turns: (Turn | Error)[]) {
  const slept: number[] = [];
  const asked: unknown[][] = [];
  const take = async (...question: unknown[]) => {
    asked.push(question);
    const turn = turns.shift();
    if (!turn || turn instanceof Error) throw turn ?? new Error("nobody expected a question");
    return turn;
  };
  const sleep = async (ms: number) => {
    slept.push(ms);
  };
  return { pace: paceOf(() => ({ take }), { longestMs, sleep }), slept, asked };
}

/** A gate and a clock: each answer takes as long as told. */
function timed(latencies: number[], intervalMs = 500) {
  let clock = 0;
  let next = 0;
  const spares: number[] = [];
  const take = async (_lane: string, spareMs: number): Promise<Turn> => {
    const moment = Math.max(next, clock);
    const waitMs = moment - clock;
    next = moment + intervalMs + spareMs;
    spares.push(spareMs);
    clock += latencies.shift() ?? 0;
    return { granted: true, waitMs, spareMs };
  };
  const sleep = async (ms: number) => {
    clock += ms;
  };
  const pace = paceOf(() => ({ take }), { longestMs: 20_000, sleep, now: () => clock });
  return { pace, now: () => clock, spares };
}

test("requests leave no closer than the gap, however long each answer of the gate took", async () => {
  const { pace, now, spares } = timed([45, 0, 300, 20, 0, 49, 1]);
  const left: number[] = [];
  for (let n = 0; n < 5; n += 1) {
    await pace("order");
    left.push(now());
  }
  const gaps = left.slice(1).map((at, n) => at - (left[n] ?? 0));
  // So that one may take 50 ms longer on its way than the next, and they still arrive 500 ms apart.
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(550);
  // The answer that took longer than the room after its turn: another turn was asked for, with more.
  expect(spares).toEqual([100, 100, 100, 1_000, 100, 100]);
});

describe("the pace", () => {
  test("waits for its turn and then lets the request go", async () => {
    const { pace, slept } = paced(20_000, [
      { granted: true, waitMs: 1_500 },
      { granted: true, waitMs: 0 },
    ]);
    await pace("order");
    await pace("order");
    expect(slept).toEqual([1_500]);
  });

  test("asks again when it was sent away", async () => {
    const { pace, slept } = paced(20_000, [
      { granted: false, waitMs: 700 },
      { granted: false, waitMs: 300 },
      { granted: true, waitMs: 200 },
    ]);
    await pace("read");
    expect(slept).toEqual([700, 300, 200]);
  });

  test("waits for a visitor only as long as he does", async () => {
    const { pace, slept, asked } = paced(20_000, [
      { granted: false, waitMs: 600 },
      { granted: false, waitMs: 600 },
    ]);
    expect(await failureOf(pace("visitor", 1_000))).toMatchObject({ code: "busy" });
    expect(slept).toEqual([600]);
    expect(asked).toEqual([
      ["visitor", 100, 1_000],
      ["visitor", 100, 400],
    ]);
  });

  test.each([
    ["a place too far behind", [{ granted: true, waitMs: 1_001 }]],
    ["a crowd", Array.from({ length: 3 }, () => ({ granted: false, waitMs: 400 }))],
    ["a gate that is away", [new Error("overloaded")]],
  ] as [string, (Turn | Error)[]][])("%s sends nothing, and says so", async (_, turns) => {
    const { pace } = paced(1_000, turns);
    expect(await failureOf(pace("read"))).toMatchObject({
      code: "busy",
      outcome: "not_done",
      kind: "unavailable",
    });
  });
});
