import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { createApiApp } from "../../api.ts";
import { api, randomAddress } from "../../testing/api.ts";
import type { TestUser } from "../../testing/factories.ts";
import { freeze } from "../../testing/frost.ts";
import { type Bench, bench } from "../testing/bench.ts";
import {
  booksOf,
  orderOf,
  ordersOf,
  purchasesOf,
  recover,
  runOrderJob,
  theOrderOf,
} from "../testing/outcomes.ts";
import { customer, dial, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import { placeGame, placePrepaid } from "./place.ts";
import { processOrder } from "./process.ts";

const FUNDS = 100_000;
const PATIENCE_MS = 200;
const { credit, diamonds } = SERVICES;
beforeAll(stockShelves);

const app = createApiApp();

const call = (json: unknown, key: string) => ({
  method: "POST",
  headers: { "idempotency-key": key },
  json,
});

/** The Worker's answer where it waits for Postgres no longer than a moment. */
async function hurriedly(path: string, user: TestUser, json: unknown, key: string) {
  const execution = createExecutionContext();
  const request = new Request(`http://localhost:8787${path}`, {
    method: "POST",
    body: JSON.stringify(json),
    headers: {
      ...{ "content-type": "application/json", "cf-connecting-ip": randomAddress() },
      ...{ authorization: `Bearer ${user.token}`, "idempotency-key": key },
    },
  });
  const settings = { ...env, DATABASE_PATIENCE_MS: String(PATIENCE_MS) };
  const response = await app.fetch(request, settings, execution);
  const answer = { status: response.status, body: await response.json() };
  await waitOnExecutionContext(execution);
  return answer;
}

/** Whoever pays from this wallet waits. */
const walletOf = ({ userId }: TestUser) =>
  sql`select from ledger_accounts where kind = 'wallet' and owner_id = ${String(userId)} for update`;

const AWAY = {
  status: 503,
  body: {
    success: false,
    message: expect.stringContaining("try again"),
    error: expect.any(String),
  },
};

async function boughtAtMostOnce(user: TestUser, target: string): Promise<void> {
  await recover(target);
  const [order, ...more] = await ordersOf(target);
  expect(more).toEqual([]);
  const purchases = await purchasesOf(target);
  const isPaid = order?.state === "processing";
  expect(purchases).toHaveLength(isPaid ? 1 : 0);
  const { wallet, escrow } = await booksOf(user);
  const amount = isPaid ? (order?.amount ?? Number.NaN) : 0;
  expect([wallet, escrow]).toEqual([FUNDS - amount, amount]);
}

describe("an order while Postgres says nothing", () => {
  it("is told within the deadline that it was not placed; with its key it is one order and one debit", async () => {
    const [user, phoneNumber, key] = [await customer(FUNDS), newPhone(), crypto.randomUUID()];
    await dial(phoneNumber, { stay: true });
    const json = { service: credit.code, phoneNumber };
    const frost = await freeze(walletOf(user));
    try {
      expect(await hurriedly("/api/orders/prepaid", user, json, key)).toMatchObject(AWAY);
      expect(await hurriedly("/api/orders/prepaid", user, json, key)).toMatchObject(AWAY);
    } finally {
      await frost.thaw();
    }
    const again = await api("/api/orders/prepaid", { token: user.token, ...call(json, key) });
    expect(again).toMatchObject({ status: 200, body: { success: true } });
    const order = await theOrderOf(phoneNumber);
    expect(again.body.data.orderNumber).toBe(order.number);
    expect(await booksOf(user)).toEqual({ wallet: FUNDS - credit.price, escrow: credit.price });
    await boughtAtMostOnce(user, phoneNumber);
  });

  it("that waits to be paid is paid once under its number", async () => {
    const [user, target, key] = [await customer(FUNDS), newPhone(), crypto.randomUUID()];
    await dial(target, { stay: true });
    const wish = { service: diamonds.code, gameId: target, zone: "1234" };
    const { number: orderNumber } = await placeGame(bench({ actor: user }).ctx, wish);
    const frost = await freeze(walletOf(user));
    const json = { orderNumber };
    try {
      expect(await hurriedly("/api/orders/process", user, json, key)).toMatchObject(AWAY);
    } finally {
      await frost.thaw();
    }
    const again = await api("/api/orders/process", { token: user.token, ...call(json, key) });
    expect(again).toMatchObject({ status: 200, body: { data: { orderNumber } } });
    const other = await api("/api/orders/process", {
      ...{ token: user.token },
      ...call(json, crypto.randomUUID()),
    });
    expect(other.status).toBe(400);
    const { wallet, escrow } = await booksOf(user);
    expect([wallet, escrow]).toEqual([FUNDS - diamonds.price, diamonds.price]);
    await boughtAtMostOnce(user, target);
  });
});

describe("a purchase that Postgres says nothing to", () => {
  /** The order is paid; from the moment when the supplier is called, whoever writes to it waits. */
  function frozenAtTheGate(user: TestUser, target: string) {
    const frosts: Awaited<ReturnType<typeof freeze>>[] = [];
    const pace = async () => {
      const order = await theOrderOf(target);
      frosts.push(await freeze(sql`select from topup_orders where id = ${order.id} for update`));
    };
    const desk: Bench = bench({ actor: user, patienceMs: PATIENCE_MS, pace });
    return { ...desk, thaw: async () => void (await Promise.all(frosts.map((one) => one.thaw()))) };
  }

  it.each([
    ["takes it", 1, {}],
    ["takes it and says nothing", 1, { down: { value: true, acts: true, count: 1 } }],
    ["does not hear of it", 0, { down: { value: true, count: 1 } }],
    ["refuses it", 0, { say: { value: "Layanan tidak ditemukan.", count: 1 } }],
  ])("is bought once or refunded once where the supplier %s", async (_, sold, says) => {
    const [user, target] = [await customer(FUNDS), newPhone()];
    await dial(target, { stay: true, ...says });
    const { ctx, settle, thaw } = frozenAtTheGate(user, target);
    const placed = await placePrepaid(ctx, { service: credit.code, phoneNumber: target }).catch(
      ({ code }) => ({ code }),
    );
    await settle();
    if ("say" in says) expect(placed).toMatchObject({ code: "unavailable" });
    else expect(placed).toMatchObject({ number: expect.any(String) });
    expect(await purchasesOf(target)).toHaveLength(sold);
    await thaw();
    await vi.waitFor(async () => expect((await orderOf(target))?.state).not.toBe("buying"));
    await boughtAtMostOnce(user, target);
  });

  it("is recorded by the order's job, which ends as it does in an outage and comes again", async () => {
    const [user, target] = [await customer(FUNDS), newPhone()];
    await dial(target, { stay: true, down: { value: true, acts: true, count: 1 } });
    const desk = bench({ actor: user });
    const wish = { service: diamonds.code, gameId: target, zone: "1234" };
    const { number: orderNumber } = await placeGame(desk.ctx, wish);
    await processOrder(desk.ctx, { orderNumber });
    await desk.settle();
    const order = await theOrderOf(target);
    expect(order.state).toBe("unknown");
    const frost = await freeze(sql`select from topup_orders where id = ${order.id} for update`);
    const later = { laterMs: 80_000, patienceMs: PATIENCE_MS };
    await expect(runOrderJob(order, later)).rejects.toMatchObject({ code: "unavailable" });
    await frost.thaw();
    await boughtAtMostOnce(user, target);
    expect(await theOrderOf(target)).toMatchObject({ state: "processing" });
  });
});
