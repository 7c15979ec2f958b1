import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { bench } from "../testing/bench.ts";
import { BOUGHT, orderGame } from "../testing/doubts.ts";
import { alertsOf, purchasesOf, runOrderJob, theOrderOf } from "../testing/outcomes.ts";
import { customer, dial, hand, newPhone, SERVICES, shelve, stockShelves } from "../testing/shop.ts";
import { followOrders } from "./follow.ts";
import { placeGame } from "./place.ts";
import { processOrder } from "./process.ts";

beforeAll(stockShelves);

const { fire } = SERVICES;

/** The provider's own page: a list has `game` "Mobile Legends B" and `name` "1048 Diamonds", an order both as one. */
describe("what the supplier writes beside a purchase", () => {
  const service = { name: "1048 Diamonds", brand: "Mobile Legends B", code: "ML1048-S1" };
  it.each([
    ["1048 Diamonds", true],
    ["Mobile Legends B - 1048 Diamonds", true],
    ["mobile legends b  -  1048 diamonds", true],
    ["Mobile Legends B 1048 Diamonds", true],
    ["Mobile Legends B: 1048 Diamonds", true],
    ["ML1048-S1", true],
    ["ML1048-S1 - 1048 Diamonds", true],
    ["Mobile Legends A - 1048 Diamonds", false],
    ["Mobile Legends - 1048 Diamonds", false],
    ["Mobile Legends B - 11048 Diamonds", false],
    ["Mobile Legends B - 48 Diamonds", false],
    ["Mobile Legends B - 1048 Diamonds + 50", false],
    ["ML1048-S1 - 48 Diamonds", false],
    ["Mobile Legends B", false],
    ["", false],
  ])("%s: is its service's: %s", async (shown, is) => {
    const { name, brand, code } = service;
    const query = sql`select topup_is_called(${shown}, ${name}, ${brand}, ${code}) as "is"`;
    expect(await testContext().db.run(rows(query, z.object({ is: z.boolean() })))).toEqual([
      { is },
    ]);
  });
});

describe("a game's order that the supplier shows with its game before its name", () => {
  it.each([
    ["is delivered", "succeed", "success"],
    ["is paid back", "fail", "failed"],
  ] as const)("%s, and nobody is asked", async (_, act, state) => {
    const { order } = await orderGame(fire);
    expect(order).toMatchObject({ state: "processing", serviceName: "70 Diamonds" });
    await hand(act, order.trxid ?? "");
    const { ctx, settle } = bench({ laterMs: 60_000 });
    await followOrders(ctx);
    await settle();
    expect(await theOrderOf(order.target)).toMatchObject({ state, reviewReason: null });
    expect(await alertsOf(order)).toEqual([]);
  });

  it("is found in the history by it, at once and without a word to anybody", async () => {
    const { order } = await orderGame(fire, { fault: BOUGHT });
    await runOrderJob(order, { laterMs: 80_000 });
    const [{ trxid } = { trxid: "" }] = await purchasesOf(order.target);
    expect(await theOrderOf(order.target)).toMatchObject({ state: "processing", trxid });
    expect(await alertsOf(order)).toEqual([]);
  });

  it("waits for a person where that is another game's, though the name is the same", async () => {
    const user = await customer();
    const target = newPhone();
    await dial(target, { stay: true });
    const { number: orderNumber } = await placeGame(bench({ actor: user }).ctx, {
      service: fire.code,
      gameId: target,
    });
    const twist = (text: string) => text.replace("Free Fire - ", "Free Fire MAX - ");
    const { ctx, settle } = bench({ actor: user, twist });
    await processOrder(ctx, { orderNumber });
    await settle();
    expect(await theOrderOf(target)).toMatchObject({
      state: "review",
      reviewReason: expect.stringContaining("Free Fire MAX - 70 Diamonds"),
    });
  });

  it("is not bought once its code is another game's, though the name is the same", async () => {
    const user = await customer();
    const wish = { service: fire.code, gameId: newPhone() };
    const { number: orderNumber } = await placeGame(bench({ actor: user }).ctx, wish);
    await shelve({ ...fire, brand: "Free Fire MAX" });
    await expect(processOrder(bench({ actor: user }).ctx, { orderNumber })).rejects.toMatchObject({
      message: "This service is now Free Fire MAX - 70 Diamonds. Please order again.",
    });
    await shelve(fire);
    expect(await purchasesOf(wish.gameId)).toEqual([]);
  });

  it("goes on from a review that the release before opened for that name", async () => {
    const { order } = await orderGame(fire);
    const reason =
      "the supplier's purchase is of another service by its name: Free Fire - 70 Diamonds";
    await testContext().db.run(
      rows(
        sql`update topup_orders set state = 'review', bought_at = null, review_reason = ${reason} where id = ${order.id}`,
        z.unknown(),
      ),
    );
    await hand("succeed", order.trxid ?? "");
    const { ctx, settle } = bench({ laterMs: 60_000 });
    await followOrders(ctx);
    await settle();
    expect(await theOrderOf(order.target)).toMatchObject({ state: "success" });
  });
});
