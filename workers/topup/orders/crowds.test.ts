import { beforeAll, describe, expect, it } from "vitest";
import { bench } from "../testing/bench.ts";
import {
  booksOf,
  ordersOf,
  purchasesOf,
  recover,
  runOrderJob,
  sumOfLedger,
  theOrderOf,
} from "../testing/outcomes.ts";
import { customer, dial, newPhone, SERVICES, shelve, stockShelves } from "../testing/shop.ts";
import { placeGame, placePrepaid } from "./place.ts";
import { processOrder } from "./process.ts";

beforeAll(stockShelves);

const FUNDS = 1_000_000;
const { credit } = SERVICES;

describe("many at once", () => {
  it("a hundred orders on a balance for one are one order and one purchase", async () => {
    const user = await customer(credit.price);
    const prefix = newPhone().slice(0, 9);
    const targets = Array.from({ length: 100 }, (_, n) => `${prefix}${String(n).padStart(3, "0")}`);
    await dial(prefix, { stay: true });
    const told = await Promise.allSettled(
      targets.map(async (phoneNumber) => {
        const { ctx, settle } = bench({ actor: user, timeoutMs: 5_000 });
        const order = await placePrepaid(ctx, { service: credit.code, phoneNumber });
        await settle();
        return order;
      }),
    );
    const refusals = told
      .filter((one) => one.status === "rejected")
      .map(({ reason }) => reason.code);
    expect(refusals).toEqual(Array.from({ length: 99 }, () => "insufficient_balance"));
    const orders = (await Promise.all(targets.map(ordersOf))).flat();
    const purchases = (await Promise.all(targets.map(purchasesOf))).flat();
    expect([orders.length, purchases.length]).toEqual([1, 1]);
    expect(orders[0]).toMatchObject({ state: "processing", trxid: purchases[0]?.trxid });
    expect(await booksOf(user)).toEqual({ wallet: 0, escrow: credit.price });
  });

  it("a number that is served once a day is sold to one of many buyers", async () => {
    const { more } = SERVICES;
    await shelve(more, { multiTrx: false });
    const phoneNumber = newPhone();
    await dial(phoneNumber, { stay: true });
    const buyers = await Promise.all(Array.from({ length: 8 }, () => customer(FUNDS)));
    const told = await Promise.allSettled(
      buyers.map(async (actor) => {
        const { ctx, settle } = bench({ actor, timeoutMs: 5_000 });
        await placePrepaid(ctx, { service: more.code, phoneNumber });
        await settle();
      }),
    );
    const refusals = told.filter((one) => one.status === "rejected");
    expect(refusals.map(({ reason }) => reason.code)).toEqual(Array(7).fill("conflict"));
    expect(await ordersOf(phoneNumber)).toHaveLength(1);
    await shelve(more);
  });

  it("process, twenty times over, pays and buys once", async () => {
    const user = await customer(FUNDS);
    const gameId = newPhone();
    await dial(gameId, { stay: true });
    const service = SERVICES.diamonds.code;
    const placed = await placeGame(bench({ actor: user }).ctx, { service, gameId, zone: "2611" });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
    const told = await Promise.allSettled(
      Array.from({ length: 20 }, async () => {
        const { ctx, settle } = bench({ actor: user, timeoutMs: 5_000 });
        const done = await processOrder(ctx, { orderNumber: placed.number });
        await settle();
        return done;
      }),
    );
    const refusals = told
      .filter((one) => one.status === "rejected")
      .map(({ reason }) => reason.message);
    expect(refusals).toEqual(Array.from({ length: 19 }, () => "Order is not ready for processing"));
    expect(await purchasesOf(gameId)).toHaveLength(1);
    expect(await booksOf(user)).toEqual({ wallet: FUNDS - placed.amount, escrow: placed.amount });
  });

  it("its job, ten times at once, refunds an order that was not bought once", async () => {
    const user = await customer(FUNDS);
    const target = newPhone();
    await dial(target, { down: { value: true, count: 1 } });
    const { ctx, settle } = bench({ actor: user });
    await placePrepaid(ctx, { service: credit.code, phoneNumber: target });
    await settle();
    const order = await theOrderOf(target);
    for (const laterMs of [80_000, 6.1 * 3_600_000]) {
      await Promise.all(Array.from({ length: 10 }, () => runOrderJob(order, { laterMs })));
    }
    expect(await recover(target)).toMatchObject({ state: "failed" });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });
});

describe("a storm", () => {
  const FAULTS: Record<string, unknown>[] = [
    {},
    { timeOut: { value: true, count: 1 } },
    { rubbish: { value: true, acts: true, count: 1 } },
    { rubbish: { value: true, count: 1 } },
    { refuse: { value: 503, acts: true, count: 1 } },
    { refuse: { value: 503, count: 1 } },
    { down: { value: true, acts: true, count: 1 } },
    { lowBalance: true },
    { priceChange: 30 },
    { say: "Ini bukan jawaban yang dikenal." },
  ];

  it("of orders, faults, deaths and repeats buys each paid order once and refunds the rest once", async () => {
    const users = await Promise.all(Array.from({ length: 5 }, () => customer(FUNDS)));
    const random = (below: number) => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) % below;
    const attempts = Array.from({ length: 40 }, (_, n) => ({
      user: users[n % users.length] ?? users[0],
      phoneNumber: newPhone(),
      fault: FAULTS[random(FAULTS.length)] ?? {},
      killAt: random(6) - 2,
      kill: random(2) === 0 ? ("before" as const) : ("after" as const),
    }));
    for (const { phoneNumber, fault } of attempts)
      await dial(phoneNumber, { stay: true, ...fault });
    await Promise.all(
      attempts.map(async ({ user, phoneNumber, killAt, kill }) => {
        if (!user) return;
        const { ctx, killed, settle } = bench({ actor: user, timeoutMs: 1_500, killAt, kill });
        const placing = placePrepaid(ctx, { service: credit.code, phoneNumber });
        await Promise.race([placing.catch(() => undefined), killed]);
        await settle();
      }),
    );
    for (const { phoneNumber } of attempts) await recover(phoneNumber);

    let paid = 0;
    for (const attempt of attempts) {
      const [order] = await ordersOf(attempt.phoneNumber);
      const purchases = await purchasesOf(attempt.phoneNumber);
      const isPaid = order !== undefined && order.refundedAmount === 0;
      expect([attempt, order?.state, purchases.length]).toEqual([
        attempt,
        isPaid ? "processing" : order && "failed",
        isPaid ? 1 : 0,
      ]);
      if (isPaid) paid += order.amount;
    }
    const books = await Promise.all(users.map(booksOf));
    expect(books.reduce((sum, { escrow }) => sum + escrow, 0)).toBe(paid);
    const wallets = books.reduce((sum, { wallet }) => sum + wallet, 0);
    expect(wallets + paid).toBe(users.length * FUNDS);
    expect(await sumOfLedger()).toBe(0);
  });
});
