import { beforeAll, expect, it } from "vitest";
import { bench } from "../testing/bench.ts";
import { alertsOf, booksOf, theOrderOf } from "../testing/outcomes.ts";
import { customer, dial, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import { placeGame } from "./place.ts";
import { processOrder } from "./process.ts";

beforeAll(stockShelves);

const FUNDS = 1_000_000;
const { diamonds } = SERVICES;

async function buy(twist: (text: string) => string) {
  const user = await customer(FUNDS);
  const gameId = newPhone();
  await dial(gameId, { stay: true });
  const { ctx, settle } = bench({ actor: user, twist, timeoutMs: 3_000 });
  const { number } = await placeGame(ctx, { service: diamonds.code, gameId, zone: "2001" });
  await processOrder(ctx, { orderNumber: number });
  await settle();
  return { user, order: await theOrderOf(gameId) };
}

it.each([
  ["for another zone", `"zone":"2001"`, `"zone":"9999"`],
  ["of another service", "86 Diamonds", "3 Diamonds"],
])("a purchase that is %s waits for a person, with its money", async (reason, from, to) => {
  const { user, order } = await buy((text) => text.replaceAll(from, to));
  expect(order).toMatchObject({
    state: "review",
    trxid: expect.any(String),
    reviewReason: expect.stringContaining(reason),
  });
  expect(await alertsOf(order)).toEqual(["Pesanan perlu diperiksa"]);
  expect(await booksOf(user)).toEqual({ wallet: FUNDS - order.amount, escrow: order.amount });
});

it.each([
  ["in other letters", "86 Diamonds", "86  DIAMONDS"],
  ["without its zone", `"zone":"2001"`, `"zone":""`],
])("a purchase that the supplier shows %s is the one that was ordered", async (_, from, to) => {
  const { order } = await buy((text) => text.replaceAll(from, to));
  expect(order).toMatchObject({ state: "processing" });
});
