import { describe, expect, test } from "vitest";
import { failureOf } from "../testing/failures.ts";
import { paceOf, type Turn } from "../vip-reseller.ts";

/** A gate that gives these turns, and a sleep that only adds up. */
function paced(longestMs: number, turns: (Turn | Error)[]) {
  const slept: number[] = [];
  const take = async () => {
    const turn = turns.shift();
    if (!turn || turn instanceof Error) throw turn ?? new Error("nobody expected a question");
    return turn;
  };
  const sleep = async (ms: number) => {
    slept.push(ms);
  };
  return { pace: paceOf(() => ({ take }), { longestMs, sleep }), slept };
}

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
