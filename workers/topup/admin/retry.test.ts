import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { failureBody } from "../../testing/envelopes.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { recordAttempt } from "../orders/attempt.ts";
import type { Order } from "../orders/order.ts";
import { placeGame, placePrepaid, placeSocial } from "../orders/place.ts";
import { processOrder } from "../orders/process.ts";
import { bench } from "../testing/bench.ts";
import { confirmedRetry, ORDERS, post, REQUESTS, reason } from "../testing/desk.ts";
import { booksOf, ordersOf, purchasesOf, theOrderOf } from "../testing/outcomes.ts";
import { vipTwin } from "../testing/reseller.ts";
import { customer, dial, hand, newPhone, SERVICES, shelve, stockShelves } from "../testing/shop.ts";
import { retryOrder } from "./retry.ts";

const FUNDS = 1_000_000;
const { credit, diamonds, likes } = SERVICES;
let admin: TestUser;
beforeAll(async () => {
  await stockShelves();
  admin = await createUser(["admin"]);
});

const retry = (order: Order) => post(admin, `${ORDERS}/${order.id}/retry`, { reason });

/** An order that the supplier surely refused, and whose money is back. */
async function refusedOrder(user: TestUser, family: "prepaid" | "social" | "game") {
  const target = family === "social" ? unique("@r") : newPhone();
  await dial(target, { stay: true, say: { value: "Layanan tidak ditemukan.", count: 1 } });
  const { ctx, settle } = bench({ actor: user, timeoutMs: 3_000 });
  if (family === "prepaid") {
    await placePrepaid(ctx, { service: credit.code, phoneNumber: target }).catch(() => null);
  } else if (family === "social") {
    await placeSocial(ctx, { service: likes.code, target, quantity: 1_000 }).catch(() => null);
  } else {
    const unpaid = await placeGame(ctx, { service: diamonds.code, gameId: target, zone: "2001" });
    await processOrder(ctx, { orderNumber: unpaid.number });
  }
  await settle();
  const order = await theOrderOf(target);
  expect(order).toMatchObject({ state: "failed", refundedAmount: order.amount });
  return order;
}

