import { beforeAll, describe, expect, it } from "vitest";
import type { TestUser } from "../../testing/factories.ts";
import { bench } from "../testing/bench.ts";
import {
  alertsOf,
  booksOf,
  movesOf,
  orderOf,
  purchasesOf,
  sumOfLedger,
  theOrderOf,
} from "../testing/outcomes.ts";
import {
  customer,
  dial,
  hand,
  newPhone,
  SERVICES,
  shelve,
  stockOf,
  stockShelves,
} from "../testing/shop.ts";
import { advance } from "./advance.ts";
import { recordAttempt } from "./attempt.ts";
import { settleByHand } from "./by-hand.ts";
import { expireOrders, followOrders } from "./follow.ts";
import type { Order } from "./order.ts";
import { placeGame, placePrepaid, placeSocial } from "./place.ts";
import { processOrder } from "./process.ts";
import { type Outcome, openSerial, silenceOf, type Update } from "./purchase.ts";

beforeAll(stockShelves);

const FUNDS = 1_000_000;
const { credit, likes } = SERVICES;

/** A purchase under way. */
async function bought(user: TestUser, quantity?: number): Promise<Order> {
  const { ctx, settle } = bench({ actor: user });
  const target = newPhone();
  await dial(target, { stay: true });
  if (quantity) await placeSocial(ctx, { service: likes.code, target, quantity });
  else await placePrepaid(ctx, { service: credit.code, phoneNumber: target });
  await settle();
  const order = await theOrderOf(target);
  if (order.state !== "processing") throw new Error(`it is ${order.state}`);
  return order;
}

const says = (order: Order, outcome: Outcome, more: Partial<Update> = {}): Update => ({
  ...silenceOf(order.id, order.trxid ?? "", "untold"),
  outcome,
  ...more,
});

const again = (order: Order) => theOrderOf(order.target);

describe("a purchase", () => {
  it("that succeeds pays the supplier what it charged and us the rest, once", async () => {
    const user = await customer(FUNDS);
    const order = await bought(user);
    const { ctx } = bench();
    await Promise.all(Array.from({ length: 8 }, () => advance(ctx, [says(order, "success")])));
    expect(await movesOf(order)).toEqual({
      "topup-paid": order.amount,
      "topup-cost": order.chargedAmount,
      "topup-margin": order.amount - (order.chargedAmount ?? 0),
    });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS - order.amount, escrow: 0 });
  });

  it("that fails is refunded once, however often and in what order the news comes", async () => {
    const user = await customer(FUNDS);
    const order = await bought(user);
    const { ctx } = bench();
    for (const outcome of ["open", "failed", "success", "failed", "partial", "success"] as const) {
      await advance(ctx, [says(order, outcome, { remain: 1 })]);
    }
    expect(await again(order)).toMatchObject({ state: "failed", wireState: "FAILED" });
    expect(await movesOf(order)).toEqual({
      "topup-paid": order.amount,
      "topup-refund": order.amount,
    });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });

  it("that succeeded stays so when the supplier says failed and success again", async () => {
    const user = await customer(FUNDS);
    const order = await bought(user);
    const { ctx } = bench();
    for (const outcome of ["success", "failed", "success"] as const) {
      await advance(ctx, [says(order, outcome)]);
    }
    expect(await again(order)).toMatchObject({ state: "success", refundedAmount: 0 });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS - order.amount, escrow: 0 });
  });

  it("that cost more than it was sold for is paid by our promo budget, never by commission", async () => {
    const user = await customer(FUNDS);
    const order = await bought(user);
    await advance(bench().ctx, [says(order, "success", { charged: order.amount + 700 })]);
    expect(await movesOf(order)).toEqual({
      "topup-paid": order.amount,
      "topup-cost": order.amount,
      "topup-loss": 700,
    });
    expect(await sumOfLedger()).toBe(0);
  });

  it.each([
    ["cancelled", "CANCELLED"],
    ["refunded", "REFUNDED"],
  ] as const)("that is %s is refunded", async (outcome, wireState) => {
    const user = await customer(FUNDS);
    const order = await bought(user);
    await advance(bench().ctx, [says(order, outcome)]);
    expect(await again(order)).toMatchObject({ wireState, refundedAmount: order.amount });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });

  it("in a word that nobody knows stays open, and the operator hears of it", async () => {
    const user = await customer(FUNDS);
    const order = await bought(user);
    await dial(order.target, { stay: true, statusWord: `menunggu ${order.target}` });
    const { ctx } = bench({ laterMs: 60_000 });
    await followOrders(ctx);
    expect(await again(order)).toMatchObject({
      state: "processing",
      supplierNote: expect.any(String),
    });
    expect(await alertsOf(order)).toEqual(["Status penyedia tidak dikenal"]);
  });
});

