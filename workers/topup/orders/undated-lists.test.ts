import { beforeAll, describe, expect, it } from "vitest";
import { testContext } from "../../testing/api.ts";
import { endsOf, listedRow, lookOf, ordersAt, type TriedOrder } from "../testing/histories.ts";
import { newPhone, stockShelves } from "../testing/shop.ts";

beforeAll(stockShelves);

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
const trxid = () => `PLACE${crypto.randomUUID()}`;

/** After the purchases of histories.test.ts, and before those of named-likes.test.ts; none is known of a month before. */
let begun = Date.now() + 650 * DAY;

/** Purchases that are known; of most tests two from the days before, and one from three minutes later. */
const KNOWN = { old: -2 * DAY, before: -DAY, newer: 3 * MINUTE };

/**
 * One buyer's order each, and `known` purchases so long after; those of `open` have not ended. The supplier is asked for as
 * many rows as its list has where that is `full`.
 */
async function doubts<Known extends string = keyof typeof KNOWN>(
  tried: readonly TriedOrder[],
  {
    known = KNOWN as Record<string, number> as Record<Known, number>,
    open = [],
    isFull = false,
  }: { known?: Record<Known, number>; open?: NoInfer<Known>[]; isFull?: boolean } = {},
) {
  begun += 40 * DAY;
  const at = begun;
  const rows = {} as Record<Known, ReturnType<typeof listedRow>>;
  for (const name of Object.keys(known) as Known[]) {
    const isOpen = open.includes(name);
    rows[name] = listedRow(trxid(), isOpen ? { outcome: "open" } : {});
    await ordersAt(at, [{ afterMs: known[name], trxid: rows[name].trxid, isOpen }]);
  }
  const ids: string[] = [];
  for (const order of tried) ids.push(...(await ordersAt(at, [order])));
  const look = async (minutes: readonly number[], list: readonly object[]) => {
    const more = { seen: true, ...(isFull ? { asked: list.length } : {}) };
    for (const minute of minutes)
      for (const id of ids)
        await testContext().db.batch(lookOf(id, at + minute * MINUTE, list, more));
  };
  const ends = async () => await Promise.all(ids.map(async (id) => (await endsOf([id]))[0]));
  return { ...rows, look, ends };
}

const strangers = (outcome = "success") =>
  Array.from({ length: 20 }, () => listedRow(trxid(), { outcome }));

