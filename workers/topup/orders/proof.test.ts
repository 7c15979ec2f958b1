import { beforeAll, describe, expect, it } from "vitest";
import { bench } from "../testing/bench.ts";
import {
  alertsOf,
  booksOf,
  purchasesOf,
  recover,
  runOrderJob,
  theOrderOf,
} from "../testing/outcomes.ts";
import { customer, dial, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import { placePrepaid, placeSocial } from "./place.ts";

beforeAll(stockShelves);

const FUNDS = 100_000;
const { credit, likes } = SERVICES;

async function buy(phoneNumber: string, dials: Record<string, unknown> = {}) {
  const user = await customer(FUNDS);
  await dial(phoneNumber, { stay: true, ...dials });
  const { ctx, settle } = bench({ actor: user, timeoutMs: dials.timeOut ? 150 : 3_000 });
  await placePrepaid(ctx, { service: credit.code, phoneNumber });
  await settle();
  return { user, order: await theOrderOf(phoneNumber) };
}

const BOUGHT = { timeOut: { value: true, count: 1 } };
const NOT_BOUGHT = { refuse: { value: 503, count: 1 } };

/** The supplier's list with some of its rows left out. */
const without = (targets: string[]) => (text: string) => {
  const answer = JSON.parse(text);
  if (!Array.isArray(answer.data)) return text;
  const data = answer.data.filter((row: { data: string }) => !targets.includes(row.data));
  return JSON.stringify({ ...answer, data });
};

describe("a history is no proof that an order was not bought", () => {
  it("while it lacks a purchase that is known to have been made since", async () => {
    const phone = newPhone();
    const { user, order } = await buy(phone, BOUGHT);
    const later = newPhone();
    await buy(later);
    for (const laterMs of [80_000, 450_000, 6 * 3_600_000]) {
      await runOrderJob(order, { laterMs, twist: without([phone, later]) });
      expect(await theOrderOf(phone)).toMatchObject({ state: "unknown" });
    }
    expect((await booksOf(user)).escrow).toBe(credit.price);
    expect(await recover(phone)).toMatchObject({ state: "processing" });
  });

  it("while it shows a purchase of this service for a target that nobody ordered for", async () => {
    const user = await customer(FUNDS);
    const target = `https://instagram.com/p/${newPhone()}`;
    await dial(target, { stay: true, ...BOUGHT });
    const { ctx, settle } = bench({ actor: user, timeoutMs: 150 });
    await placeSocial(ctx, { service: likes.code, target, quantity: 100 });
    await settle();
    const order = await theOrderOf(target);
    const twist = (text: string) => text.replaceAll(target, target.replace("https://", "www."));
    for (const laterMs of [80_000, 150_000]) await runOrderJob(order, { laterMs, twist });
    expect(await purchasesOf(target)).toHaveLength(1);
    expect(await theOrderOf(target)).toMatchObject({ state: "unknown" });
    await runOrderJob(order, { laterMs: 6.1 * 3_600_000, twist });
    const [purchase] = await purchasesOf(target);
    expect(await theOrderOf(target)).toMatchObject({ state: "processing", trxid: purchase?.trxid });
    expect(await alertsOf(order)).toContain("Pembelian yang tertulis lain diambil untuk pesanan");
  });
});

it("an order that was not bought is refunded though others of its service were meanwhile", async () => {
  const phone = newPhone();
  const { user } = await buy(phone, NOT_BOUGHT);
  await buy(newPhone());
  await buy(newPhone(), BOUGHT);
  expect(await recover(phone)).toMatchObject({ state: "failed" });
  expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
});
