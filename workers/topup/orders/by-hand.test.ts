import { beforeAll, describe, expect, it } from "vitest";
import { bench } from "../testing/bench.ts";
import { booksOf, ordersOf, purchasesOf, recover, theOrderOf } from "../testing/outcomes.ts";
import { customer, dial, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import { settleByHand } from "./by-hand.ts";
import { placePrepaid } from "./place.ts";

beforeAll(stockShelves);

const FUNDS = 1_000_000;
const { credit } = SERVICES;

async function buy(phoneNumber: string, dials: Record<string, unknown>, timeoutMs: number) {
  const user = await customer(FUNDS);
  await dial(phoneNumber, { stay: true, ...dials });
  const { ctx, settle } = bench({ actor: user, timeoutMs });
  await placePrepaid(ctx, { service: credit.code, phoneNumber }).catch(() => null);
  await settle();
  return user;
}

describe("a person's word that an order was delivered", () => {
  it.each([
    ["success", {}],
    ["partial", { remain: 1 }],
  ] as const)("(%s) names its purchase, where the system knows none", async (as, more) => {
    const phone = newPhone();
    const user = await buy(phone, { timeOut: { value: true, count: 1 } }, 150);
    const { id: orderId, amount } = await theOrderOf(phone);
    const { ctx } = bench();
    const word = { orderId, as, reason: "kata penyedia", ...more };
    await expect(settleByHand(ctx, word)).rejects.toMatchObject({
      code: "invalid_input",
      message: expect.stringContaining("trxid: is required"),
    });
    expect(await booksOf(user)).toMatchObject({ escrow: amount });
    const [purchase] = await purchasesOf(phone);
    const named = { ...word, trxid: purchase?.trxid };
    expect(await settleByHand(ctx, named)).toMatchObject({ state: as, trxid: purchase?.trxid });
  });

  it("gives one purchase to one order, whoever names it for another at the same moment", async () => {
    const phones = Array.from({ length: 4 }, newPhone);
    for (const phone of phones) await buy(phone, { timeOut: { value: true, count: 1 } }, 150);
    const orders = await Promise.all(phones.map(theOrderOf));
    const trxid = (await purchasesOf(orders[0]?.target ?? ""))[0]?.trxid;
    const told = await Promise.allSettled(
      orders.map(({ id: orderId }) => {
        const { ctx } = bench({ laterMs: 80_000 });
        return settleByHand(ctx, { orderId, as: "success", reason: "kata penyedia", trxid });
      }),
    );
    const refusals = told.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
    expect(refusals.map(({ code, message }) => [code, message])).toEqual(
      Array(3).fill(["conflict", "This purchase belongs to another order"]),
    );
  });

  it("keeps that purchase from the next buyer of the same number who is in doubt", async () => {
    const phone = newPhone();
    await buy(phone, { timeOut: { value: true, count: 1 } }, 150);
    const { id: orderId } = await theOrderOf(phone);
    const [purchase] = await purchasesOf(phone);
    const word = {
      orderId,
      as: "success",
      reason: "kata penyedia",
      trxid: purchase?.trxid,
    } as const;
    await settleByHand(bench().ctx, word);
    const next = await buy(phone, { refuse: { value: 503, count: 1 } }, 3_000);
    await recover(phone);
    const [, order] = await ordersOf(phone);
    expect(order).toMatchObject({ state: "failed", trxid: null });
    expect(await booksOf(next)).toEqual({ wallet: FUNDS, escrow: 0 });
    expect(await purchasesOf(phone)).toHaveLength(1);
  });
});
