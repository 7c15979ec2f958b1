import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { ProviderError } from "../../../shared/providers/provider-error.ts";
import { testContext } from "../../testing/api.ts";
import type { TestUser } from "../../testing/factories.ts";
import { bench } from "../testing/bench.ts";
import { buyCredit as buy } from "../testing/doubts.ts";
import {
  alertsOf,
  booksOf,
  orderOf,
  ordersOf,
  purchasesOf,
  recover,
  runOrderJob,
  sumOfLedger,
  theOrderOf,
} from "../testing/outcomes.ts";
import {
  customer,
  dial,
  newPhone,
  SERVICES,
  shelve,
  stockOf,
  stockShelves,
} from "../testing/shop.ts";
import { recordAttempt } from "./attempt.ts";
import { placeGame, placePrepaid } from "./place.ts";
import { processOrder } from "./process.ts";

beforeAll(stockShelves);

const FUNDS = 100_000;
const { credit } = SERVICES;

/** The gate lets nothing out. */
const busy = async () => {
  const failure = {
    kind: "rate_limited",
    retryable: true,
    outcome: "not_done",
    code: "busy",
  } as const;
  throw new ProviderError("vip-reseller", failure, "busy");
};

const DOUBTS: [string, Record<string, unknown>, boolean][] = [
  ["is never answered", { timeOut: { value: true, count: 1 } }, true],
  [
    "is answered with HTML after it acted",
    { rubbish: { value: true, acts: true, count: 1 } },
    true,
  ],
  ["is answered with HTML", { rubbish: { value: true, count: 1 } }, false],
  ["is answered 503 after it acted", { refuse: { value: 503, acts: true, count: 1 } }, true],
  ["is answered 503", { refuse: { value: 503, count: 1 } }, false],
  ["is answered 403 after it acted", { refuse: { value: 403, acts: true, count: 1 } }, true],
  ["is cut off after it acted", { down: { value: true, acts: true, count: 1 } }, true],
  ["is cut off", { down: { value: true, count: 1 } }, false],
  [
    "is refused in unknown words after it acted",
    { say: { value: "Hmm.", acts: true, count: 1 } },
    true,
  ],
  [
    "is refused in unknown words",
    { say: { value: "Sistem Bentrok, coba lagi nanti!", count: 1 } },
    false,
  ],
];

