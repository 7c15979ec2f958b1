import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { bench } from "../testing/bench.ts";
import { BOUGHT, FUNDS, NOT_BOUGHT, orderGame, shelveNamesake } from "../testing/doubts.ts";
import { booksOf, ordersOf, purchasesOf, runOrderJob, SILENT_LONG } from "../testing/outcomes.ts";
import { newPhone, SERVICES, shelve, stockShelves, type TestService } from "../testing/shop.ts";

const { diamonds } = SERVICES;
let namesake: TestService;
/** The order that waits for another one is silent only after that. */
const LONG = [...SILENT_LONG, 13 * 3_600_000];

beforeAll(async () => {
  await stockShelves();
  namesake = await shelveNamesake();
});
afterAll(() => shelve(namesake, { status: "gone" }));

/** An order in doubt; answers with its buyer. */
async function doubt(item: TestService, target: string, fault: Record<string, unknown>) {
  return (await orderGame(item, { target, zone: "2001", fault })).user;
}

/** Every order's look, in this order, until all is told that can be. */
async function look(gameId: string, codes: string[], moments: readonly number[] = LONG) {
  for (const laterMs of moments) {
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
    ["the one that was not bought", () => [diamonds.code, namesake.code]],
    ["the one that was bought", () => [namesake.code, diamonds.code]],
  ])("get the purchase that has their price, also when %s is looked up first", async (_, codes) => {
    const gameId = newPhone();
    const one = await doubt(diamonds, gameId, NOT_BOUGHT);
    const other = await doubt(namesake, gameId, BOUGHT);
    const [purchase] = await purchasesOf(gameId);
    expect(await look(gameId, codes())).toEqual({
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
    for (const laterMs of SILENT_LONG) {
      for (const order of await ordersOf(gameId)) await runOrderJob(order, { laterMs, twist });
    }
    expect((await ordersOf(gameId)).map(({ state }) => state)).toEqual(["review", "review"]);
    await shelve(namesake);
  });
});

it("an order in doubt does not take a purchase that has its name and another service's price", async () => {
  const gameId = newPhone();
  const user = await doubt(diamonds, gameId, NOT_BOUGHT);
  const { vipReseller } = bench({ timeoutMs: 3_000 }).ctx.providers;
  await vipReseller.createGameOrder({ service: namesake.code, target: gameId, zone: "2001" });
  expect(await look(gameId, [diamonds.code], [80_000, 150_000])).toEqual({
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
