import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { bench } from "../testing/bench.ts";
import { BOUGHT, FUNDS, lookAt, NOT_BOUGHT, orderCredit } from "../testing/doubts.ts";
import { endsOf, listedRow, lookOf, ordersAt } from "../testing/histories.ts";
import { alertsOf, booksOf, ordersOf, purchasesOf, runOrderJob } from "../testing/outcomes.ts";
import { hand, newPhone, SERVICES, shelve, stockShelves } from "../testing/shop.ts";
import { recordAttempt } from "./attempt.ts";

beforeAll(stockShelves);

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const LOOKS = [80_000, 6.1 * HOUR, 8.5 * HOUR];
const { credit } = SERVICES;

/** One order in doubt for two purchases that fit it equally well; each comes to its end. */
async function twoRows(ends: readonly ["succeed" | "fail", "succeed" | "fail"] | []) {
  const { user, order } = await orderCredit({ fault: BOUGHT });
  const { vipReseller } = bench({ timeoutMs: 3_000 }).ctx.providers;
  await vipReseller.createPrepaidOrder({ service: credit.code, target: order.target });
  const bought = await purchasesOf(order.target);
  for (const [n, end] of ends.entries()) await hand(end, bought[n]?.trxid ?? "");
  return { user, order, trxids: bought.map(({ trxid }) => trxid) };
}

describe("one order for two purchases that fit it equally well", () => {
  it("has one of them where they end alike", async () => {
    const { order, trxids } = await twoRows(["succeed", "succeed"]);
    const found = await lookAt(order, LOOKS);
    expect(found.state).toBe("processing");
    expect(trxids).toContain(found.trxid);
  });

  it("has one of them after a day in which they do not end", async () => {
    const { order } = await twoRows([]);
    expect(await lookAt(order, LOOKS)).toMatchObject({ state: "unknown" });
    expect(await lookAt(order, [25 * HOUR])).toMatchObject({ state: "processing" });
  });

  it("has the one at its price, where no price list has the name of either", async () => {
    const { order } = await orderCredit({ fault: BOUGHT });
    const [own] = await purchasesOf(order.target);
    const { vipReseller } = bench({ timeoutMs: 3_000 }).ctx.providers;
    await vipReseller.createPrepaidOrder({ service: SERVICES.more.code, target: order.target });
    const other = (await purchasesOf(order.target)).find(({ trxid }) => trxid !== own?.trxid);
    await hand("succeed", own?.trxid ?? "");
    await hand("fail", other?.trxid ?? "");
    const twist = (text: string) =>
      text.replaceAll(/"code":"S(10|25)","service":"[^"]*"/g, '"code":"NEW$1","service":"BARU $1"');
    const found = await lookAt(order, LOOKS, twist);
    expect(found).toMatchObject({ state: "processing", trxid: own?.trxid });
  });

  it("is a person's where they end differently: a true tie", async () => {
    const { user, order } = await twoRows(["succeed", "fail"]);
    expect(await lookAt(order, LOOKS)).toMatchObject({ state: "review", refundedAmount: 0 });
    expect(await alertsOf(order)).toContain("Pesanan perlu diperiksa");
    expect(await booksOf(user)).toMatchObject({ escrow: order.amount });
  });
});

it.each([
  ["first", BOUGHT, NOT_BOUGHT],
  ["second", NOT_BOUGHT, BOUGHT],
])(
  "of two buyers between whose orders the price changed, the %s has the purchase at his price",
  async (_, first, second) => {
    const target = newPhone();
    const dearer = { ...credit, supplierPrice: credit.supplierPrice + 300 };
    await shelve(first === BOUGHT ? credit : dearer);
    const one = await orderCredit({ target, fault: first });
    await shelve(first === BOUGHT ? dearer : credit);
    const other = await orderCredit({ target, fault: second });
    await shelve(credit);
    for (const laterMs of [...LOOKS, 15 * HOUR])
      for (const order of await ordersOf(target)) await runOrderJob(order, { laterMs });
    const [bought, lost] = first === BOUGHT ? [one, other] : [other, one];
    const [purchase] = await purchasesOf(target);
    const ended = await ordersOf(target);
    expect(ended.find(({ id }) => id === bought.order.id)).toMatchObject({
      state: "processing",
      trxid: purchase?.trxid,
    });
    expect(ended.find(({ id }) => id === lost.order.id)).toMatchObject({
      state: "failed",
      trxid: null,
    });
    expect(await booksOf(lost.user)).toEqual({ wallet: FUNDS, escrow: 0 });
  },
);

