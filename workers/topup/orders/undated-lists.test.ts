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

/** One buyer's order each; two purchases are known from the days before, and one from three minutes later. */
async function doubts(tried: readonly TriedOrder[]) {
  begun += 40 * DAY;
  const at = begun;
  const [old, before, newer] = [trxid(), trxid(), trxid()];
  await ordersAt(at, [
    { afterMs: -2 * DAY, trxid: old },
    { afterMs: -DAY, trxid: before },
    { afterMs: 3 * MINUTE, trxid: newer },
  ]);
  const ids: string[] = [];
  for (const order of tried) ids.push(...(await ordersAt(at, [order])));
  const look = async (minutes: readonly number[], list: readonly object[]) => {
    for (const minute of minutes)
      for (const id of ids)
        await testContext().db.batch(lookOf(id, at + minute * MINUTE, list, { seen: true }));
  };
  const ends = async () => await Promise.all(ids.map(async (id) => (await endsOf([id]))[0]));
  const [first, second, last] = [old, before, newer].map((one) => listedRow(one));
  return { old: first ?? {}, before: second ?? {}, newer: last ?? {}, look, ends };
}

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