describe("a social purchase delivered in part", () => {
  it.each([
    // quantity, left, price: 1,000 cost likes.price
    [1000, 333],
    [1001, 1],
    [50, 49],
    [777, 500],
  ])(
    "of %i with %i left gives back the rest, in the customer's favour",
    async (quantity, remain) => {
      const user = await customer(FUNDS);
      const order = await bought(user, quantity);
      expect(order.amount).toBe(Math.ceil((likes.price * quantity) / 1000));
      await hand("partial", order.trxid ?? "", { remain });
      await followOrders(bench({ laterMs: 60_000 }).ctx);
      const refund = Math.ceil((order.amount * remain) / quantity);
      expect(await again(order)).toMatchObject({
        wireState: "PARTIAL",
        refundedAmount: refund,
        remain,
      });
      const moves = await movesOf(order);
      expect(moves["topup-refund"]).toBe(refund);
      const { "topup-cost": cost = 0, "topup-margin": margin = 0, "topup-loss": loss = 0 } = moves;
      const charged = order.chargedAmount ?? 0;
      // The supplier's share is rounded up as the customer's refund is; between them they do not make a loss.
      const delivered = charged - Math.floor((charged * remain) / quantity);
      expect([cost, loss]).toEqual([Math.min(delivered, order.amount - refund), 0]);
      expect(refund + cost + margin).toBe(order.amount);
      expect(await booksOf(user)).toEqual({ wallet: FUNDS - order.amount + refund, escrow: 0 });
    },
  );

  it("with more left than was ordered gives all back, and no more", async () => {
    const user = await customer(FUNDS);
    const order = await bought(user, 100);
    await hand("partial", order.trxid ?? "", { remain: 5_000 });
    await followOrders(bench({ laterMs: 60_000 }).ctx);
    expect(await again(order)).toMatchObject({ refundedAmount: order.amount });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });

  it("of which nobody says how much waits for a person, who settles it once", async () => {
    const user = await customer(FUNDS);
    const order = await bought(user, 1000);
    const { ctx } = bench();
    await advance(ctx, [says(order, "partial")]);
    expect(await again(order)).toMatchObject({ state: "review" });
    expect(await alertsOf(order)).toEqual(["Pesanan perlu diperiksa"]);
    const word = {
      orderId: order.id,
      as: "partial",
      remain: 250,
      reason: "menurut penyedia",
    } as const;
    expect(await settleByHand(ctx, word)).toMatchObject({ state: "partial" });
    await expect(settleByHand(ctx, { ...word, as: "refunded" })).rejects.toMatchObject({
      code: "conflict",
    });
    expect((await booksOf(user)).escrow).toBe(0);
  });
});