it("one buyer's like orders at two prices keep their money while lists that are never whole show one of them alone", async () => {
  // No purchase is known of the 30 days before, and not as far ahead as histories.test.ts: what is later is newer there.
  const at = Date.now() + 150 * DAY;
  const target = newPhone();
  const ids = await ordersAt(at, [
    { afterMs: 0, target },
    { afterMs: 60_000, target },
  ]);
  const dearer = credit.supplierPrice + 300;
  await testContext().db.run(
    rows(
      sql`update topup_orders set supplier_amount = ${dearer} where id = ${ids[1]}::uuid`,
      z.unknown(),
    ),
  );
  const masked = `${target.slice(0, 4)}****${target.slice(-4)}`;
  const list = [listedRow(`DEARER${crypto.randomUUID()}`, { target: masked, price: dearer })];
  for (const laterMs of [HOUR, 25 * HOUR, 26 * HOUR])
    for (const id of ids)
      await testContext().db.batch(
        lookOf(id, at + laterMs, list, { unreadable: true, seen: true }),
      );
  expect((await endsOf(ids)).filter((end) => end.startsWith("failed"))).toEqual([]);
});

it.each([
  ["two buyers'", "prices that differ, for ours may be older than the supplier's", 220, 2, 300],
  ["a reseller's", "one price, for his customers are many", 225, 1, 0],
])(
  "%s orders for targets that a blacked out one may be are a tie, also at %s",
  async (_, __, days, buyers, more) => {
    const at = Date.now() + days * DAY;
    const target = newPhone();
    const middle = String((Number(target.slice(4, -4)) + 1) % 10 ** (target.length - 8));
    const like = `${target.slice(0, 4)}${middle.padStart(target.length - 8, "0")}${target.slice(-4)}`;
    const [before = "", newer = "", own = ""] = ["BEFORE", "NEWER", "OWN"].map(
      (word) => word + crypto.randomUUID(),
    );
    const tried = [
      { afterMs: 0, target },
      { afterMs: 60_000, target: like },
    ];
    const others = [
      { afterMs: -DAY, trxid: before },
      { afterMs: 0.6 * HOUR, trxid: newer },
    ];
    const his = tried.slice(0, 3 - buyers);
    const ids = [
      ...(await ordersAt(at, [...his, ...others])),
      ...(await ordersAt(at, tried.slice(his.length))),
    ];
    const price = credit.supplierPrice + more;
    await testContext().db.run(
      rows(
        sql`update topup_orders set supplier_amount = ${price} where id = ${ids[1]}::uuid`,
        z.unknown(),
      ),
    );
    const masked = { target: `${target.slice(0, 4)}****${target.slice(-4)}`, price };
    const list = [listedRow(newer), listedRow(own, masked), listedRow(before)];
    for (const hours of [0.7, 0.8, 8])
      for (const id of ids)
        await testContext().db.batch(lookOf(id, at + hours * HOUR, list, { seen: true }));
    expect(await endsOf(ids)).toEqual(["review null", "review null"]);
  },
);

it("two buyers' orders for one purchase that failed are no tie: both get their money back", async () => {
  const target = newPhone();
  const buyers = [];
  for (const fault of [BOUGHT, NOT_BOUGHT])
    buyers.push((await orderCredit({ target, fault })).user);
  const [purchase] = await purchasesOf(target);
  await hand("fail", purchase?.trxid ?? "");
  for (const laterMs of LOOKS)
    for (const order of await ordersOf(target)) await runOrderJob(order, { laterMs });
  const orders = await ordersOf(target);
  expect(orders.map(({ state }) => state).sort()).toEqual(["failed", "processing"]);
  const absent = orders.find(({ state }) => state === "failed");
  const user = buyers.find(({ userId }) => userId === absent?.userId);
  if (!user) throw new Error("nobody was refunded");
  expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
});

/** What is sold so long later, and delivered at once. */
async function sold(laterMs: number): Promise<void> {
  const { order } = await orderCredit({ laterMs });
  const ends = JSON.stringify([{ id: order.id, state: "success" }]);
  const ended = JSON.stringify({ now: new Date(Date.now() + laterMs + 5_000) });
  await testContext().db.run(
    rows(sql`select topup_orders_end(${ends}::jsonb, ${ended}::jsonb)`, z.unknown()),
  );
}

