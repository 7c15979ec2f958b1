import { sql } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { type TestUser, unique } from "../../testing/factories.ts";
import { type BenchOptions, bench, type Death, dieAtEveryCall } from "../testing/bench.ts";
import { BOUGHT, FUNDS, NOT_BOUGHT, orderCredit } from "../testing/doubts.ts";
import {
  alertsOf,
  booksOf,
  isLookedAfter,
  movesOf,
  orderOf,
  purchasesOf,
  runOrderJob,
  sumOfLedger,
  theOrderOf,
} from "../testing/outcomes.ts";
import { stockService } from "../testing/reseller.ts";
import { customer, dial, hand, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import { followOrders } from "./follow.ts";
import type { Order } from "./order.ts";
import { placeGame, placeNumbered, placeSocial } from "./place.ts";
import { processOrder } from "./process.ts";
import { reviveOrders } from "./recover.ts";

// What a test bought ahead of the time is newer than the next one's orders no more.
beforeEach(stockShelves);
afterEach(() => run(sql`delete from inbox_events where body = '{"test":"later"}'`));

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const { diamonds, likes } = SERVICES;

const run = (change: ReturnType<typeof sql>) => testContext().db.run(rows(change, z.unknown()));

/** Lists lack it; asked about by its id it is told. */
const unlisted = (trxid: string) => (text: string) => {
  const answer = JSON.parse(text);
  if (!Array.isArray(answer.data) || answer.data.length === 1) return text;
  const data = answer.data.filter((row: { trxid: string }) => row.trxid !== trxid);
  return JSON.stringify({ ...answer, data });
};

async function expectBooks(user: TestUser, order: Order, kept: number): Promise<void> {
  const refunded = order.amount - kept;
  expect(await booksOf(user)).toEqual({ wallet: FUNDS - kept, escrow: kept });
  const moves = await movesOf(order);
  expect([moves["topup-paid"], moves["topup-refund"] ?? 0]).toEqual([order.amount, refunded]);
  expect(await sumOfLedger()).toBe(0);
}

/** Does the work in a process that dies so; whether it did. */
async function dying(
  death: Death,
  options: BenchOptions,
  work: (ctx: ReturnType<typeof bench>["ctx"]) => Promise<unknown>,
): Promise<boolean> {
  const { ctx, killed, settle, steps } = bench({ timeoutMs: 3_000, ...options, ...death });
  await Promise.race([work(ctx).catch(() => null), killed]);
  await settle();
  return steps() > death.killAt;
}

describe("in a process that is killed at whichever call", () => {
  it("an order that only a signed callback names is that purchase, once", async () => {
    const calls = await dieAtEveryCall(async (death) => {
      const { user, order } = await orderCredit({ fault: { ...BOUGHT } });
      const [own] = await purchasesOf(order.target);
      const trxid = own?.trxid ?? "";
      await run(sql`insert into inbox_events (provider, event_key, body, state, received_at, retry_at)
        values ('vip-reseller', ${`${trxid}/success`}, '{"test":"later"}', 'parked', now(), now() + interval '1 day')`);
      const twist = unlisted(trxid);
      const outcome = await runOrderJob(order, {
        laterMs: 90 * SECOND,
        twist,
        timeoutMs: 3_000,
        ...death,
      });
      for (const laterMs of [100 * SECOND, 6.1 * HOUR, 6.2 * HOUR])
        await runOrderJob(order, { laterMs, twist, timeoutMs: 3_000 });
      expect(await theOrderOf(order.target)).toMatchObject({ state: "processing", trxid });
      expect(await purchasesOf(order.target)).toHaveLength(1);
      await expectBooks(user, order, order.amount);
      return outcome === "killed";
    });
    expect(calls).toBeGreaterThanOrEqual(5);
  });

  it.each([
    ["bought", BOUGHT, 1],
    ["not bought", NOT_BOUGHT, 0],
  ])(
    "an order (%s) of which the lists tell nothing for an hour is handed over once, and settled",
    async (_what, fault, many) => {
      const calls = await dieAtEveryCall(async (death) => {
        const { user, order } = await orderCredit({ fault: { ...fault } });
        const away = (text: string) => text.replace('"result":true', '"result":false');
        const laterMs = 1.2 * HOUR;
        const outcome = await runOrderJob(order, {
          laterMs,
          twist: away,
          timeoutMs: 3_000,
          ...death,
        });
        await runOrderJob(order, { laterMs: laterMs + SECOND, twist: away, timeoutMs: 3_000 });
        expect(await alertsOf(order)).toEqual(["Riwayat penyedia diam selama sejam"]);
        for (const ms of [1.3 * HOUR, 7.4 * HOUR, 7.5 * HOUR])
          await runOrderJob(order, { laterMs: ms, timeoutMs: 3_000 });
        const state = many === 1 ? "processing" : "failed";
        expect(await theOrderOf(order.target)).toMatchObject({ state });
        expect(await purchasesOf(order.target)).toHaveLength(many);
        await expectBooks(user, order, many * order.amount);
        return outcome === "killed";
      });
      expect(calls).toBeGreaterThanOrEqual(3);
    },
  );

  const REFUSED = { say: { value: "Layanan tidak ditemukan.", count: 1 } };
  it.each(["social", "numbered", "processed"] as const)(
    "a %s order that the supplier refuses is refunded once, or still to be paid",
    async (kind) => {
      const { number: service } = await stockService("prepaid");
      const calls = await dieAtEveryCall(async (death) => {
        const actor = await customer(FUNDS);
        const target = kind === "social" ? unique("@k").toLowerCase() : newPhone();
        await dial(target, { stay: true, ...REFUSED });
        const game = { service: diamonds.code, gameId: target, zone: "2611" };
        const orderNumber =
          kind === "processed" ? (await placeGame(bench({ actor }).ctx, game)).number : "";
        const goods = { prepaid: { target }, game: { target }, social: { target } };
        const died = await dying(death, { actor }, (ctx) => {
          if (kind === "processed") return processOrder(ctx, { orderNumber });
          if (kind === "numbered") return placeNumbered(ctx, { service, goods, quantity: null });
          return placeSocial(ctx, { service: likes.code, target, quantity: 1_000 });
        });
        const left = await orderOf(target);
        if (left && left.state !== "pending") {
          if (left.state !== "failed") expect(await isLookedAfter(left)).toBe(true);
          for (const laterMs of [80 * SECOND, 6.1 * HOUR, 6.2 * HOUR])
            await runOrderJob(left, { laterMs, timeoutMs: 3_000 });
          expect(await theOrderOf(target)).toMatchObject({ state: "failed" });
          await expectBooks(actor, left, 0);
        } else {
          expect(await booksOf(actor)).toEqual({ wallet: FUNDS, escrow: 0 });
        }
        expect(await purchasesOf(target)).toEqual([]);
        return died;
      });
      expect(calls).toBeGreaterThanOrEqual(3);
    },
  );

  it("a serial number that came late is kept, and the order's money has moved once", async () => {
    const calls = await dieAtEveryCall(async (death) => {
      const { user, order } = await orderCredit();
      const { trxid } = await theOrderOf(order.target);
      await hand("succeed", trxid ?? "", { note: "1234-5678" });
      const noteless = (text: string) => text.replaceAll("1234-5678", "");
      const early = bench({ laterMs: 60 * SECOND, timeoutMs: 3_000, twist: noteless });
      await followOrders(early.ctx);
      await early.settle();
      expect(await theOrderOf(order.target)).toMatchObject({
        state: "success",
        sealedSerial: null,
      });
      const died = await dying(
        death,
        { laterMs: 200 * SECOND, twist: unlisted(trxid ?? "") },
        followOrders,
      );
      const next = bench({ laterMs: 3 * HOUR, timeoutMs: 3_000 });
      await followOrders(next.ctx);
      await next.settle();
      const done = await theOrderOf(order.target);
      expect([done.state, done.sealedSerial !== null]).toEqual(["success", true]);
      expect(await booksOf(user)).toEqual({ wallet: FUNDS - order.amount, escrow: 0 });
      expect(await movesOf(done)).not.toHaveProperty("topup-refund");
      return died;
    });
    expect(calls).toBeGreaterThanOrEqual(4);
  });

  it("an order whose job is lost gets another", async () => {
    const calls = await dieAtEveryCall(async (death) => {
      const { order } = await orderCredit({ fault: { ...NOT_BOUGHT } });
      await run(sql`delete from jobs where dedupe_key = ${`topup.order/${order.id}`}`);
      const died = await dying(death, { laterMs: HOUR }, reviveOrders);
      const next = bench({ laterMs: HOUR });
      await reviveOrders(next.ctx);
      await next.settle();
      expect(await isLookedAfter(order)).toBe(true);
      return died;
    });
    expect(calls).toBeGreaterThanOrEqual(1);
  });
});
