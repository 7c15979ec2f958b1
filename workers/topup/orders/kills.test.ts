import { beforeAll, describe, expect, it } from "vitest";
import type { TestUser } from "../../testing/factories.ts";
import { bench } from "../testing/bench.ts";
import {
  booksOf,
  movesOf,
  orderOf,
  purchasesOf,
  recover,
  runOrderJob,
  sumOfLedger,
} from "../testing/outcomes.ts";
import { customer, dial, hand, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import { followOrders } from "./follow.ts";
import { placeGame, placePrepaid } from "./place.ts";
import { processOrder } from "./process.ts";

beforeAll(stockShelves);

const FUNDS = 100_000;
const kills = [0, 1, 2].flatMap((at) => [[at, "before"] as const, [at, "after"] as const]);

/**
 * The promise of the whole module: what the supplier sold is what is paid and not refunded, and the wallet, the escrow
 * and the ledger say the same.
 */
async function expectOneOrNothing(user: TestUser, target: string): Promise<void> {
  const order = await orderOf(target);
  const purchases = await purchasesOf(target);
  const { wallet, escrow } = await booksOf(user);
  const isPaid = order !== null && order.state === "processing";
  expect(purchases).toHaveLength(isPaid ? 1 : 0);
  if (isPaid) {
    expect([order.trxid, wallet, escrow]).toEqual([
      purchases[0]?.trxid,
      FUNDS - order.amount,
      order.amount,
    ]);
  } else {
    expect([wallet, escrow]).toEqual([FUNDS, 0]);
    if (order) expect(order).toMatchObject({ state: "failed", refundedAmount: order.amount });
  }
  expect(await sumOfLedger()).toBe(0);
}

async function finish(target: string): Promise<void> {
  const order = await orderOf(target);
  if (order?.state !== "processing" || !order.trxid) return;
  await hand("succeed", order.trxid);
  const { ctx, settle } = bench({ laterMs: 3_600_000 });
  await followOrders(ctx);
  await settle();
  const done = await orderOf(target);
  expect(done).toMatchObject({ state: "success" });
  expect(await movesOf(order)).toMatchObject({ "topup-paid": order.amount });
}

describe("an order whose process is killed", () => {
  it.each(kills)("at call %i, %s it acts, is bought once or refunded once", async (at, kill) => {
    const user = await customer(FUNDS);
    const phoneNumber = newPhone();
    await dial(phoneNumber, { stay: true });
    const { ctx, killed, settle, steps } = bench({ actor: user, killAt: at, kill });
    const input = { service: SERVICES.credit.code, phoneNumber };
    await Promise.race([placePrepaid(ctx, input), killed]);
    await settle();
    expect(steps()).toBe(at + 1);
    await recover(phoneNumber);
    await expectOneOrNothing(user, phoneNumber);
    await finish(phoneNumber);
    expect(await sumOfLedger()).toBe(0);
  });

  it.each(kills)(
    "while it processes, at call %i, %s it acts, is bought once, refunded once or still to be paid",
    async (at, kill) => {
      const user = await customer(FUNDS);
      const gameId = newPhone();
      await dial(gameId, { stay: true });
      const input = { service: SERVICES.diamonds.code, gameId, zone: "2611" };
      const { number: orderNumber } = await placeGame(bench({ actor: user }).ctx, input);
      const { ctx, killed, settle, steps } = bench({ actor: user, killAt: at, kill });
      await Promise.race([processOrder(ctx, { orderNumber }), killed]);
      await settle();
      expect(steps()).toBe(at + 1);
      await recover(gameId);
      const order = await orderOf(gameId);
      if (order?.state === "pending") {
        expect([at, kill, await purchasesOf(gameId)]).toEqual([0, "before", []]);
        expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
        return;
      }
      await expectOneOrNothing(user, gameId);
      await finish(gameId);
    },
  );

  const recoveries = [0, 1, 2, 3].flatMap((at) =>
    (["before", "after"] as const).flatMap((kill) =>
      [true, false].map((wasBought) => [at, kill, wasBought] as const),
    ),
  );

  it.each(recoveries)(
    "and its recovery too, at call %i, %s it acts (bought: %s), is bought once or refunded once",
    async (at, kill, wasBought) => {
      const user = await customer(FUNDS);
      const phoneNumber = newPhone();
      await dial(phoneNumber, { stay: true });
      const lost = bench({ actor: user, killAt: 1, kill: wasBought ? "after" : "before" });
      const input = { service: SERVICES.credit.code, phoneNumber };
      await Promise.race([placePrepaid(lost.ctx, input), lost.killed]);
      const order = await orderOf(phoneNumber);
      if (!order) throw new Error("no order");
      const laterMs = 80_000;
      expect(await runOrderJob(order, { laterMs, killAt: at, kill })).toBe("killed");
      await recover(phoneNumber);
      expect(await purchasesOf(phoneNumber)).toHaveLength(wasBought ? 1 : 0);
      await expectOneOrNothing(user, phoneNumber);
    },
  );

  const follows = [0, 1, 2, 3, 4].flatMap((at) => [
    [at, "before"] as const,
    [at, "after"] as const,
  ]);

  it.each(follows)(
    "while cron follows it, at call %i, %s it acts, is settled once",
    async (at, kill) => {
      const user = await customer(FUNDS);
      const phoneNumber = newPhone();
      await dial(phoneNumber, { stay: true });
      const { ctx, settle } = bench({ actor: user });
      await placePrepaid(ctx, { service: SERVICES.credit.code, phoneNumber });
      await settle();
      const order = await orderOf(phoneNumber);
      await hand("succeed", order?.trxid ?? "");
      const dying = bench({ laterMs: 60_000, killAt: at, kill });
      await Promise.race([followOrders(dying.ctx), dying.killed]);
      const next = bench({ laterMs: 7_200_000 });
      await followOrders(next.ctx);
      await next.settle();
      const done = await orderOf(phoneNumber);
      expect(done).toMatchObject({ state: "success" });
      expect(await booksOf(user)).toEqual({ wallet: FUNDS - (done?.amount ?? 0), escrow: 0 });
      expect(await sumOfLedger()).toBe(0);
    },
  );
});
