import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { bench } from "../testing/bench.ts";
import { booksOf, ordersOf, purchasesOf, runOrderJob } from "../testing/outcomes.ts";
import {
  customer,
  dial,
  newPhone,
  SERVICES,
  shelve,
  stockShelves,
  supplierService,
  type TestService,
} from "../testing/shop.ts";
import { placeGame } from "./place.ts";
import { processOrder } from "./process.ts";

const FUNDS = 1_000_000;
const { diamonds } = SERVICES;
/** Sold under the same name from another server, at another price. */
const namesake: TestService = { ...diamonds, code: "ML86-S2" };

beforeAll(async () => {
  await stockShelves();
  const told = await supplierService(namesake.code, {});
  namesake.name = told.name;
  namesake.supplierPrice = told.price.basic;
  namesake.price = Math.ceil(told.price.basic * 1.07);
  await shelve(namesake);
});
afterAll(() => shelve(namesake, { status: "gone" }));

const NOT_BOUGHT = { refuse: { value: 503, count: 1 } };
const BOUGHT = { timeOut: { value: true, count: 1 } };

/** An order in doubt. */
async function doubt(service: TestService, gameId: string, fault: Record<string, unknown>) {
  const user = await customer(FUNDS);
  await dial(gameId, { stay: true, ...fault });
  const order = { service: service.code, gameId, zone: "2001" };
  const { number } = await placeGame(bench({ actor: user }).ctx, order);
  const { ctx, settle } = bench({ actor: user, timeoutMs: 150 });
  await processOrder(ctx, { orderNumber: number });
  await settle();
  return user;
}

/** Every order's look, in this order, until all is told that can be. */
async function look(gameId: string, codes: string[]) {
  for (const laterMs of [80_000, 150_000, 220_000, 290_000]) {
    const orders = await ordersOf(gameId);
    for (const code of codes) {
      for (const order of orders.filter((one) => one.code === code)) {
        await runOrderJob(order, { laterMs });
      }
    }
  }
  const orders = await ordersOf(gameId);
  return Object.fromEntries(orders.map(({ code, state, trxid }) => [code, { state, trxid }]));
}

describe("orders in doubt for two services of one name", () => {
  it("differ in price", () => {
    expect(namesake.name).toBe(diamonds.name);
    expect(namesake.supplierPrice).not.toBe(diamonds.supplierPrice);
  });

  it.each([
    ["the one that was not bought", [diamonds.code, namesake.code]],
    ["the one that was bought", [namesake.code, diamonds.code]],
  ])("get the purchase that has their price, also when %s is looked up first", async (_, codes) => {
    const gameId = newPhone();
    const one = await doubt(diamonds, gameId, NOT_BOUGHT);
    const other = await doubt(namesake, gameId, BOUGHT);
    const [purchase] = await purchasesOf(gameId);
    expect(await look(gameId, codes)).toEqual({
      [diamonds.code]: { state: "failed", trxid: null },
      [namesake.code]: { state: "processing", trxid: purchase?.trxid },
    });
    expect(await booksOf(one)).toEqual({ wallet: FUNDS, escrow: 0 });
    expect((await booksOf(other)).wallet).toBe(FUNDS - namesake.price);
  });

  it("get each its own when both were bought", async () => {
    const gameId = newPhone();
    await doubt(diamonds, gameId, BOUGHT);
    await doubt(namesake, gameId, BOUGHT);
    const idOf = (price: number) => bought.find((one) => one.price === price)?.trxid;
    const bought = await purchasesOf(gameId);
    expect(await look(gameId, [diamonds.code, namesake.code])).toEqual({
      [diamonds.code]: { state: "processing", trxid: idOf(diamonds.supplierPrice) },
      [namesake.code]: { state: "processing", trxid: idOf(namesake.supplierPrice) },
    });
  });

  it("wait for a person when not even the price tells them apart", async () => {
    const gameId = newPhone();
    await shelve({ ...namesake, supplierPrice: diamonds.supplierPrice });
    await doubt(diamonds, gameId, NOT_BOUGHT);
    await doubt(namesake, gameId, BOUGHT);
    const twist = (text: string) =>
      text.replaceAll(`"price":${namesake.supplierPrice}`, `"price":${diamonds.supplierPrice}`);
    for (const order of await ordersOf(gameId))
      await runOrderJob(order, { laterMs: 80_000, twist });
    expect((await ordersOf(gameId)).map(({ state }) => state)).toEqual(["review", "review"]);
    await shelve(namesake);
  });
});

it("an order in doubt does not take a purchase that has its name and another service's price", async () => {
  const gameId = newPhone();
  const user = await doubt(diamonds, gameId, NOT_BOUGHT);
  const { vipReseller } = bench({ timeoutMs: 3_000 }).ctx.providers;
  await vipReseller.createGameOrder({ service: namesake.code, target: gameId, zone: "2001" });
  expect(await look(gameId, [diamonds.code])).toEqual({
    [diamonds.code]: { state: "unknown", trxid: null },
  });
  // The supplier may have given it that price; its next list says that it has not.
  const applied = JSON.stringify({ game: { state: "applied" } });
  await testContext().db.run(
    rows(
      sql`insert into topup_syncs (action, state, families, finished_at)
        values ('full-sync', 'success', ${applied}::jsonb, now())`,
      z.unknown(),
    ),
  );
  expect(await look(gameId, [diamonds.code])).toEqual({
    [diamonds.code]: { state: "failed", trxid: null },
  });
  expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
});
