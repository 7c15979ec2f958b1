import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { bench } from "../testing/bench.ts";
import { alertsOf, theOrderOf } from "../testing/outcomes.ts";
import { customer, dial, hand, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import { followOrders, followThese } from "./follow.ts";
import type { Order } from "./order.ts";
import { placePrepaid, placeSocial } from "./place.ts";

/** What other tests left under way would take turns from what is asked about here. */
beforeAll(async () => {
  await stockShelves();
  await testContext().db.run(
    rows(
      sql`update topup_orders set ask_at = now() + interval '1 day' where state = 'processing'`,
      z.unknown(),
    ),
  );
});

const { credit, likes } = SERVICES;
const MINUTE_MS = 60_000;

async function bought(): Promise<Order> {
  const phoneNumber = newPhone();
  await dial(phoneNumber, { stay: true });
  const { ctx, settle } = bench({ actor: await customer(), timeoutMs: 3_000 });
  await placePrepaid(ctx, { service: credit.code, phoneNumber });
  await settle();
  return await theOrderOf(phoneNumber);
}

async function boughtLikes(): Promise<Order> {
  const target = `https://instagram.com/p/${newPhone()}`;
  await dial(target, { stay: true });
  const { ctx, settle } = bench({ actor: await customer(), timeoutMs: 3_000 });
  await placeSocial(ctx, { service: likes.code, target, quantity: 100 });
  await settle();
  return await theOrderOf(target);
}

/** The supplier forgets these purchases, which have been due for days. */
async function forget(orders: Order[]): Promise<void> {
  const ids = `{${orders.map(({ id }) => id).join(",")}}`;
  await testContext().db.run(
    rows(
      sql`update topup_orders set trxid = 'GONE' || trxid, ask_at = now() - interval '2 days'
        where id = any (${ids}::uuid[])`,
      z.unknown(),
    ),
  );
}

/** The latest list does not go back to this purchase; asked for by its id, it is there. */
const unlisted =
  ({ trxid }: Order) =>
  (text: string) => {
    const answer = JSON.parse(text);
    const isList = answer.result && answer.data.length > 1;
    if (isList) answer.data = answer.data.filter((row: { trxid: string }) => row.trxid !== trxid);
    return JSON.stringify(answer);
  };

async function follow(minutes: number, twist?: (text: string) => string): Promise<void> {
  const { ctx, settle } = bench({
    laterMs: minutes * MINUTE_MS,
    timeoutMs: 3_000,
    ...(twist && { twist }),
  });
  await followOrders(ctx);
  await settle();
}

/** The first list of a look does not go back to these purchases, the next one does. */
function shortFirst(orders: Order[]): (text: string) => string {
  const ours = new Set(orders.map(({ trxid }) => trxid));
  let lists = 0;
  return (text) => {
    const answer = JSON.parse(text);
    if (!answer.result || answer.data.length < 2) return text;
    lists += 1;
    if (lists > 1) return text;
    const data = answer.data.filter(({ trxid }: { trxid: string }) => !ours.has(trxid));
    return JSON.stringify({ ...answer, data });
  };
}

const manyBought = () => Promise.all(Array.from({ length: 15 }, bought));

describe("purchases whose callbacks were lost together, further back than the latest list", () => {
  it("are told of in one look, by a longer list", async () => {
    const orders = await manyBought();
    for (const { trxid } of orders) await hand("succeed", trxid ?? "");
    await follow(1, shortFirst(orders));
    for (const { target } of orders) {
      expect(await theOrderOf(target)).toMatchObject({ state: "success" });
    }
  });

  it("are asked about one by one where the longer list cannot be had", async () => {
    const orders = await manyBought();
    for (const { trxid } of orders) await hand("succeed", trxid ?? "");
    const short = shortFirst(orders);
    let lists = 0;
    await follow(1, (text) => {
      if (JSON.parse(text).data?.length > 1) lists += 1;
      return lists > 1 && JSON.parse(text).data?.length > 1 ? "<html>" : short(text);
    });
    const found = await Promise.all(orders.map(({ target }) => theOrderOf(target)));
    expect(found.filter(({ state }) => state === "success")).toHaveLength(10);
    await follow(2);
    for (const { target } of orders) {
      expect(await theOrderOf(target)).toMatchObject({ state: "success" });
    }
  });

  it("are left for later while the supplier answers none of them", async () => {
    const orders = await manyBought();
    for (const { trxid } of orders) await hand("succeed", trxid ?? "");
    const ours = new Set(orders.map(({ trxid }) => trxid));
    let asked = 0;
    await follow(1, (text) => {
      const answer = JSON.parse(text);
      if (answer.data.length > 1) {
        const data = answer.data.filter(({ trxid }: { trxid: string }) => !ours.has(trxid));
        return JSON.stringify({ ...answer, data });
      }
      asked += 1;
      return "<html>";
    });
    // Three purchases, each with the client's repeats.
    expect(asked).toBe(9);
    await follow(2);
    for (const { target } of orders) {
      expect(await theOrderOf(target)).toMatchObject({ state: "success" });
    }
  });
});

describe("purchases that the supplier no longer shows", () => {
  it("hold up no other, and are pointed out to the operator", async () => {
    const lost: Order[] = [];
    for (let more = 0; more < 12; more += 1) lost.push(await bought());
    const one = await bought();
    await hand("succeed", one.trxid ?? "");
    await forget(lost);
    for (const minutes of [1, 2]) await follow(minutes, unlisted(one));
    expect(await theOrderOf(one.target)).toMatchObject({ state: "success" });

    for (let minutes = 3; minutes < 40; minutes += 2) await follow(minutes);
    for (const order of lost) {
      const waiting = await theOrderOf(order.target);
      expect(waiting).toMatchObject({
        state: "processing",
        reviewReason: "the supplier no longer knows the purchase",
      });
      expect(await alertsOf(waiting)).toEqual(["Pesanan lama diproses penyedia"]);
    }
  });

  it("are not given up for being silent a while, nor for calls that fail", async () => {
    const order = await bought();
    const missing = (text: string) => {
      const answer = JSON.parse(text);
      answer.data = answer.data.filter((row: { trxid: string }) => row.trxid !== order.trxid);
      return JSON.stringify(answer);
    };
    for (const minutes of [1, 2, 3, 4, 5, 6]) await follow(minutes, missing);
    expect(await theOrderOf(order.target)).toMatchObject({ state: "processing" });
    await follow(7);
    for (const minutes of [30, 31]) await follow(minutes, missing);
    expect(await theOrderOf(order.target)).toMatchObject({ state: "processing" });
  });
});

describe("a purchase that the supplier leaves under way", () => {
  const HOURS = 60 * MINUTE_MS;
  async function ask({ id }: Order, laterMs: number) {
    const { ctx, settle } = bench({ laterMs, timeoutMs: 3_000 });
    await followThese(ctx, [id]);
    await settle();
  }

  it.each([
    ["prepaid", bought, 25 * HOURS],
    ["social", boughtLikes, 73 * HOURS],
  ])(
    "(%s) is pointed out once, asked about as before, and refunded by nobody",
    async (_, buy, due) => {
      const order = await buy();
      await ask(order, due - 2 * HOURS);
      expect(await theOrderOf(order.target)).toMatchObject({ reviewReason: null });
      for (const laterMs of [due, due + HOURS, 10 * due]) await ask(order, laterMs);
      expect(await theOrderOf(order.target)).toMatchObject({
        state: "processing",
        refundedAmount: 0,
        reviewReason: expect.stringContaining("has not delivered"),
      });
      expect(await alertsOf(order)).toEqual(["Pesanan lama diproses penyedia"]);
      await hand("succeed", order.trxid ?? "");
      await ask(order, 11 * due);
      expect(await theOrderOf(order.target)).toMatchObject({
        state: "success",
        reviewReason: null,
      });
    },
  );
});
