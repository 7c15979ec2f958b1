import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { api, settleBackground, testContext } from "../../testing/api.ts";
import { createProduct, createUser, type TestUser } from "../../testing/factories.ts";
import { balance, order, readOrder } from "../../testing/orders.ts";
import { deleteStore, finishStoreDeletions } from "../admin/stores.ts";
import { cancelOf, refundOf } from "../testing/money.ts";
import { handOver, news } from "../testing/parcels.ts";
import { openShop, type Sale, type Shop, sell, settle, sumOfLedger } from "../testing/sales.ts";

let admin: TestUser;
beforeAll(async () => {
  admin = await createUser(["admin"]);
});

const post = (path: string, { token }: TestUser, json: object = {}) =>
  api(path, { method: "POST", token, json });
/** Its payment comes all the same, and goes back. */
async function payAndRefund(sale: Sale) {
  await settle(sale);
  expect((await refundOf(admin, sale, {})).status).toBe(200);
}
const declare = ({ orderId }: Sale) =>
  post(`/api/admin/orders/${orderId}/delivered`, admin, { reason: "Foto serah terima" });
const remove = ({ store }: Shop, defer: boolean) =>
  deleteStore({ ...testContext(), actor: admin }, store.id, defer).catch(() => null);

const State = z.object({ deleted: z.boolean(), open: z.number(), waits: z.boolean() });
async function stateOf({ store }: Shop) {
  const query = sql`select s.deleted_at is not null as deleted, market_open_orders(s.id)::int as open,
    exists (select from market_store_deletions d where d.store_id = s.id) as waits
    from market_stores s where s.id = ${store.id}`;
  return (await testContext().db.run(rows(query, State)))[0];
}

/** Orders of a store in every state that an order can be in, by what ends each of them. */
async function inEveryState(shop: Shop) {
  const made = [];
  for (let n = 0; n < 6; n += 1) made.push(await sell(shop));
  const [unpaid, paid, asked, travels, lost, back] = made as [Sale, Sale, Sale, Sale, Sale, Sale];
  await settle(paid);
  for (const sale of [asked, travels, lost, back]) await handOver(sale);
  for (const sale of [travels, lost, back]) await news(sale, "shipped", "shipped_packages");
  await news(lost, "lost", "rejected_packages");
  await news(back, "returned", "returned_packages", { returned_at: "2026-11-25 10:00:00" });
  return [
    () => payAndRefund(unpaid),
    () => cancelOf(paid.seller, paid),
    () => refundOf(admin, asked, {}),
    () => news(travels, "finished", "finished_packages"),
    () => declare(lost),
    () => cancelOf(back.seller, back),
  ];
}

describe("the deletion of a store with an order in every state", () => {
  it("is refused, or waits for the last of them, in whatever order they end", async () => {
    const shop = await openShop();
    const ends = await inEveryState(shop);
    expect(await remove(shop, false)).toBeNull();
    expect(await remove(shop, true)).toMatchObject({ deleted: false, open_orders: 6 });
    for (const [index, end] of ends.entries()) {
      await finishStoreDeletions(testContext());
      expect(await stateOf(shop)).toEqual({ deleted: false, open: 6 - index, waits: true });
      await end();
    }
    await finishStoreDeletions(testContext());
    expect(await stateOf(shop)).toEqual({ deleted: true, open: 0, waits: false });
    expect(await balance("escrow", shop.store.id)).toBe(0);
    expect(await balance("wallet", shop.seller.userId)).toBe(2 * 47_500);
    expect(await sumOfLedger()).toBe(0);
  });

  it("leaves nothing open behind, however much of it happens at once", async () => {
    const shop = await openShop();
    const [ends, product] = [await inEveryState(shop), await createProduct(shop.store)];
    const buyers = await Promise.all([1, 2, 3].map(() => createUser()));
    const [placed] = await Promise.all([
      Promise.all(buyers.map((buyer) => order(buyer, shop.store, [[product, 1]]))),
      ...ends.map((end) => end()),
      ...[true, true, false].map((defer) => remove(shop, defer)),
      ...[1, 2, 3, 4].map(() => finishStoreDeletions(testContext())),
    ]);
    expect(placed.every(({ status }) => status === 201 || status === 404)).toBe(true);
    const before = await stateOf(shop);
    expect(before?.deleted ? before.open : 0).toBe(0);
    await settleBackground();
    for (const { body, status } of placed) {
      if (status !== 201) continue;
      const orderId: string = body.data.order_id;
      const { number, total, provider_ref: qris, snap_ref: snap } = await readOrder(orderId);
      await payAndRefund({ ...shop, product, orderId, number, total, qris, snap });
    }
    await finishStoreDeletions(testContext());
    expect(await stateOf(shop)).toMatchObject({ deleted: true, open: 0, waits: false });
    expect(await balance("escrow", shop.store.id)).toBe(0);
    expect(await balance("wallet", shop.seller.userId)).toBe(2 * 47_500);
    expect(await sumOfLedger()).toBe(0);
  });
});