/** Two buyers' orders for one target, and between them one for another that was bought. */
async function apart(faults: { first: object; second: object }) {
  const target = newPhone();
  // With what is sold between them it tells which end of the list is the newest; what was sold by clocks that run ahead, the
  // other one.
  await sold(0);
  const ahead = sql`update topup_orders set matched_at = bought_at where attempt_at > now() and matched_at is null`;
  await testContext().db.run(rows(ahead, z.unknown()));
  const { user: earlier, order } = await orderCredit({ target, fault: { ...faults.first } });
  await sold(80_000);
  const { user: later } = await orderCredit({
    target,
    fault: { ...faults.second },
    laterMs: 120_000,
  });
  for (const laterMs of [205_000, 570_000]) await runOrderJob(order, { laterMs });
  const [own] = await purchasesOf(target);
  const states = async () => (await ordersOf(target)).map(({ state, trxid }) => ({ state, trxid }));
  const lookAtLater = async () => {
    const found = (await ordersOf(target)).find(({ userId }) => userId === later.userId);
    if (!found) throw new Error("no later order");
    for (const laterMs of [580_000, 7 * HOUR]) await runOrderJob(found, { laterMs });
    return found;
  };
  const mine = { state: "processing", trxid: own?.trxid ?? null };
  return { earlier, later, order, states, lookAtLater, mine };
}

it("an order that was tried after a purchase was made is no rival for it, though nobody listed it meanwhile", async () => {
  const { later, order, ...both } = await apart({ first: BOUGHT, second: NOT_BOUGHT });
  expect(await both.states()).toEqual([both.mine, { state: "unknown", trxid: null }]);
  expect(await alertsOf(order)).toEqual([]);

  await both.lookAtLater();
  expect(await both.states()).toEqual([both.mine, { state: "failed", trxid: null }]);
  expect(await booksOf(later)).toEqual({ wallet: FUNDS, escrow: 0 });
});

it("a purchase that was made after another order's time is that of the one tried then", async () => {
  const { earlier, order, ...both } = await apart({ first: NOT_BOUGHT, second: BOUGHT });
  // While the other may still have another purchase, this one is not refunded.
  const doubted = { state: "unknown", trxid: null };
  expect(await both.states()).toEqual([doubted, doubted]);

  const later = await both.lookAtLater();
  await runOrderJob(order, { laterMs: 7.1 * HOUR });
  expect(await both.states()).toEqual([{ state: "failed", trxid: null }, both.mine]);
  expect(await booksOf(earlier)).toEqual({ wallet: FUNDS, escrow: 0 });
  expect([await alertsOf(order), await alertsOf(later)]).toEqual([[], []]);
});

it("a tie that no person has decided yet is no tie of a later order", async () => {
  const target = newPhone();
  const lookAtAll = async (fromMs: number) => {
    for (const laterMs of LOOKS)
      for (const order of await ordersOf(target))
        await runOrderJob(order, { laterMs: fromMs + laterMs });
  };
  for (const fault of [BOUGHT, NOT_BOUGHT]) await orderCredit({ target, fault });
  await lookAtAll(0);
  expect((await ordersOf(target)).map(({ state }) => state)).toEqual(["review", "review"]);

  const { order } = await orderCredit({ target, fault: BOUGHT, laterMs: 10 * HOUR });
  await lookAtAll(10 * HOUR);
  const found = (await ordersOf(target)).find(({ id }) => id === order.id);
  const own = (await purchasesOf(target)).at(-1);
  expect(found).toMatchObject({ state: "processing", trxid: own?.trxid });
  // So far ahead it would be newer than all that other tests buy.
  const forgotten = sql`update topup_orders set bought_at = null where id = ${order.id}`;
  await testContext().db.run(rows(forgotten, z.unknown()));
});

it("an order that is answered with another's purchase is in doubt, and its own is found", async () => {
  const { order: other } = await orderCredit();
  const { order } = await orderCredit({ fault: BOUGHT });
  const { ctx, settle } = bench({ timeoutMs: 3_000 });
  const [purchase] = await ctx.providers.vipReseller.getPrepaidOrderStatus({
    trxid: other.trxid ?? "",
  });
  if (!purchase) throw new Error("no purchase");
  expect(await recordAttempt(ctx, order, { kind: "accepted", purchase })).toMatchObject({
    state: "unknown",
    trxid: null,
  });
  await settle();
  expect(await alertsOf(order)).toEqual(["Jawaban dengan pembelian pesanan lain"]);
  const [own] = await purchasesOf(order.target);
  expect(await lookAt(order, [80_000])).toMatchObject({ state: "processing", trxid: own?.trxid });
});