describe("a person's word", () => {
  it("refunds an order that is in doubt, and its purchase found later moves nothing but an alert", async () => {
    const user = await customer(FUNDS);
    const target = newPhone();
    await dial(target, { stay: true, timeOut: { value: true, count: 1 } });
    const { ctx, settle } = bench({ actor: user, timeoutMs: 150 });
    await placePrepaid(ctx, { service: credit.code, phoneNumber: target });
    await settle();
    const order = await theOrderOf(target);
    await settleByHand(ctx, { orderId: order.id, as: "refunded", reason: "pelanggan meminta" });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
    const [{ trxid } = { trxid: "" }] = await purchasesOf(target);
    const [purchase] = await ctx.providers.vipReseller.getPrepaidOrderStatus({ trxid });
    if (!purchase) throw new Error("no purchase");
    await recordAttempt(ctx, order, { kind: "accepted", purchase });
    expect(await orderOf(target)).toMatchObject({ state: "refunded", trxid });
    expect(await alertsOf(order)).toEqual(["Pesanan terbeli setelah dikembalikan"]);
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });

  it.each([
    ["success", { stock: 4, reserved: 0 }],
    ["refunded", { stock: 5, reserved: 0 }],
  ] as const)(
    "that an order in doubt is %s settles what it holds of the stock",
    async (as, left) => {
      await shelve(credit, { stock: 5 });
      const user = await customer(FUNDS);
      const target = newPhone();
      await dial(target, { stay: true, timeOut: { value: true, count: 1 } });
      const { ctx, settle } = bench({ actor: user, timeoutMs: 150 });
      await placePrepaid(ctx, { service: credit.code, phoneNumber: target });
      await settle();
      expect(await stockOf(credit)).toEqual({ stock: 5, reserved: 1 });
      const { id: orderId } = await theOrderOf(target);
      const [{ trxid } = { trxid: "" }] = await purchasesOf(target);
      await settleByHand(ctx, { orderId, as, trxid, reason: "kata penyedia" });
      expect(await stockOf(credit)).toEqual(left);
      await shelve(credit);
    },
  );

  it("is not taken for an order that is being bought, nor with another order's purchase", async () => {
    const user = await customer(FUNDS);
    const known = await bought(user);
    const target = newPhone();
    const dying = bench({ actor: user, killAt: 1 });
    const input = { service: credit.code, phoneNumber: target };
    await Promise.race([placePrepaid(dying.ctx, input), dying.killed]);
    const order = await theOrderOf(target);
    const { ctx } = bench();
    const word = { orderId: order.id, as: "failed", reason: "x" } as const;
    await expect(settleByHand(ctx, word)).rejects.toMatchObject({ code: "conflict" });
    const later = bench({ laterMs: 80_000 }).ctx;
    const theft = { ...word, as: "success", trxid: known.trxid ?? "" } as const;
    await expect(settleByHand(later, theft)).rejects.toMatchObject({ code: "conflict" });
    expect(await settleByHand(later, word)).toMatchObject({ state: "failed" });
  });
});

it("a token is sealed where it lies, and opens for its order alone", async () => {
  const user = await customer(FUNDS);
  const { ctx, settle } = bench({ actor: user });
  const input = { service: SERVICES.token.code, phoneNumber: newPhone().slice(0, 12) };
  await dial(input.phoneNumber, { stay: true });
  await placePrepaid(ctx, input);
  await settle();
  const order = await theOrderOf(input.phoneNumber);
  await hand("succeed", order.trxid ?? "", { note: "1234-5678-9012-3456-7890/BUDI" });
  await followOrders(bench({ laterMs: 60_000 }).ctx);
  const done = await again(order);
  expect(JSON.stringify(done)).not.toContain("1234-5678");
  expect(await openSerial(ctx, done)).toBe("1234-5678-9012-3456-7890/BUDI");
  expect(await openSerial(ctx, { ...done, id: crypto.randomUUID() })).toBeNull();
});

it("an unpaid order runs out, and cannot be paid after that", async () => {
  const user = await customer(FUNDS);
  const gameId = newPhone();
  const service = SERVICES.fire.code;
  const placed = await placeGame(bench({ actor: user }).ctx, { service, gameId });
  const late = bench({ actor: user, laterMs: 61 * 60_000 }).ctx;
  const paying = processOrder(late, { orderNumber: placed.number });
  await expect(paying).rejects.toMatchObject({ message: "Order is not ready for processing" });

  await expireOrders(late);
  expect(await orderOf(gameId)).toMatchObject({ state: "cancelled", wireState: "CANCELLED" });
  expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
});
