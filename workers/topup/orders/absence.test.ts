import { beforeAll, describe, expect, it } from "vitest";
import { bench } from "../testing/bench.ts";
import {
  alertsOf,
  booksOf,
  orderOf,
  purchasesOf,
  runOrderJob,
  theOrderOf,
} from "../testing/outcomes.ts";
import { customer, dial, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import type { Order } from "./order.ts";
import { placePrepaid } from "./place.ts";

beforeAll(stockShelves);

const FUNDS = 100_000;
const { credit } = SERVICES;

async function buy(phoneNumber: string, dials: Record<string, unknown>) {
  const user = await customer(FUNDS);
  await dial(phoneNumber, { stay: true, ...dials });
  const { ctx, settle } = bench({ actor: user, timeoutMs: dials.timeOut ? 150 : 3_000 });
  await placePrepaid(ctx, { service: credit.code, phoneNumber });
  await settle();
  return { user, order: await theOrderOf(phoneNumber) };
}

/** An order that was bought, and whose answer was lost. */
const lose = (phone: string) => buy(phone, { timeOut: { value: true, count: 1 } });

/** Looks that would be enough were the list whole, then one after all patience. */
async function lookAndWait(order: Order, twist: (text: string) => string) {
  for (const laterMs of [80_000, 450_000, 3 * 3_600_000]) {
    await runOrderJob(order, { laterMs, twist });
    expect(await orderOf(order.target)).toMatchObject({ state: "unknown" });
  }
  await runOrderJob(order, { laterMs: 6.1 * 3_600_000, twist });
}

describe("an order that was bought, and whose answer was lost, is not refunded", () => {
  it.each([
    ["an empty history", { result: true, data: [], message: "" }],
    ["no history", { result: false, data: null, message: "Transaksi tidak ditemukan." }],
  ])("while the supplier shows %s, though purchases are known", async (_, answer) => {
    const phone = newPhone();
    const { user, order } = await lose(phone);
    await lookAndWait(order, () => JSON.stringify(answer));
    const waiting = await theOrderOf(phone);
    expect(waiting).toMatchObject({ state: "review", refundedAmount: 0 });
    expect(await alertsOf(waiting)).toEqual([
      "Riwayat penyedia diam selama sejam",
      "Pesanan perlu diperiksa",
    ]);
    expect(await purchasesOf(phone)).toHaveLength(1);
    expect(await booksOf(user)).toEqual({ wallet: FUNDS - credit.price, escrow: credit.price });
  });

  it("while the supplier shows only what was bought after it", async () => {
    const phone = newPhone();
    const { user, order } = await lose(phone);
    for (let later = 0; later < 11; later += 1) await buy(newPhone(), {});
    await lookAndWait(order, (text) => {
      const answer = JSON.parse(text);
      return JSON.stringify({ ...answer, data: answer.data.slice(0, 10) });
    });
    expect(await theOrderOf(phone)).toMatchObject({ state: "review", refundedAmount: 0 });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS - credit.price, escrow: credit.price });
  });
});