describe("an order whose call to the supplier", () => {
  it.each(DOUBTS)(
    "%s is told as being processed, and settled by the history",
    async (_, fault, acts) => {
      const user = await customer(FUNDS);
      const phone = newPhone();
      await dial(phone, { stay: true, ...fault });
      expect(await buy(user, phone)).toMatchObject({ wireState: "PROCESSING", trxid: null });
      expect(await orderOf(phone)).toMatchObject({ state: "unknown" });
      const settled = await recover(phone);
      const purchases = await purchasesOf(phone);
      expect(purchases).toHaveLength(acts ? 1 : 0);
      expect(settled).toMatchObject(
        acts ? { state: "processing", trxid: purchases[0]?.trxid } : { state: "failed" },
      );
      expect((await booksOf(user)).wallet).toBe(acts ? FUNDS - credit.price : FUNDS);
    },
  );

  const REFUSALS: [string, string, Record<string, unknown>][] = [
    ["low balance", "temporarily unavailable", { lowBalance: true }],
    [
      "maintenance",
      "under maintenance",
      { say: "Ada pemeliharaan sistem transaksi, coba lagi nanti." },
    ],
    ["a wrong number", "target is wrong", { say: "Nomor salah." }],
  ];

  it.each(REFUSALS)("is refused for %s fails and is refunded at once", async (_, words, fault) => {
    const user = await customer(FUNDS);
    const phone = newPhone();
    await dial(phone, fault);
    const told = await buy(user, phone);
    const order = await orderOf(phone);
    expect(told).toMatchObject({ code: "order_refused", meta: { orderNumber: order?.number } });
    expect(String(told)).toContain(`Order failed: The `);
    expect(String(told)).toContain(words);
    expect(String(told)).not.toMatch(/saldo/i);
    expect(order).toMatchObject({ state: "failed", refundedAmount: credit.price });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
    expect(await purchasesOf(phone)).toEqual([]);
  });

  it("is refused for low balance tells the operator", async () => {
    const phone = newPhone();
    await dial(phone, { lowBalance: true });
    // Once an hour: whichever order it was.
    await buy(await customer(FUNDS), phone);
    const told = sql`select 1 from jobs where dedupe_key like 'mail/alert/topup-refused/low_balance/%'`;
    expect(await testContext().db.run(rows(told, z.unknown()))).not.toEqual([]);
  });

  it("finds the supplier out for an hour keeps its money until the history can be asked", async () => {
    const user = await customer(FUNDS);
    const phone = newPhone();
    const gone = { twist: () => "<html>502 Bad Gateway</html>" };
    await buy(user, phone, gone);
    const order = await theOrderOf(phone);
    for (const minutes of [2, 10, 30, 60]) {
      const outcome = await runOrderJob(order, { laterMs: minutes * 60_000, ...gone });
      expect(outcome).toMatchObject({ state: "unknown", askAfterMs: expect.any(Number) });
    }
    // The order did go through: only its answer was HTML.
    expect(await booksOf(user)).toEqual({ wallet: FUNDS - credit.price, escrow: credit.price });
    await runOrderJob(order, { laterMs: 65 * 60_000 });
    const [purchase] = await purchasesOf(phone);
    expect(await orderOf(phone)).toMatchObject({ state: "processing", trxid: purchase?.trxid });
  });

  it("would begin too late for its lease is not sent, but waits for its turn", async () => {
    const user = await customer(FUNDS);
    const phone = newPhone();
    const slow = bench({ actor: user });
    const placedAt = Date.now();
    const clock = () => new Date(placedAt + (slow.steps() === 0 ? 0 : 25_000));
    await placePrepaid({ ...slow.ctx, now: clock }, { service: credit.code, phoneNumber: phone });
    await slow.settle();
    expect(await purchasesOf(phone)).toEqual([]);
    expect(await theOrderOf(phone)).toMatchObject({ state: "queued" });
  });

  it("comes back refused after another attempt has begun changes nothing", async () => {
    const user = await customer(FUNDS);
    const phone = newPhone();
    await dial(phone, { stay: true });
    await buy(user, phone, { pace: busy });
    const job = await theOrderOf(phone);
    await runOrderJob(job, { killAt: 1, kill: "after" });
    const stale = { ...job, attemptId: crypto.randomUUID() };
    const refusal = { kind: "refused", words: "", supplierNote: "", reason: "other" } as const;
    await recordAttempt(bench().ctx, stale, refusal);
    expect(await theOrderOf(phone)).toMatchObject({ state: "buying" });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS - credit.price, escrow: credit.price });
    expect(await recover(phone)).toMatchObject({ state: "processing" });
  });

  it("comes back refused after the history has told that it was bought changes nothing", async () => {
    const user = await customer(FUNDS);
    const phone = newPhone();
    await dial(phone, { stay: true, timeOut: { value: true, count: 1 } });
    await buy(user, phone, { timeoutMs: 150 });
    const { attemptId } = await theOrderOf(phone);
    const found = await recover(phone);
    expect(found).toMatchObject({ state: "processing", attemptId });
    const refusal = { kind: "refused", words: "", supplierNote: "", reason: "other" } as const;
    if (found) await recordAttempt(bench().ctx, found, refusal);
    expect(await theOrderOf(phone)).toEqual(found);
    expect(await booksOf(user)).toEqual({ wallet: FUNDS - credit.price, escrow: credit.price });
  });

  it("names another target is a doubt, which the history ends, and is not bought again", async () => {
    const user = await customer(FUNDS);
    const phone = newPhone();
    await dial(phone, { stay: true });
    const other = newPhone();
    await buy(user, phone, { twist: (text) => text.replaceAll(phone, other) });
    expect(await orderOf(phone)).toMatchObject({
      state: "unknown",
      trxid: null,
      supplierNote: expect.stringContaining("target"),
    });
    const found = await recover(phone);
    expect(found).toMatchObject({ state: "processing" });
    expect(found && (await alertsOf(found))).toEqual([]);
    expect(await purchasesOf(phone)).toHaveLength(1);
    expect(await booksOf(user)).toEqual({ wallet: FUNDS - credit.price, escrow: credit.price });
  });
});

