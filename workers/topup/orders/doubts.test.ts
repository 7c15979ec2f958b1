import { beforeAll, describe, expect, it, vi } from "vitest";
import { bench } from "../testing/bench.ts";
import { buyCredit as buy } from "../testing/doubts.ts";
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
import { latestPurchases } from "./follow.ts";
import { placePrepaid } from "./place.ts";

beforeAll(stockShelves);

const FUNDS = 100_000;
const { credit } = SERVICES;

describe("orders in doubt for the same service and target", () => {
  const lost = { timeOut: { value: true, count: 1 } };

  it("share as many purchases between them, one each", async () => {
    const [one, two] = [await customer(FUNDS), await customer(FUNDS)];
    const phone = newPhone();
    for (const user of [one, two]) {
      await dial(phone, { stay: true, ...lost });
      await buy(user, phone);
    }
    await recover(phone);
    const trxids = (await ordersOf(phone)).map(({ state, trxid }) => [state, trxid]);
    const purchases = await purchasesOf(phone);
    expect(purchases).toHaveLength(2);
    expect(trxids.sort()).toEqual(purchases.map(({ trxid }) => ["processing", trxid]).sort());
  });

  it("wait for a person when there are fewer purchases than orders", async () => {
    const [one, two] = [await customer(FUNDS), await customer(FUNDS)];
    const phone = newPhone();
    await dial(phone, { stay: true, ...lost });
    await buy(one, phone);
    await dial(phone, { stay: true, refuse: { value: 503, count: 1 } });
    await buy(two, phone);
    await recover(phone);
    const states = (await ordersOf(phone)).map(({ state }) => state);
    expect(states).toEqual(["review", "review"]);
    expect(await purchasesOf(phone)).toHaveLength(1);
    const escrows = await Promise.all([booksOf(one), booksOf(two)]);
    expect(escrows.map(({ escrow }) => escrow)).toEqual([credit.price, credit.price]);
  });

  it("keep apart what was bought before: a purchase that was seen belongs to no later order", async () => {
    const phone = newPhone();
    await dial(phone, { stay: true });
    const { ctx } = bench();
    await ctx.providers.vipReseller.createPrepaidOrder({ service: credit.code, target: phone });
    await latestPurchases(bench({ laterMs: -120_000 }).ctx, "prepaid");
    const user = await customer(FUNDS);
    await dial(phone, { stay: true, refuse: { value: 503, count: 1 } });
    await buy(user, phone);
    expect(await recover(phone)).toMatchObject({ state: "failed", trxid: null });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });

  it("are not given up while the supplier shows a purchase for the target under a name that nobody knows", async () => {
    const user = await customer(FUNDS);
    const phone = newPhone();
    await dial(phone, { stay: true, ...lost });
    await buy(user, phone);
    const order = await theOrderOf(phone);
    const twist = (text: string) => text.replaceAll(`"code":"${credit.code}"`, `"code":"S10X"`);
    await runOrderJob(order, { laterMs: 80_000, twist });
    await runOrderJob(order, { laterMs: 150_000, twist });
    // The price list of the next hour may tell.
    for (const hours of [2.5, 6.1]) await runOrderJob(order, { laterMs: hours * 3_600_000, twist });
    const [purchase] = await purchasesOf(phone);
    expect(await orderOf(phone)).toMatchObject({ state: "processing", trxid: purchase?.trxid });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS - credit.price, escrow: credit.price });
  });

  it("are not given up while the list does not go back to them", async () => {
    const user = await customer(FUNDS);
    const phone = newPhone();
    await dial(phone, { refuse: { value: 503, count: 1 } });
    await buy(user, phone);
    const order = await theOrderOf(phone);
    const row = (n: number) => ({
      ...{ trxid: `LATER${phone}${n}`, data: "0899000111", code: "T5", service: "TRI" },
      ...{ status: "success", note: "", price: 5000 },
    });
    const list = Array.from({ length: 100 }, (_, n) => row(n));
    const twist = () => JSON.stringify({ result: true, data: list, message: "" });
    for (const laterMs of [80_000, 450_000, 3_600_000])
      await runOrderJob(order, { laterMs, twist });
    await runOrderJob(order, { laterMs: 6.1 * 3_600_000, twist });
    expect(await orderOf(phone)).toMatchObject({ state: "unknown" });
  });
});

describe("an order in doubt", () => {
  it("is not given up while its call may still be on its way there", async () => {
    const user = await customer(FUNDS);
    const phone = newPhone();
    // Long enough for all looks before it arrives, also on a machine with much else to do.
    await dial(phone, { stay: true, delayMs: { value: 2_500, count: 1 } });
    await buy(user, phone);
    const order = await theOrderOf(phone);
    expect(await purchasesOf(phone)).toEqual([]);
    for (const laterMs of [1_000, 20_000, 65_000, 72_000]) await runOrderJob(order, { laterMs });
    expect(await theOrderOf(phone)).toMatchObject({ state: "unknown" });
    const arrived = async () => expect(await purchasesOf(phone)).toHaveLength(1);
    await vi.waitFor(arrived, { timeout: 10_000 });
    await runOrderJob(order, { laterMs: 76_000 });
    expect(await theOrderOf(phone)).toMatchObject({ state: "processing" });
  });

  it("is not given up while a row of the history cannot be read", async () => {
    const user = await customer(FUNDS);
    const phone = newPhone();
    await dial(phone, { stay: true, timeOut: { value: true, count: 1 } });
    await buy(user, phone);
    const order = await theOrderOf(phone);
    const [{ trxid } = { trxid: "" }] = await purchasesOf(phone);
    const twist = (text: string) => text.replaceAll(`"trxid":"${trxid}"`, '"trxid":null');
    for (const laterMs of [80_000, 150_000, 3_600_000]) {
      await runOrderJob(order, { laterMs, twist });
    }
    expect(await theOrderOf(phone)).toMatchObject({ state: "unknown" });
    await runOrderJob(order, { laterMs: 3_700_000 });
    expect(await theOrderOf(phone)).toMatchObject({ state: "processing", trxid });
  });

  it("with a purchase that another order is still being bought for waits for that", async () => {
    const [one, two] = [await customer(FUNDS), await customer(FUNDS)];
    const phone = newPhone();
    await dial(phone, { stay: true, refuse: { value: 503, count: 1 } });
    await buy(one, phone);
    const doubtful = await theOrderOf(phone);
    const lost = bench({ actor: two, killAt: 1, kill: "after", laterMs: 30_000 });
    const input = { service: credit.code, phoneNumber: phone };
    await Promise.race([placePrepaid(lost.ctx, input), lost.killed]);
    for (const laterMs of [80_000, 100_000]) await runOrderJob(doubtful, { laterMs });
    const states = (await ordersOf(phone)).map(({ state }) => state);
    expect(states).toEqual(["unknown", "buying"]);
  });
});
