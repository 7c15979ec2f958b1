import { sql } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { forgetCallbacks, nameByCallback, type Twist, unlisted } from "../testing/answers.ts";
import { bench } from "../testing/bench.ts";
import { BOUGHT, FUNDS, NOT_BOUGHT, orderCredit } from "../testing/doubts.ts";
import { alertsOf, booksOf, ordersOf, purchasesOf, runOrderJob } from "../testing/outcomes.ts";
import { hand, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import { settleByHand } from "./by-hand.ts";

// What a test bought ahead of the time is newer than the next one's orders no more.
beforeEach(stockShelves);
afterEach(forgetCallbacks);

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
/** After every attempt's lease, and 5 minutes later: silence beside something newer is believed. */
const LOOKS = [205 * SECOND, 570 * SECOND];
const { credit } = SERVICES;

const statesOf = async (target: string) =>
  (await ordersOf(target)).map(({ state, trxid }) => ({ state, trxid }));

/** Buys past us; the new purchase. */
async function buyPast(target: string): Promise<string> {
  const before = new Set((await purchasesOf(target)).map(({ trxid }) => trxid));
  const { vipReseller } = bench({ timeoutMs: 3_000 }).ctx.providers;
  await vipReseller.createPrepaidOrder({ service: credit.code, target });
  const bought = (await purchasesOf(target)).find(({ trxid }) => !before.has(trxid));
  return bought?.trxid ?? "";
}

/** Two buyers' orders for one target at 0 and 120 s, and at 80 s one for another that is bought and listed. */
async function apart(second: Record<string, unknown>) {
  const target = newPhone();
  const { user: earlier, order: first } = await orderCredit({ target, fault: { ...BOUGHT } });
  await orderCredit({ laterMs: 80 * SECOND });
  const fault = { ...second };
  const { user: later } = await orderCredit({ target, fault, laterMs: 120 * SECOND });
  const last = (await ordersOf(target)).find(({ userId }) => userId === later.userId);
  if (!last) throw new Error("no later order");
  const trxids = (await purchasesOf(target)).map(({ trxid }) => trxid);
  const look = async (order: typeof first, moments: readonly number[]) => {
    for (const laterMs of moments)
      await runOrderJob(order, { laterMs, twist: unlisted(trxids), timeoutMs: 3_000 });
  };
  return { target, earlier, later, first, last, trxids, look };
}

describe("a purchase that a callback alone names, of one of two buyers' orders", () => {
  it("is that of the one tried before it came, beside whatever newer ones are listed", async () => {
    const { target, later, first, last, trxids, look } = await apart(NOT_BOUGHT);
    await nameByCallback(trxids[0] ?? "", 110 * SECOND);
    await look(first, LOOKS);
    const mine = { state: "processing", trxid: trxids[0] };
    expect(await statesOf(target)).toEqual([mine, { state: "unknown", trxid: null }]);

    await look(last, [580 * SECOND, 7 * HOUR]);
    expect(await statesOf(target)).toEqual([mine, { state: "failed", trxid: null }]);
    expect(await booksOf(later)).toEqual({ wallet: FUNDS, escrow: 0 });
    expect([await alertsOf(first), await alertsOf(last)]).toEqual([[], []]);
  });

  it("is plainly its own, where the callback came long before the other was tried", async () => {
    const { target, first, trxids, look } = await apart(NOT_BOUGHT);
    await nameByCallback(trxids[0] ?? "", 30 * SECOND);
    await look(first, LOOKS.slice(0, 1));
    const mine = { state: "processing", trxid: trxids[0] };
    expect(await statesOf(target)).toEqual([mine, { state: "unknown", trxid: null }]);
  });

  it("is nobody's own, where the callback came after both: nobody is refunded, a person is asked", async () => {
    const { target, earlier, first, last, trxids, look } = await apart(NOT_BOUGHT);
    await nameByCallback(trxids[0] ?? "", 150 * SECOND);
    await look(first, LOOKS);
    // The other one's own purchase may show still, until its silence is believed as well.
    const doubted = { state: "unknown", trxid: null };
    expect(await statesOf(target)).toEqual([doubted, doubted]);
    await look(last, [580 * SECOND, 7 * HOUR]);
    await look(first, [7 * HOUR]);
    const tied = { state: "review", trxid: null };
    expect(await statesOf(target)).toEqual([tied, tied]);
    expect(await booksOf(earlier)).toEqual({ wallet: FUNDS - credit.price, escrow: credit.price });
  });

  it("is whose a person says, who leaves the other order to the lists", async () => {
    const { target, earlier, later, first, last, trxids, look } = await apart(NOT_BOUGHT);
    await nameByCallback(trxids[0] ?? "", 150 * SECOND);
    await look(first, LOOKS);
    await look(last, [580 * SECOND, 7 * HOUR]);
    await look(first, [7 * HOUR]);
    const tied = { state: "review", trxid: null };
    expect(await statesOf(target)).toEqual([tied, tied]);
    const word = { orderId: first.id, as: "success", reason: "kata penyedia" } as const;
    await settleByHand(bench().ctx, { ...word, trxid: trxids[0] });

    await look(last, [8 * HOUR, 15 * HOUR, 40 * HOUR]);
    expect(await statesOf(target)).toEqual([
      { state: "success", trxid: trxids[0] },
      { state: "failed", trxid: null },
    ]);
    expect(await booksOf(earlier)).toEqual({ wallet: FUNDS - credit.price, escrow: 0 });
    expect(await booksOf(later)).toEqual({ wallet: FUNDS, escrow: 0 });
  });

  it("leaves the listed one to who was tried after it came", async () => {
    const { target, earlier, last, trxids } = await apart(BOUGHT);
    const [named = "", listed] = trxids;
    await nameByCallback(named, 110 * SECOND);
    await runOrderJob(last, { laterMs: 205 * SECOND, twist: unlisted([named]), timeoutMs: 3_000 });
    expect(await statesOf(target)).toEqual([
      { state: "unknown", trxid: null },
      { state: "processing", trxid: listed },
    ]);
    expect(await booksOf(earlier)).toMatchObject({ escrow: credit.price });
  });

  it.each([1, 2, 3])(
    "is each its own, where both were bought: the first named is the first's",
    async () => {
      const { target, first, last, trxids, look } = await apart(BOUGHT);
      for (const [n, trxid] of trxids.entries())
        await nameByCallback(trxid, (110 + 40 * n) * SECOND);
      await look(first, LOOKS);
      await look(last, [580 * SECOND, 7 * HOUR]);
      expect(await statesOf(target)).toEqual(
        trxids.map((trxid) => ({ state: "processing", trxid })),
      );
    },
  );
});

describe("one buyer's order for two purchases, of which one was made past us and a callback names the other", () => {
  /** `newerFirst`: what is newer than the order was bought before the one past us. */
  async function twice(newerFirst: boolean) {
    const { order } = await orderCredit({ fault: { ...BOUGHT } });
    const own = (await purchasesOf(order.target))[0]?.trxid ?? "";
    const newer = () => orderCredit({ laterMs: 80 * SECOND });
    if (newerFirst) await newer();
    const past = await buyPast(order.target);
    if (!newerFirst) await newer();
    await nameByCallback(own, 60 * SECOND);
    const twist = unlisted([own]);
    const look = async (moments: readonly number[], says: Twist = (text) => text) => {
      const both: Twist = (text) => says(twist(text));
      for (const laterMs of moments)
        await runOrderJob(order, { laterMs, twist: both, timeoutMs: 3_000 });
      return (await ordersOf(order.target))[0];
    };
    return { order, own, past, look };
  }

  /** What the supplier says when it is asked about this one by its id. */
  const SILENT = { result: false, data: null, message: "Sistem Bentrok, coba lagi nanti!" };
  const says =
    (trxid: string, answer: object): Twist =>
    (text) => {
      const { data } = JSON.parse(text);
      const isAsked = Array.isArray(data) && data.length === 1 && data[0].trxid === trxid;
      return isAsked ? JSON.stringify(answer) : text;
    };

  it("is not plainly the listed one for standing behind what is newer", async () => {
    const { order, own, past, look } = await twice(false);
    expect(await look([90 * SECOND])).toMatchObject({ state: "unknown", trxid: null });
    await hand("succeed", own);
    await hand("fail", past);
    expect(await look([400 * SECOND])).toMatchObject({ state: "review", refundedAmount: 0 });
    expect(await alertsOf(order)).toEqual(["Pesanan perlu diperiksa"]);
  });

  it("is neither, while the supplier does not answer about the named one", async () => {
    const { own, look } = await twice(true);
    expect(await look([90 * SECOND], says(own, SILENT))).toMatchObject({
      state: "unknown",
      trxid: null,
    });
    expect(await look([95 * SECOND])).toMatchObject({ state: "processing", trxid: own });
  });

  it.each([
    { result: false, data: null, message: "Transaksi tidak ditemukan" },
    { result: false, data: null, message: "Kata yang belum pernah terdengar" },
    { result: true, data: null, message: "" },
    { result: true, data: [{ trxid: null, status: null }], message: "" },
  ])("is the listed one, where the supplier says no more of the named one: %j", async (answer) => {
    const { own, past, look } = await twice(true);
    expect(await look([90 * SECOND], says(own, answer))).toMatchObject({ trxid: past });
  });

  it("is the listed one an hour later, though the supplier still does not answer", async () => {
    const { own, past, look } = await twice(true);
    expect(await look([62 * 60 * SECOND], says(own, SILENT))).toMatchObject({ trxid: past });
  });

  it("is the named one, where the listed one stands before what is newer", async () => {
    const { own, look } = await twice(true);
    expect(await look([90 * SECOND])).toMatchObject({ state: "processing", trxid: own });
  });
});

describe("a list shows nothing of what a callback alone names", () => {
  /** What the function says to an order of now and a list of 100 at most, beside which callbacks named these. */
  async function told(
    verdict: ReturnType<typeof sql>,
    trxids: readonly string[],
    more: object = {},
  ) {
    const at = (ms: number) => new Date(Date.now() + ms);
    const o = { family: "prepaid", attempt_at: at(0), attempt_until: at(2 * HOUR), ...more };
    const named = trxids.map((trxid) => ({ trxid, named_at: at(SECOND) }));
    const input = { rows: named, asked: trxids.length, asked_at: at(HOUR) };
    const [row] = await testContext().db.run(
      rows(
        sql`select ${verdict} as told
          from jsonb_populate_record(null::topup_orders, ${JSON.stringify(o)}::jsonb) o,
            lateral (select ${JSON.stringify(input)}::jsonb as input) i`,
        z.object({ told: z.boolean() }),
      ),
    );
    return row?.told;
  }
  const bought = async (laterMs = 80 * SECOND) =>
    (await orderCredit({ laterMs })).order.trxid ?? "";

  it("so it may be all that was ever sold", async () => {
    const family = crypto.randomUUID();
    expect(await told(sql`topup_is_whole_list(o, i.input)`, ["NAMED"], { family })).toBe(true);
  });

  it("so it is dead without anything else of ours", async () => {
    const known = [await bought(), await bought()];
    expect(await told(sql`topup_is_dead_list(o, i.input)`, known)).toBe(true);
  });

  it("so it ends no silence", async () => {
    const since = { absent_since: new Date(), newer_since: new Date() };
    const verdict = sql`topup_silence_is_believed(o, i.input, 'whole')`;
    expect(await told(verdict, [await bought()], since)).toBe(false);
  });

  it("so it lacks what was bought before that", async () => {
    const [, newest] = [await bought(200 * SECOND), await bought(400 * SECOND)];
    const until = { attempt_until: new Date(Date.now() + 60 * SECOND) };
    expect(await told(sql`topup_lacks_newer(o, i.input)`, [newest], until)).toBe(true);
  });
});