describe("placing an order again by hand", () => {
  it.each([
    ["prepaid", credit],
    ["social", likes],
    ["game", diamonds],
  ] as const)("takes no more for a %s order than its owner agreed to", async (family, service) => {
    const user = await customer(FUNDS);
    const order = await refusedOrder(user, family);
    try {
      await shelve({ ...service, price: service.price * 3 });
      const told = await retry(order);
      expect(told).toMatchObject({ status: 409, body: failureBody("topup", 409) });
      expect(told.body.message).toMatch(/^The price of this service has changed to \d+$/);
    } finally {
      await shelve(service);
    }
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
    expect(await purchasesOf(order.target)).toEqual([]);
    expect(await retry(order)).toMatchObject({ status: 200, body: { data: { state: "done" } } });
    expect(await booksOf(user)).toMatchObject({ wallet: FUNDS - order.amount });
  });

  /** A purchase at the supplier for the order's target, as one that was told too late. */
  async function purchaseFor(order: Order): Promise<string> {
    const { ctx } = bench({ timeoutMs: 3_000 });
    const { vipReseller } = ctx.providers;
    await vipReseller.createPrepaidOrder({ service: credit.code, target: order.target });
    const [purchase] = await purchasesOf(order.target);
    return purchase?.trxid ?? "";
  }

  it("is refused while the supplier does not say that its known purchase failed", async () => {
    const user = await customer(FUNDS);
    const order = await refusedOrder(user, "prepaid");
    const trxid = await purchaseFor(order);
    const { ctx, settle } = bench({ timeoutMs: 3_000 });
    const [purchase] = await ctx.providers.vipReseller.getOrderStatus("prepaid", { trxid });
    if (!purchase) throw new Error("no purchase");
    await recordAttempt(ctx, order, { kind: "accepted", purchase });
    await settle();
    expect(await theOrderOf(order.target)).toMatchObject({ state: "failed", trxid });

    const told = await retry(order);
    expect(told.status).toBe(409);
    expect(told.body.message).toContain(trxid);
    expect(await purchasesOf(order.target)).toHaveLength(1);

    await hand("fail", trxid);
    expect((await retry(order)).body.data).toMatchObject({ state: "done" });
    expect(await ordersOf(order.target)).toHaveLength(2);
  });

  it("is the same new order when its first executor died, whatever the price is by then", async () => {
    const user = await customer(FUNDS);
    const order = await refusedOrder(user, "social");
    const work = await confirmedRetry(admin, order);
    const { ctx, settle } = bench({ actor: admin, timeoutMs: 3_000 });
    const first = await retryOrder(ctx, work);
    await settle();
    try {
      await shelve({ ...likes, price: likes.price * 3 });
      expect(await retryOrder(ctx, work)).toBe(first);
    } finally {
      await shelve(likes);
    }
    expect(await ordersOf(order.target)).toHaveLength(2);
    expect(await purchasesOf(order.target)).toHaveLength(1);
    expect((await booksOf(user)).wallet).toBe(FUNDS - order.amount);
  });

  it("is done once for an order: that one was placed again already", async () => {
    const user = await customer(FUNDS);
    const order = await refusedOrder(user, "prepaid");
    expect(await retry(order)).toMatchObject({ status: 200, body: { data: { state: "done" } } });
    // Nothing else stands in its way: what was bought instead came to nothing.
    await expect.poll(() => purchasesOf(order.target)).toHaveLength(1);
    await hand("fail", (await purchasesOf(order.target))[0]?.trxid ?? "");
    const again = await post(admin, `${ORDERS}/${order.id}/retry`, { reason, confirm: true });
    expect(again).toMatchObject({
      status: 409,
      body: failureBody("topup", 409, "This order was placed again already"),
    });
    expect(await ordersOf(order.target)).toHaveLength(2);
    expect(await purchasesOf(order.target)).toHaveLength(1);
    expect((await booksOf(user)).wallet).toBe(FUNDS - order.amount);
  });

  it("is refused when the supplier's history shows a purchase that nobody knew of", async () => {
    const user = await customer(FUNDS);
    const order = await refusedOrder(user, "prepaid");
    const trxid = await purchaseFor(order);
    const told = await retry(order);
    expect(told.status).toBe(409);
    expect(told.body.message).toContain(trxid);
    expect(await ordersOf(order.target)).toHaveLength(1);
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });

  it("is refused when that purchase is listed with its number blacked out", async () => {
    const order = await refusedOrder(await customer(FUNDS), "prepaid");
    const trxid = await purchaseFor(order);
    const work = await confirmedRetry(admin, order);
    const masked = `${order.target.slice(0, 4)}****${order.target.slice(-4)}`;
    const twist = (text: string) => text.replaceAll(order.target, masked);
    const { ctx } = bench({ actor: admin, timeoutMs: 3_000, twist });
    await expect(retryOrder(ctx, work)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining(trxid),
    });
    expect(await purchasesOf(order.target)).toHaveLength(1);
  });

  it("waits while the supplier does not answer, and the admin is told so", async () => {
    const user = await customer(FUNDS);
    const order = await refusedOrder(user, "prepaid");
    await vipTwin("/_dials", { refuse: { path: "/api/prepaid", count: 100 } }, "PUT");
    const told = await retry(order);
    await vipTwin("/_dials", {}, "DELETE");
    expect(told).toMatchObject({ status: 503, body: failureBody("topup", 503) });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
    const open = (await api(REQUESTS, { token: admin.token })).body.data;
    const { id } = open.find((one: { orderId: string }) => one.orderId === order.id);
    expect(await post(admin, `${REQUESTS}/${id}/confirm`)).toMatchObject({
      status: 200,
      body: { data: { state: "done" } },
    });
    expect(await booksOf(user)).toMatchObject({ wallet: FUNDS - order.amount });
  });

  it("waits while the supplier's history has a row that cannot be read", async () => {
    const order = await refusedOrder(await customer(FUNDS), "prepaid");
    const trxid = await purchaseFor(order);
    const work = await confirmedRetry(admin, order);
    const twist = (text: string) => text.replace(`"trxid":"${trxid}"`, `"trxid":""`);
    const { ctx } = bench({ actor: admin, timeoutMs: 3_000, twist });
    await expect(retryOrder(ctx, work)).rejects.toMatchObject({ kind: "bad_answer" });
    expect(await purchasesOf(order.target)).toHaveLength(1);
  });

  it("is not held up by a purchase for another player, whose number lacks the leading 0", async () => {
    const order = await refusedOrder(await customer(FUNDS), "game");
    const { vipReseller } = bench({ timeoutMs: 3_000 }).ctx.providers;
    const target = order.target.slice(1);
    await vipReseller.createGameOrder({ service: order.code, target, zone: "2001" });
    expect(await retry(order)).toMatchObject({ status: 200, body: { data: { state: "done" } } });
  });

  it.each(["prepaid", "game"] as const)(
    "a day after its first executor died buys no second %s",
    async (family) => {
      const user = await customer(FUNDS);
      const order = await refusedOrder(user, family);
      const work = await confirmedRetry(admin, order);
      const { ctx, settle } = bench({ actor: admin, timeoutMs: 3_000 });
      await retryOrder(ctx, work);
      await settle();
      await hand("succeed", (await purchasesOf(order.target))[0]?.trxid ?? "");
      await testContext().db.run(
        rows(sql`delete from http_idempotency_keys where user_id = ${user.userId}`, z.unknown()),
      );
      const told = await post(admin, `${REQUESTS}/${work.id}/confirm`);
      expect(told).toMatchObject({ status: 200, body: { data: { state: "done" } } });
      expect(await ordersOf(order.target)).toHaveLength(2);
      expect(await purchasesOf(order.target)).toHaveLength(1);
      expect((await booksOf(user)).wallet).toBe(FUNDS - order.amount);
    },
  );

  it("charges an owner who has bought the same himself since only where the admin means it", async () => {
    const user = await customer(FUNDS);
    const order = await refusedOrder(user, "prepaid");
    const own = bench({ actor: user, timeoutMs: 3_000 });
    const since = await placePrepaid(own.ctx, { service: credit.code, phoneNumber: order.target });
    await own.settle();
    const told = await retry(order);
    expect(told).toMatchObject({ status: 409, body: failureBody("topup", 409) });
    expect(told.body.message).toContain(since.number);
    expect(told.body.message).toContain('"confirm": true');
    expect(await purchasesOf(order.target)).toHaveLength(1);
    const meant = await post(admin, `${ORDERS}/${order.id}/retry`, { reason, confirm: true });
    expect(meant).toMatchObject({ status: 200, body: { data: { state: "done" } } });
    await expect.poll(() => purchasesOf(order.target)).toHaveLength(2);
  });
});
