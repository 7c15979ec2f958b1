import { sql } from "drizzle-orm";
import { beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { endsOf, listedRow, lookOf, ordersAt } from "../testing/histories.ts";
import { newPhone, stockShelves } from "../testing/shop.ts";

beforeAll(stockShelves);

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
const trxid = () => `TURN${crypto.randomUUID()}`;

/** After the purchases of copies.test.ts, and before those of histories.test.ts. */
let begun = Date.now() + 259 * DAY;

/** One buyer's order each, tried so long after the first; something was sold before them and so long after. */
async function doubts(tried: readonly { afterMs: number; target: string }[], newerMs: number) {
  begun += 3 * DAY;
  const at = begun;
  const [before, newer] = [trxid(), trxid()];
  const sold = [
    { afterMs: -DAY, trxid: before },
    { afterMs: newerMs, trxid: newer },
  ];
  const ids: string[] = [];
  for (const [n, order] of tried.entries())
    ids.push(...(await ordersAt(at, n === 0 ? [order, ...sold] : [order])));
  const look = async (minutes: number, list: readonly object[], orders = ids) => {
    for (const id of orders)
      await testContext().db.batch(lookOf(id, at + minutes * MINUTE, list, { seen: true }));
  };
  const ends = async () => await Promise.all(ids.map(async (id) => (await endsOf([id]))[0]));
  return { ids, before: listedRow(before), newer: listedRow(newer), look, ends };
}

it("rows that several buyers' orders could change are theirs as the list has them, not as few could have them", async () => {
  const start = newPhone().slice(0, 8);
  const tried = [`${start}5011`, `${start}5022`, `${start}9011`].map((target, n) => ({
    afterMs: n * 200 * SECOND,
    target,
  }));
  const { before, newer, look, ends } = await doubts(tried, 600 * SECOND);
  const own = [trxid(), trxid(), trxid()];
  // The first may be any one's, the second two orders', the third one's.
  const shown = [`${start}****`, `${start}50**`, `${start}90**`].map((target, n) =>
    listedRow(own[n] ?? "", { target, outcome: n === 1 ? "failed" : "success" }),
  );
  for (const minutes of [11, 17, 18]) await look(minutes, [newer, ...shown.toReversed(), before]);
  expect(await ends()).toEqual(own.map((one) => `processing ${one}`));
});

it("where a row stands is no plain word: who was tried later waits for its own, which shows late", async () => {
  const target = newPhone();
  const tried = [
    { afterMs: 0, target },
    { afterMs: 130 * SECOND, target },
  ];
  const { ids, before, newer, look, ends } = await doubts(tried, 90 * SECOND);
  const [firsts, seconds] = [trxid(), trxid()];
  const late = [listedRow(firsts, { target }), newer, before];
  await look(1.7, [newer, before], ids.slice(0, 1));
  await look(2.75, late, ids.slice(1));
  for (const minutes of [3, 5, 6.7]) await look(minutes, late, ids.slice(0, 1));
  expect(await ends()).toEqual(["unknown null", "unknown null"]);
  for (const minutes of [8, 9]) await look(minutes, [listedRow(seconds, { target }), ...late]);
  expect(await ends()).toEqual([`processing ${firsts}`, `processing ${seconds}`]);
});

it("a row that was listed before what stands behind it was tried tells that places tell nothing", async () => {
  const start = newPhone().slice(0, 8);
  const tried = [{ afterMs: 0, target: `${start}5011` }];
  const { before, newer, look, ends } = await doubts(tried, 10 * MINUTE);
  const [own, past] = [trxid(), trxid()];
  const shown = (id: string, outcome: string) => listedRow(id, { target: `${start}****`, outcome });
  await look(2, [shown(own, "open"), before]);
  // By when they last changed: the one past us would stand where the order's own has to, and end otherwise.
  const changed = [shown(own, "failed"), newer, shown(past, "success"), before];
  for (const minutes of [12, 18, 19]) await look(minutes, changed);
  expect(await ends()).toEqual(["review null"]);
});

it.each([
  ["as long as asked for", true],
  ["all that was ever sold", false],
])(
  "what stands behind what had ended is no order's though an old one has changed since: %s",
  async (_, isFull) => {
    const target = newPhone();
    const { ids, before, newer } = await doubts([{ afterMs: 0, target }], 3 * MINUTE);
    const [id = ""] = ids;
    const [old, last, changed] = [trxid(), trxid(), trxid()];
    await ordersAt(begun, [
      { afterMs: -2 * DAY, trxid: old },
      { afterMs: -10 * MINUTE, trxid: last },
    ]);
    const look = (minutes: number, list: readonly object[]) =>
      testContext().db.batch(
        lookOf(id, begun + minutes * MINUTE, list, {
          seen: true,
          asked: isFull ? list.length : 100,
        }),
      );
    await look(-30, [listedRow(changed, { outcome: "open" }), before]);
    await look(-2, [listedRow(changed), listedRow(last), before]);
    // For the same number, of long ago: a longer list is the first to show it.
    const past = listedRow(trxid(), { target });
    const list = [newer, listedRow(changed), listedRow(last), before, past, listedRow(old)];
    for (const minutes of [4, 10]) await look(minutes, list);
    expect(await endsOf([id])).toEqual(["failed null"]);
  },
);

it.each([0, 1])(
  "two buyers' tokens that nothing tells apart are a person's to give, with %d purchases made past us beside them",
  async (past) => {
    const tried = ["1234567", "1234568"].map((start, n) => ({
      afterMs: n * 10 * SECOND,
      target: `${start}0001`,
    }));
    const { ids, before, newer, look, ends } = await doubts(tried, 5 * MINUTE);
    await testContext().db.run(
      rows(
        sql`update topup_orders set target_kind = 'pln_meter' where id = any (${`{${ids.join(",")}}`}::uuid[])`,
        z.unknown(),
      ),
    );
    const shown = Array.from({ length: 2 + past }, () =>
      listedRow(trxid(), { target: "123456****1" }),
    );
    for (const minutes of [6, 12, 13]) await look(minutes, [newer, ...shown, before]);
    expect(await ends()).toEqual(["review null", "review null"]);
  },
);

it("one buyer's two attempts at once do not make a tie of what the list's order tells of two buyers", async () => {
  const target = newPhone();
  const tried = [0, 10_000, 5 * MINUTE].map((afterMs) => ({ afterMs, target }));
  const { ids, before, newer, look, ends } = await doubts(tried, 8 * MINUTE);
  await testContext().db.run(
    rows(
      sql`update topup_orders set user_id = (select user_id from topup_orders where id = ${ids[0]}::uuid)
        where id = ${ids[1]}::uuid`,
      z.unknown(),
    ),
  );
  const shown = ["open", "success", "failed"].map((outcome) =>
    listedRow(trxid(), { target, outcome }),
  );
  for (const minutes of [9, 15, 16]) await look(minutes, [newer, ...shown.toReversed(), before]);
  expect((await ends()).at(-1)).toBe(`processing ${shown.at(-1)?.trxid}`);
  expect((await ends()).filter((end) => end?.startsWith("processing"))).toHaveLength(3);
});