describe("an order that the gate holds back", () => {
  it("is bought by its job when it is its turn", async () => {
    const user = await customer(FUNDS);
    const phone = newPhone();
    await dial(phone, { stay: true });
    expect(await buy(user, phone, { pace: busy })).toMatchObject({ wireState: "PROCESSING" });
    const order = await theOrderOf(phone);
    expect(order.state).toBe("queued");
    expect(await runOrderJob(order, { pace: busy })).toMatchObject({ state: "retry" });
    const [one, two] = await Promise.all([runOrderJob(order), runOrderJob(order)]);
    expect([one, two]).toContainEqual({ state: "success", result: { state: "processing" } });
    expect(await purchasesOf(phone)).toHaveLength(1);
    expect(await orderOf(phone)).toMatchObject({ state: "processing" });
  });

  it("for too long is refunded", async () => {
    const user = await customer(FUNDS);
    const phone = newPhone();
    await buy(user, phone, { pace: busy });
    const order = await theOrderOf(phone);
    await runOrderJob(order, { laterMs: 16 * 60_000 });
    expect(await orderOf(phone)).toMatchObject({ state: "failed" });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
    expect(await purchasesOf(phone)).toEqual([]);
  });
});

describe("a price that the supplier changed", () => {
  it("is booked as it was charged: what it costs us is ours, and told", async () => {
    const user = await customer(FUNDS);
    const phone = newPhone();
    await dial(phone, { stay: true, priceChange: 50 });
    await buy(user, phone);
    const order = await orderOf(phone);
    const [purchase] = await purchasesOf(phone);
    expect(order).toMatchObject({ state: "processing", chargedAmount: purchase?.price });
    expect(purchase?.price).toBeGreaterThan(credit.price);
  });

  it("between quote and order is refused when the caller named the old one", async () => {
    const user = await customer(FUNDS);
    const phoneNumber = newPhone();
    const dearer = { ...credit, price: credit.price + 500 };
    await shelve(dearer);
    const { ctx } = bench({ actor: user });
    const input = { service: credit.code, phoneNumber, amount: credit.price };
    await expect(placePrepaid(ctx, input)).rejects.toMatchObject({
      code: "invalid_input",
      meta: { amount: dearer.price },
    });
    await shelve(credit);
    expect(await ordersOf(phoneNumber)).toEqual([]);
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });
});

describe("a counted stock", () => {
  const item = SERVICES.voucher;
  const order = async (user: TestUser, target: string) => {
    const { ctx, settle } = bench({ actor: user });
    const placed = await placeGame(ctx, { service: item.code, gameId: target });
    const done = await processOrder(ctx, { orderNumber: placed.number }).catch((e: unknown) => e);
    await settle();
    return done;
  };

  it("is taken once per purchase, given back once per failure, and never sold twice", async () => {
    await shelve(item, { stock: 1 });
    const [refusedFor, failedFor] = [newPhone(), newPhone()];
    await dial(refusedFor, { say: "Nomor salah." });
    await order(await customer(), refusedFor);
    expect(await stockOf(item)).toEqual({ stock: 1, reserved: 0 });

    const buyers = await Promise.all(Array.from({ length: 6 }, () => customer()));
    await dial(failedFor.slice(0, 8), { stay: true });
    const targets = buyers.map((_, n) => `${failedFor}${n}`);
    const told = await Promise.all(buyers.map((user, n) => order(user, targets[n] ?? "")));
    expect(told.filter((one) => one instanceof Error)).toHaveLength(5);
    expect(await stockOf(item)).toEqual({ stock: 0, reserved: 0 });
    await shelve(item);
  });
});

it("leaves a ledger whose sum is zero", async () => {
  expect(await sumOfLedger()).toBe(0);
});
