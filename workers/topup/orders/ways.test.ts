import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { call, rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { endsOf, listedRow, lookOf, ordersAt, type TriedOrder } from "../testing/histories.ts";
import { newPhone, SERVICES, stockShelves } from "../testing/shop.ts";

beforeAll(stockShelves);

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
const trxid = () => `WAY${crypto.randomUUID()}`;

/** After the purchases of list-order.test.ts, and before those of histories.test.ts. */
let begun = Date.now() + 275 * DAY;

/** Orders of a buyer each, who may have several; something was sold a day before the first, and ten minutes after it. */
async function doubts(buyers: readonly (readonly TriedOrder[])[]) {
  begun += 3 * DAY;
  const at = begun;
  const [before, newer] = [trxid(), trxid()];
  await ordersAt(at, [
    { afterMs: -DAY, trxid: before },
    { afterMs: 10 * MINUTE, trxid: newer },
  ]);
  const ids: string[] = [];
  for (const tried of buyers) ids.push(...(await ordersAt(at, tried)));
  const look = async (minutes: readonly number[], list: readonly object[]) => {
    for (const minute of minutes)
      for (const id of ids)
        await testContext().db.batch(lookOf(id, at + minute * MINUTE, list, { seen: true }));
  };
  const ends = async () => await Promise.all(ids.map(async (id) => (await endsOf([id]))[0]));
  return { at, ids, before: listedRow(before), newer: listedRow(newer), look, ends };
}

/** As if the supplier had asked less when this one was tried. */
const makeCheaper = (id = "") =>
  testContext().db.run(
    rows(
      sql`update topup_orders set supplier_amount = supplier_amount - 100 where id = ${id}::uuid`,
      z.unknown(),
    ),
  );

describe("before a person is asked, all ways in which the rows can have been bought are tried", () => {
  it("who was tried before the others has the row that was made before theirs, though they are a tie", async () => {
    const target = newPhone();
    const { before, newer, look, ends } = await doubts(
      [0, 140, 170].map((seconds) => [{ afterMs: seconds * SECOND, target }]),
    );
    const shown = ["failed", "failed", "success"].map((outcome) =>
      listedRow(trxid(), { target, outcome }),
    );
    await look([11, 17, 18], [newer, ...shown.toReversed(), before]);
    expect(await ends()).toEqual([`processing ${shown[0]?.trxid}`, "review null", "review null"]);
  });

  it("orders are settled where each way comes to the same for each buyer", async () => {
    const target = newPhone();
    const { before, newer, look, ends } = await doubts([
      [{ afterMs: 0, target }],
      [
        { afterMs: 2 * MINUTE, target },
        { afterMs: 4 * MINUTE, target },
      ],
    ]);
    const [back, kept] = [trxid(), trxid()];
    const shown = [listedRow(kept, { target }), listedRow(back, { target, outcome: "failed" })];
    await look([11, 17, 18], [newer, ...shown, before]);
    expect((await ends()).slice(0, 1)).toEqual([`processing ${back}`]);
    expect((await ends()).slice(1).sort()).toEqual(["failed null", `processing ${kept}`]);
  });

  it("an order at a price at which nothing was bought is none of a tie of others", async () => {
    const target = newPhone();
    const { ids, before, newer, look, ends } = await doubts(
      [0, 1, 2].map((minutes) => [{ afterMs: minutes * MINUTE, target }]),
    );
    await makeCheaper(ids[2]);
    await look([11, 17, 18, 19], [newer, listedRow(trxid(), { target }), before]);
    expect(await ends()).toEqual(["review null", "review null", "failed null"]);
  });
});

it("of two buyers' orders at one price, whose rows end differently, the price of a third one tells nothing", async () => {
  const target = newPhone();
  const { ids, before, newer, look, ends } = await doubts(
    [0, 180, 200].map((seconds) => [{ afterMs: seconds * SECOND, target }]),
  );
  await makeCheaper(ids[0]);
  const shown = ["failed", "success"].map((outcome) => listedRow(trxid(), { target, outcome }));
  await look([11, 17, 18, 19], [newer, ...shown, before]);
  expect(await ends()).toEqual(["failed null", "review null", "review null"]);
});

it("a list that is not in the order in which purchases were made tells nobody's turn", async () => {
  const target = newPhone();
  const { at, before, newer, look, ends } = await doubts(
    [0, 3].map((minutes) => [{ afterMs: minutes * MINUTE, target }]),
  );
  const [early, late] = [trxid(), trxid()];
  await ordersAt(at, [
    { afterMs: -5 * MINUTE, trxid: early },
    { afterMs: 2 * MINUTE, trxid: late },
  ]);
  const list = [listedRow(trxid(), { target }), listedRow(early), listedRow(late)];
  await look([11, 17, 18, 19], [newer, ...list, before]);
  expect(await ends()).toEqual(["review null", "review null"]);
});

/** Another service of credit; when it cost as much as the first one, until then. */
async function shelveOther(name: string, supplierPrice: number, until?: Date): Promise<string> {
  const { credit } = SERVICES;
  const [added] = await testContext().db.run(
    rows(
      sql`with other as (
          insert into topup_services (family, code, name, brand, target_kind, supplier_price, price, status)
          values ('prepaid', ${crypto.randomUUID()}, ${name}, 'UJI', 'phone', ${supplierPrice}, 90000, 'available')
          returning id, supplier_price, price),
        changed as (
          insert into topup_price_history (service_id, old_supplier_price, supplier_price, old_price, price, created_at)
          select o.id, ${credit.supplierPrice}, o.supplier_price, o.price, o.price, ${until?.toISOString() ?? null}::timestamptz
          from other o where ${until !== undefined})
        select id from other`,
      z.object({ id: z.string() }),
    ),
  );
  return added?.id ?? "";
}

it("a row under another service's name, at what that one cost until a sync of the same day, is not the order's", async () => {
  const target = newPhone();
  const { before, newer, look, ends } = await doubts([[{ afterMs: 0, target }]]);
  const name = `Pulsa ${crypto.randomUUID()}`;
  await shelveOther(name, SERVICES.credit.supplierPrice + 300, new Date(begun + MINUTE));
  const others = listedRow(trxid(), { target, code: null, service: name });
  await look([11, 17, 200], [newer, others, before]);
  expect(await ends()).toEqual(["failed null"]);
});

it("an order that a row fits worse, though at its price, takes no purchase from a tie of two others", async () => {
  const target = newPhone();
  const { ids, before, newer, look, ends } = await doubts(
    [0, 1, 2].map((minutes) => [{ afterMs: minutes * MINUTE, target }]),
  );
  const { supplierPrice } = SERVICES.credit;
  const name = `Pulsa ${crypto.randomUUID()}`;
  const own = await shelveOther(name, supplierPrice);
  const dearer = await shelveOther(`${name} plus`, supplierPrice + 100);
  for (const [n, service] of [own, own, dearer].entries())
    await testContext().db.run(
      rows(
        sql`update topup_orders o set service_id = s.id, code = s.code, service_name = s.name, supplier_amount = s.supplier_price
          from topup_services s where s.id = ${service}::uuid and o.id = ${ids[n]}::uuid`,
        z.unknown(),
      ),
    );
  const more = { target, code: null, service: name, price: supplierPrice + 100 };
  await look([11, 17, 18, 19], [newer, listedRow(trxid(), more), before]);
  expect(await ends()).toEqual(["review null", "review null", "unknown null"]);
});

it("a purchase that a list has shown, and that others lack, is not given up for one made past us, however long it takes", async () => {
  const masked = (start: string) => `${start}****7890`;
  const start = newPhone().slice(0, 4);
  const { before, newer, look, ends } = await doubts([[{ afterMs: 0, target: `${start}117890` }]]);
  const shown = () => listedRow(trxid(), { target: masked(start), outcome: "open" });
  const [own, past] = [shown(), shown()];
  await look([3], [own, before]);
  await look([1_450, 1_500, 1_600], [past, newer, before]);
  expect(await ends()).toEqual(["unknown null"]);
});

it("a purchase that the supplier's answer told of, late, stays that order's: a later one does not get it by a row made past us", async () => {
  const target = newPhone();
  const { at, before, newer, look, ends } = await doubts([[{ afterMs: 5 * MINUTE, target }]]);
  const [answered, sold] = [trxid(), trxid()];
  await ordersAt(at, [
    { afterMs: 0, target, trxid: answered, learntMs: 8 * MINUTE },
    { afterMs: 3 * MINUTE, trxid: sold },
  ]);
  const past = listedRow(trxid(), { target });
  const list = [newer, listedRow(answered, { target }), listedRow(sold), past, before];
  await look([11, 17, 18], list);
  // The operator hears of it, as of one that showed too late.
  expect(await ends()).toEqual([`failed ${past.trxid}`]);
});

it("a purchase for the same target that a list lacks holds up one that it plainly shows, and for a day at most", async () => {
  const target = newPhone();
  const { at, before, newer, look, ends } = await doubts([[{ afterMs: 0, target }]]);
  const [own, others] = [listedRow(trxid(), { target }), listedRow(trxid(), { target })];
  const seen_at = new Date(at + 2 * MINUTE).toISOString();
  const noted = { family: "prepaid", seen_at, rows: [others, own], alert_to: "ops@x.id" };
  await testContext().db.run(call("topup_sightings_note", noted, z.unknown()));
  await look([3, 11, 17, 1_400], [newer, own, before]);
  expect(await ends()).toEqual(["unknown null"]);
  await look([1_450], [newer, own, before]);
  expect(await ends()).toEqual([`processing ${own.trxid}`]);
});

it("one buyer's order is not refunded before the one that he tried before it is decided: a purchase may be named to that one alone", async () => {
  const target = newPhone();
  const masked = `${target.slice(0, 4)}****${target.slice(-4)}`;
  const { at, ids, before, newer, ends } = await doubts([
    [0, 1, 2].map((minutes) => ({ afterMs: minutes * MINUTE, target })),
  ]);
  const between = trxid();
  await ordersAt(at, [{ afterMs: 84 * SECOND, trxid: between }]);
  const row = () => listedRow(trxid(), { target: masked });
  const [first, second, third] = [row(), row(), row()];
  const [one = "", two = "", three = ""] = ids;
  const lookOne = (id: string, minute: number, list: readonly object[]) =>
    testContext().db.batch(lookOf(id, at + minute * MINUTE, list, { seen: true }));
  /** Before the third order was tried, which therefore does not ask about it. */
  const toSecond = { ...second, named_at: new Date(at + 90 * SECOND).toISOString() };
  for (const minute of [11, 17, 18, 19]) {
    await lookOne(two, minute, [toSecond, newer, third, listedRow(between), before]);
    await lookOne(three, minute, [newer, third, listedRow(between), before]);
  }
  expect(await ends()).toEqual(["unknown null", `processing ${third.trxid}`, "unknown null"]);
  for (const minute of [30, 36, 37])
    for (const id of [one, three])
      await lookOne(id, minute, [newer, third, listedRow(between), second, first, before]);
  expect((await ends()).every((end) => end?.startsWith("processing"))).toBe(true);
});
