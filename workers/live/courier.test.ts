import { describe, expect, it } from "vitest";
import { Courier, Couriers, callTwice } from "./courier.ts";
import { Coalesced, Pace } from "./rooms/pace.ts";

/** A destination that answers when the test says so. */
function slowly() {
  const calls: string[][] = [];
  const answers: ((error?: Error) => void)[] = [];
  const send = (items: string[]) => {
    calls.push(items);
    return new Promise<string[]>((resolve, reject) => {
      answers.push((error) => {
        if (error) reject(error);
        else resolve(items.map((item) => item.toUpperCase()));
      });
    });
  };
  return { calls, answers, courier: new Courier(send) };
}

const turns = async () => {
  for (let i = 0; i < 10; i += 1) await Promise.resolve();
};

describe("a courier", () => {
  it("sends the first at once and what comes meanwhile together, in order, each with its own reply", async () => {
    const { calls, answers, courier } = slowly();
    const first = courier.deliver("a");
    await turns();
    const rest = ["b", "c"].map((item) => courier.deliver(item));
    await turns();
    expect(calls).toEqual([["a"]]);
    answers[0]?.();
    expect(await first).toBe("A");
    await turns();
    answers[1]?.();
    expect(await Promise.all(rest)).toEqual(["B", "C"]);
    expect(calls).toEqual([["a"], ["b", "c"]]);
  });

  it("fails those of a call that failed, and carries on with the next", async () => {
    const { answers, courier } = slowly();
    const first = courier.deliver("a");
    await turns();
    const second = courier.deliver("b");
    answers[0]?.(new Error("away"));
    await expect(first).rejects.toThrow("away");
    await turns();
    answers[1]?.();
    expect(await second).toBe("B");
  });

  it("takes no more than a destination can ever catch up with", async () => {
    const { answers, courier } = slowly();
    const sent = Array.from({ length: 20_001 }, () => courier.deliver("x"));
    await expect(sent.at(-1)).rejects.toThrow("too much waits");
    for (let call = 0; call < 40; call += 1) {
      await turns();
      answers[call]?.();
    }
    await expect(Promise.all(sent.slice(0, -1))).resolves.toHaveLength(20_000);
  });

  it("keeps destinations apart: a slow one holds up no other", async () => {
    const slow = Promise.withResolvers<string[]>();
    const couriers = new Couriers<string, string>((to, items) =>
      to === "slow" ? slow.promise : Promise.resolve(items.map(() => to)),
    );
    const first = couriers.deliver("slow", "a");
    expect(await couriers.deliver("fast", "b")).toBe("fast");
    slow.resolve(["slow"]);
    expect(await first).toBe("slow");
  });
});

describe("calling twice", () => {
  const failing = (marks: object) => {
    let calls = 0;
    const call = () => {
      calls += 1;
      return Promise.reject(Object.assign(new Error("no"), marks));
    };
    return { call, calls: () => calls };
  };

  it.each([
    [2, { retryable: true }],
    [1, { retryable: true, overloaded: true }],
    [1, {}],
  ])("makes %i calls after a failure marked %j", async (times, marks) => {
    const { call, calls } = failing(marks);
    await expect(callTwice(call)).rejects.toThrow("no");
    expect(calls()).toBe(times);
  });
});

describe("a destination that is silent", () => {
  it("fails who waits for it and all behind him, and what comes later is tried", async () => {
    const calls: string[][] = [];
    const courier = new Courier<string, string>((items) => {
      calls.push(items);
      return calls.length === 1 ? new Promise(() => undefined) : Promise.resolve(items);
    }, 20);
    const first = courier.deliver("a");
    await turns();
    const waiting = ["b", "c"].map((item) => courier.deliver(item));
    const results = await Promise.allSettled([first, ...waiting]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(await courier.deliver("d")).toBe("d");
    expect(calls).toEqual([["a"], ["d"]]);
  });
});

describe("pace", () => {
  it("lets a burst through, then so many a second, and saves up no more than the burst", () => {
    const pace = new Pace({ burst: 3, perSecond: 2 }, 0);
    const taken = (now: number) => Array.from({ length: 5 }, () => pace.take(now)).filter(Boolean);
    expect(taken(0)).toHaveLength(3);
    expect(taken(1_000)).toHaveLength(2);
    expect(taken(60_000)).toHaveLength(3);
    expect([pace.take(61_000, 3), pace.take(61_500, 99), pace.take(62_000, 99)]).toEqual([
      ...[false, true, false],
    ]);
  });

  it("calls at once, and once more for all that was asked meanwhile", () => {
    const later: (() => void)[] = [];
    let calls = 0;
    const coalesced = new Coalesced(
      () => 300,
      () => {
        calls += 1;
      },
      (_, act) => later.push(act),
    );
    for (let i = 0; i < 50; i += 1) coalesced.ask();
    expect(calls).toBe(1);
    later.shift()?.();
    expect(calls).toBe(2);
    later.shift()?.();
    expect([calls, later.length]).toEqual([2, 0]);
  });
});
