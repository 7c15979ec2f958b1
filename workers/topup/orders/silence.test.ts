import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { createUser } from "../../testing/factories.ts";
import { bench } from "../testing/bench.ts";
import { BOUGHT, FUNDS, lookAt, NOT_BOUGHT, orderCredit } from "../testing/doubts.ts";
import {
  alertsOf,
  booksOf,
  movesOf,
  ordersOf,
  purchasesOf,
  runOrderJob,
  theOrderOf,
} from "../testing/outcomes.ts";
import { dial, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import { settleByHand } from "./by-hand.ts";
import { LISTED, latestPurchases } from "./follow.ts";
import { watchForLatePurchases } from "./foreign.ts";
import type { Order } from "./order.ts";

beforeAll(stockShelves);

const { credit } = SERVICES;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** A purchase of ours that was surely made after the orders in doubt. */
const NEWER_AT = 80 * SECOND;
/** So far ahead that no other test's purchase is newer. */
const ALONE_AT = 20 * HOUR;

const run = (change: ReturnType<typeof sql>) => testContext().db.run(rows(change, z.unknown()));

/** Lists have the purchases for these targets so long after they were made, as seen `laterMs` from then. */
async function lag(lags: readonly (readonly [string, number])[], laterMs: number): Promise<void> {
  for (const [target, lagMs] of lags) {
    await dial(target, { stay: true, ...(lagMs > laterMs && { lagMs: lagMs - laterMs }) });
  }
}

describe("paid orders are as many as purchases, however late lists are", () => {
  it.each([
    ["after 5 minutes", 5 * MINUTE],
    ["after an hour", HOUR],
  ])("%s as a whole, and by up to 5 minutes more for single ones", async (_, whole) => {
    const ways = [
      { own: 200 * SECOND, fault: BOUGHT },
      { own: 375 * SECOND, fault: BOUGHT },
      { own: 0, fault: NOT_BOUGHT },
    ];
    const doubts: { order: Order; lagMs: number }[] = [];
    for (const { own, fault } of ways) {
      const { order } = await orderCredit({ fault });
      doubts.push({ order, lagMs: whole + own });
    }
    const { order: newer } = await orderCredit({ laterMs: NEWER_AT });
    const lags = doubts.map(({ order, lagMs }) => [order.target, lagMs] as const);
    const after = [90, 360, 395, 600].map((seconds) => seconds * SECOND);
    const moments = new Set([...after, ...after.map((ms) => whole + ms)]);
    for (const laterMs of [...moments].sort((a, b) => a - b)) {
      await lag([...lags, [newer.target, whole + NEWER_AT]], laterMs);
      for (const { order } of doubts) await lookAt(order, [laterMs]);
    }
    const ends = doubts.map(async ({ order: { target } }) => {
      const { state, trxid } = await theOrderOf(target);
      const [purchase] = await purchasesOf(target);
      return [state, trxid, purchase?.trxid ?? null];
    });
    for (const [n, [state, trxid, bought]] of (await Promise.all(ends)).entries()) {
      expect([n, state, trxid]).toEqual([n, bought ? "processing" : "failed", bought]);
    }
  });

  it.each([
    ["5 minutes", 5 * MINUTE],
    ["an hour", HOUR],
    ["almost six hours", 5.9 * HOUR],
  ])("by %s, though nothing newer is known", async (_, lagMs) => {
    const { order } = await orderCredit({ fault: BOUGHT, laterMs: ALONE_AT });
    for (const after of [90 * SECOND, 450 * SECOND, 0.9 * HOUR, 5.8 * HOUR, 5.95 * HOUR]) {
      await lag([[order.target, lagMs]], after);
      await lookAt(order, [ALONE_AT + after]);
    }
    const [purchase] = await purchasesOf(order.target);
    expect(await theOrderOf(order.target)).toMatchObject({
      state: "processing",
      trxid: purchase?.trxid,
    });
  });
});

describe("an order that was not bought is refunded", () => {
  const look = (order: Order, at: number) => lookAt(order, [at]);

  it("after 5 minutes of silence beside something newer, and not before", async () => {
    const { user, order } = await orderCredit({ fault: NOT_BOUGHT });
    await orderCredit({ laterMs: NEWER_AT });
    for (const after of [90, 200, 385]) {
      expect(await look(order, after * SECOND)).toMatchObject({ state: "unknown" });
    }
    expect(await look(order, 395 * SECOND)).toMatchObject({ state: "failed" });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });

  it("after 6 hours of silence else, shown as being processed until then", async () => {
    const { user, order } = await orderCredit({ fault: NOT_BOUGHT, laterMs: ALONE_AT });
    for (const hours of [0.03, 0.5, 3, 6]) {
      const waiting = await look(order, ALONE_AT + hours * HOUR);
      expect(waiting).toMatchObject({ state: "unknown", wireState: "PROCESSING" });
    }
    expect(await alertsOf(order)).toEqual(["Riwayat penyedia diam selama sejam"]);
    expect(await look(order, ALONE_AT + 6.1 * HOUR)).toMatchObject({ state: "failed" });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });

  /** A signed callback that names a purchase, while `work` is done. */
  async function named(trxid: string, work: () => Promise<void>) {
    await run(sql`insert into inbox_events (provider, event_key, body, state, received_at, retry_at)
      values ('vip-reseller', ${`${trxid}/success/x`}, '{}', 'parked', now() + interval '30 seconds', now() + interval '1 day')`);
    await work();
    await run(sql`delete from inbox_events where event_key = ${`${trxid}/success/x`}`);
  }

  it("not while a signed callback names a purchase that nobody can tell, though newer ones show", async () => {
    const { order } = await orderCredit({ fault: NOT_BOUGHT });
    await orderCredit({ laterMs: NEWER_AT });
    await named(`NOBODYS${order.number}`, async () => {
      for (const after of [90, 400, 700, 3_000])
        expect(await look(order, after * SECOND)).toMatchObject({ state: "unknown" });
    });
    await look(order, HOUR);
    expect(await look(order, 1.1 * HOUR)).toMatchObject({ state: "failed" });
  });

  it("not after a day of that either: then a person is asked", async () => {
    const { order } = await orderCredit({ fault: NOT_BOUGHT });
    await orderCredit({ laterMs: NEWER_AT });
    await named(`OLD${order.number}`, async () => {
      await run(
        sql`update inbox_events set retry_at = null where event_key = ${`OLD${order.number}/success/x`}`,
      );
      for (const hours of [24.1, 25, 32])
        expect(await look(order, hours * HOUR)).toMatchObject({ state: "unknown" });
    });
    expect(await theOrderOf(order.target)).toMatchObject({
      reviewReason: expect.stringContaining("lack purchases that are known"),
    });
    await look(order, 33 * HOUR);
    expect(await look(order, 33.1 * HOUR)).toMatchObject({ state: "failed" });
  });

  it("but not one that a signed callback names: its status tells it, though no list has it", async () => {
    const { order } = await orderCredit({ fault: BOUGHT });
    await orderCredit({ laterMs: NEWER_AT });
    const [{ trxid } = { trxid: "" }] = await purchasesOf(order.target);
    await lag([[order.target, HOUR]], 0);
    expect(await look(order, 400 * SECOND)).toMatchObject({ state: "unknown" });
    await named(trxid, async () => {
      expect(await look(order, 700 * SECOND)).toMatchObject({ state: "processing", trxid });
    });
  });

  it("with the waiting begun anew after a list that lacks what was bought since", async () => {
    const { order } = await orderCredit({ fault: NOT_BOUGHT });
    const { order: newer } = await orderCredit({ laterMs: NEWER_AT });
    await look(order, 90 * SECOND);
    await lag([[newer.target, HOUR]], 0);
    expect(await look(order, 395 * SECOND)).toMatchObject({ state: "unknown" });
    await lag([[newer.target, 0]], 0);
    expect(await look(order, 400 * SECOND)).toMatchObject({ state: "unknown" });
    expect(await look(order, 690 * SECOND)).toMatchObject({ state: "unknown" });
    expect(await look(order, 705 * SECOND)).toMatchObject({ state: "failed" });
  });
});

describe("a purchase that shows after its order was refunded", () => {
  /** Beyond all that is promised of lists. */
  async function refundedTooEarly() {
    const { user, order } = await orderCredit({ fault: BOUGHT, laterMs: ALONE_AT });
    await lag([[order.target, 100 * HOUR]], 0);
    const moments = [90 * SECOND, 6.1 * HOUR].map((after) => ALONE_AT + after);
    expect(await lookAt(order, moments)).toMatchObject({ state: "failed", trxid: null });
    const [{ trxid } = { trxid: "" }] = await purchasesOf(order.target);
    await lag([[order.target, 0]], 0);
    return { user, order, trxid };
  }

  it("is told to the operator at once, with its order, and moves no money", async () => {
    const { user, order, trxid } = await refundedTooEarly();
    const { ctx } = bench({ laterMs: ALONE_AT + 7 * HOUR, timeoutMs: 3_000 });
    const tenToTheHour = new Date(Math.ceil(ctx.now().getTime() / HOUR) * HOUR);
    await watchForLatePurchases({ ...ctx, now: () => tenToTheHour });
    await latestPurchases(ctx, "prepaid");
    const late = { state: "failed", trxid, reviewReason: expect.stringContaining(trxid) };
    expect(await theOrderOf(order.target)).toMatchObject(late);
    expect(await alertsOf(order)).toEqual(["Pembelian muncul setelah dana dikembalikan"]);
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
    expect(Object.keys(await movesOf(order)).sort()).toEqual(["topup-paid", "topup-refund"]);

    const admin = await createUser(["admin"]);
    const path = `/api/admin/topup/orders?state=review&search=${trxid}`;
    const { body } = await api(path, { token: admin.token });
    expect(body.data.orders).toMatchObject([{ orderNumber: order.number, trxId: trxid }]);
    await settleByHand(ctx, { orderId: order.id, as: "refunded", reason: "dilihat" });
    expect((await api(path, { token: admin.token })).body.data.orders).toEqual([]);
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });

  it("is told, though more than a list of the usual length shows was bought since", async () => {
    const { order, trxid } = await refundedTooEarly();
    await lag([[order.target, 100 * HOUR]], 0);
    const { ctx } = bench({ laterMs: ALONE_AT + 7 * HOUR, timeoutMs: 3_000 });
    const { vipReseller } = ctx.providers;
    for (let n = 0; n < LISTED; n += 1) {
      await vipReseller.createPrepaidOrder({ service: credit.code, target: newPhone() });
    }
    await latestPurchases(ctx, "prepaid");
    await lag([[order.target, 0]], 0);
    const onTheHour = new Date(Math.ceil(ctx.now().getTime() / HOUR) * HOUR);
    await watchForLatePurchases({ ...ctx, now: () => onTheHour });
    expect(await theOrderOf(order.target)).toMatchObject({ state: "failed", trxid });
  });

  it("belongs to the like order that is still in doubt, if there is one", async () => {
    const { order, trxid } = await refundedTooEarly();
    const again = await orderCredit({ target: order.target, fault: NOT_BOUGHT });
    await latestPurchases(bench({ laterMs: 30 * SECOND, timeoutMs: 3_000 }).ctx, "prepaid");
    await runOrderJob(again.order, { laterMs: 90 * SECOND });
    const orders = await ordersOf(order.target);
    expect(orders.map((one) => [one.id === order.id, one.state, one.trxid])).toEqual([
      [false, "processing", trxid],
      [true, "failed", null],
    ]);
    expect(await alertsOf(order)).not.toContain("Pembelian muncul setelah dana dikembalikan");
  });
});

it("of two purchases of a like kind the one bought by hand is not the order's, where its place tells", async () => {
  // What other tests bought ahead of time stands in no order: these alone tell that the list has its newest rows first.
  await run(sql`update topup_orders set matched_at = bought_at where matched_at is null`);
  for (const before of [180, 120, 60])
    await orderCredit({ laterMs: 2 * ALONE_AT - before * SECOND });
  const { order } = await orderCredit({ fault: BOUGHT, laterMs: 2 * ALONE_AT });
  const [{ trxid } = { trxid: "" }] = await purchasesOf(order.target);
  await orderCredit({ target: newPhone(), laterMs: 2 * ALONE_AT + NEWER_AT });
  const { vipReseller } = bench({ timeoutMs: 3_000 }).ctx.providers;
  await vipReseller.createPrepaidOrder({ service: credit.code, target: order.target });
  const found = await lookAt(order, [2 * ALONE_AT + 90 * SECOND]);
  expect(found).toMatchObject({ state: "processing", trxid });
});

it("a list that is always a little late proves what was not bought, while we sell", async () => {
  const at = 4 * ALONE_AT;
  const { user, order } = await orderCredit({ fault: NOT_BOUGHT, laterMs: at });
  const sold: Order[] = [];
  const sell = async (after: number) => {
    const { order: one } = await orderCredit({ laterMs: at + after });
    sold.push(one);
    return one.target;
  };
  await sell(NEWER_AT);
  for (const after of [100, 200, 300, 395, 405]) {
    const latest = await sell((after - 10) * SECOND);
    await lag([[latest, HOUR]], 0);
    expect(await theOrderOf(order.target)).toMatchObject({ state: "unknown" });
    await lookAt(order, [at + after * SECOND]);
    await lag([[latest, 0]], 0);
  }
  expect(await theOrderOf(order.target)).toMatchObject({ state: "failed" });
  expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  // So far ahead they would be newer than all that other tests buy.
  const ids = `{${sold.map(({ id }) => id).join(",")}}`;
  await run(sql`update topup_orders set bought_at = null where id = any (${ids}::uuid[])`);
});