describe("the supplier promises no order of its lists", () => {
  it("a purchase is its order's where the oldest rows stand first", async () => {
    const target = newPhone();
    const { old, before, newer, look, ends } = await doubts([{ afterMs: 0, target }]);
    const own = trxid();
    await look([4, 10, 11], [old, before, listedRow(own, { target }), newer]);
    expect(await ends()).toEqual([`processing ${own}`]);
  });

  it("two buyers' purchases are theirs as they stand, where the oldest rows stand first", async () => {
    const target = newPhone();
    const { old, before, newer, look, ends } = await doubts(
      [0, 100].map((seconds) => ({ afterMs: seconds * SECOND, target })),
    );
    const own = ["failed", "success"].map((outcome) => listedRow(trxid(), { target, outcome }));
    await look([5, 11, 12], [old, before, ...own, newer]);
    expect(await ends()).toEqual(own.map((row) => `processing ${row.trxid}`));
  });

  it("a purchase is its order's behind an old one that has just changed", async () => {
    const target = newPhone();
    const { old, before, newer, look, ends } = await doubts([{ afterMs: 0, target }]);
    const own = trxid();
    await look([4, 10, 11], [before, newer, listedRow(own, { target }), old]);
    expect(await ends()).toEqual([`processing ${own}`]);
  });

  it("a purchase stands behind what was over before the attempt: another's, in a list by time", async () => {
    const target = newPhone();
    const { old, before, newer, look, ends } = await doubts([{ afterMs: 0, target }]);
    await look([4, 10], [newer, before, listedRow(trxid(), { target }), old]);
    expect(await ends()).toEqual(["failed null"]);
  });

  it("a purchase is its order's behind an earlier one that ended later, in a list by last change", async () => {
    const target = newPhone();
    const { old, before, slow, newer, look, ends } = await doubts([{ afterMs: 0, target }], {
      known: { ...KNOWN, slow: -MINUTE },
      open: ["slow"],
    });
    const own = trxid();
    await look([4, 10, 11], [newer, slow, listedRow(own, { target }), before, old]);
    expect(await ends()).toEqual([`processing ${own}`]);
  });

  it("a purchase is its order's behind a strayed row and in front of two of one moment", async () => {
    const target = newPhone();
    const { stray, one, other, look, ends } = await doubts([{ afterMs: 0, target }], {
      known: { stray: -20 * MINUTE, one: -10 * MINUTE, other: -10 * MINUTE },
    });
    const own = trxid();
    await look([4, 10, 361, 366], [stray, listedRow(own, { target }), other, one]);
    expect(await ends()).toEqual([`processing ${own}`]);
  });

  it("two buyers' purchases are theirs as they stand, in a list by time of which nothing has ended", async () => {
    const target = newPhone();
    const { old, before, newer, look, ends } = await doubts(
      [0, 100].map((seconds) => ({ afterMs: seconds * SECOND, target })),
      { open: ["old", "before", "newer"] },
    );
    const own = ["failed", "success"].map((outcome) => listedRow(trxid(), { target, outcome }));
    await look([5, 11, 12], [newer, ...own.toReversed(), before, old]);
    expect(await ends()).toEqual(own.map((row) => `processing ${row.trxid}`));
  });

  it("a purchase is its order's behind what had ended, where the oldest change stands first", async () => {
    const target = newPhone();
    const { slow, ended, look, ends } = await doubts([{ afterMs: 0, target }], {
      known: { slow: -DAY, ended: -60 * MINUTE },
      open: ["slow"],
    });
    const own = trxid();
    await look([4, 10, 361, 366], [ended, listedRow(own, { target }), slow]);
    expect(await ends()).toEqual([`processing ${own}`]);
  });

  it("nothing tells whose two buyers' purchases are where nothing tells the order of the list", async () => {
    const target = newPhone();
    const { before, look, ends } = await doubts(
      [0, 100].map((seconds) => ({ afterMs: seconds * SECOND, target })),
      { known: { before: -DAY } },
    );
    const own = ["success", "failed"].map((outcome) => listedRow(trxid(), { target, outcome }));
    await look([5, 11, 25 * 60, 26 * 60], [...own, before]);
    expect(await ends()).toEqual(["review null", "review null"]);
  });
});

describe("a full list has not all that was sold since the attempt, and nobody is refunded by it, where", () => {
  it("it is in no order of time", async () => {
    const isFull = true;
    const { old, before, newer, look, ends } = await doubts([{ afterMs: 0 }], { isFull });
    await look([4, 10, 11, 8 * 60], [before, newer, ...strangers(), old]);
    expect(await ends()).toEqual(["unknown null"]);
  });

  it("what was bought before the attempt may have changed since", async () => {
    const { slow, newer, look, ends } = await doubts([{ afterMs: 0 }], {
      known: { slow: -DAY, newer: 3 * MINUTE },
      open: ["slow"],
      isFull: true,
    });
    await look([4, 10, 11, 8 * 60], [newer, ...strangers(), slow]);
    expect(await ends()).toEqual(["unknown null"]);
  });

  it.each([
    ["what was seen before the attempt has ended since", "open", "unknown null"],
    ["(but for one that shows what was seen to have ended by then)", "success", "failed null"],
  ])("%s", async (_, outcome, end) => {
    const { newer, look, ends } = await doubts([{ afterMs: 0 }], {
      known: { newer: 3 * MINUTE },
      isFull: true,
    });
    const seen = strangers(outcome);
    await look([-5], seen);
    await look([4, 10, 11], [newer, ...seen.map((row) => ({ ...row, outcome: "success" }))]);
    expect(await ends()).toEqual([end]);
  });
});

it.each(["open", "partial"])(
  "two buyers' purchases that are blacked out alike are a person's while they are %s, also after a day",
  async (outcome) => {
    const start = newPhone().slice(0, 8);
    const tried = ["5011", "5021"].map((end, n) => ({
      afterMs: n * 10 * SECOND,
      target: `${start}${end}`,
    }));
    const { old, before, newer, look, ends } = await doubts(tried);
    const masked = { target: `${start}5***`, outcome };
    const shown = [listedRow(trxid(), masked), listedRow(trxid(), masked)];
    const list = [newer, ...shown, before, old];
    await look([4, 10, 25 * 60, 26 * 60], list);
    expect(await ends()).toEqual(["review null", "review null"]);
  },
);
