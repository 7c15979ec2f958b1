import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { createProduct, createStore, createUser } from "../../testing/factories.ts";
import { createShop, run } from "../testing/catalogue.ts";
import { undoAction } from "./sessions.ts";
import { actWithYes, doneBy } from "./testing/acts.ts";
import { rowOf } from "./testing/talk.ts";

/** A seller with one product, what the assistant does to it, and what is undone of that. */
async function bench(fields: Parameters<typeof createProduct>[1] = {}) {
  const { seller, store } = await createShop();
  const product = await createProduct(store, { price: 50_000, ...fields });
  const set = (changes: object) =>
    doneBy(seller, ["update_product", { product_id: product.id, ...changes }]);
  const undone = async (id: string) => (await undoAction(testContext(seller), id)).message;
  const byHand = async (json: object) => {
    const path = `/api/seller/products/${product.id}`;
    expect((await api(path, { method: "PUT", token: seller.token, json })).status).toBe(200);
  };
  const row = () => rowOf("market_products", product.id);
  const sell = (pieces: number) =>
    run(sql`update market_products set stock = stock - ${pieces}::int where id = ${product.id}`);
  return { seller, store, product, set, undone, byHand, row, sell };
}

describe("what was set anew since", () => {
  it("stays and is named, and all else that the act set goes back", async () => {
    const { set, undone, byHand, row, product } = await bench();
    const act = await set({ price: 40_000, name: "Baru" });
    await byHand({ price: 41_000 });
    expect(await undone(act)).toMatch(/^Dikembalikan, kecuali harga sudah diubah lagi/);
    expect(await row()).toMatchObject({ price: 41_000, name: product.name });
  });

  it("by the assistant goes back to what was before both, in either order", async () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ] as const) {
      const { set, undone, row } = await bench();
      const acts = [
        await set({ price: 40_000, stock: 20 }),
        await set({ price: 30_000, stock: 30 }),
      ];
      for (const which of order) await undone(acts[which] ?? "");
      expect(await row()).toMatchObject({ price: 50_000, stock: 10 });
    }
  });

  it.each([
    [
      [20, 30, 25],
      [1, 0, 2],
    ],
    [
      [20, 30, 25],
      [1, 2, 0],
    ],
    // One of them changes nothing.
    [
      [20, 20, 30],
      [0, 1, 2],
    ],
  ])(
    "by three acts goes back to what was before all: stocks %j, undone as %j",
    async (stocks, order) => {
      const { set, undone, row } = await bench();
      const acts: string[] = [];
      for (const [n, stock] of stocks.entries()) {
        acts.push(await set({ stock, price: 40_000 - 1_000 * n }));
      }
      for (const which of order) await undone(acts[which] ?? "");
      expect(await row()).toMatchObject({ price: 50_000, stock: 10, stock_counts: 0 });
    },
  );

  it("is told from another way to write the same", async () => {
    const { set, undone, row } = await bench();
    const query = sql`select id from market_categories order by id limit 1`;
    const [category] = await testContext().db.run(rows(query, z.object({ id: z.string() })));
    const { category_id: before } = await row();
    const act = await set({ category_id: category?.id.toUpperCase() });
    expect((await row()).category_id).toBe(category?.id);
    expect(await undone(act)).toMatch(/^Sudah/);
    expect((await row()).category_id).toBe(before);
  });

  it("by hand between two acts is what the later one goes back to", async () => {
    const { set, undone, byHand, row } = await bench();
    const first = await set({ price: 40_000, stock: 20 });
    await byHand({ price: 45_000, stock: 25 });
    const second = await set({ price: 30_000, stock: 30 });
    await undone(first);
    await undone(second);
    expect(await row()).toMatchObject({ price: 45_000, stock: 25 });
  });

  it("leaves a place whole: latitude and longitude go back together or not at all", async () => {
    const { seller, store, undone } = await bench();
    const act = await doneBy(seller, ["set_store_location", { lat: -8.1, lng: 112.1 }]);
    await run(sql`update market_stores set lat = -8.2 where id = ${store.id}`);
    expect(await undone(act)).toMatch(/^Dibiarkan: lokasi sudah diubah lagi/);
    expect(await rowOf("market_stores", store.id)).toMatchObject({ lat: -8.2, lng: 112.1 });
  });

  it("does not leave on sale what has no weight any more", async () => {
    const { set, undone, byHand, row } = await bench();
    const act = await set({ status: "archived" });
    await byHand({ weight_gram: 0 });
    expect(await undone(act)).toMatch(/^Dibiarkan: status/);
    expect(await row()).toMatchObject({ status: "archived", weight_gram: 0 });
  });
});

describe("a stock that the assistant set", () => {
  it("goes back to what was counted before, less what was sold since", async () => {
    const { set, undone, row, sell } = await bench({ stock: 20 });
    const act = await set({ stock: 5 });
    await sell(3);
    await undone(act);
    expect((await row()).stock).toBe(17);
  });

  it("never falls below what buyers have ordered", async () => {
    const { set, undone, row, product } = await bench({ stock: 10 });
    const act = await set({ stock: 20 });
    await run(sql`update market_products set reserved = 15 where id = ${product.id}`);
    await undone(act);
    expect(await row()).toMatchObject({ stock: 15, reserved: 15 });
  });

  it("stays where its seller has counted anew, also to a figure that sales might have led to", async () => {
    const { set, undone, byHand, row } = await bench({ stock: 10 });
    const act = await set({ stock: 20 });
    await byHand({ stock: 18 });
    expect(await undone(act)).toMatch(/^Dibiarkan: stok/);
    expect((await row()).stock).toBe(18);
  });

  it("is not set where its seller has counted anew since he was asked", async () => {
    const { seller, product, byHand, row } = await bench({ stock: 10 });
    const call: [string, Record<string, unknown>] = [
      "update_product",
      { product_id: product.id, stock: 0 },
    ];
    const asked = actWithYes(testContext(seller), call, () => byHand({ stock: 40 }));
    await expect(asked).rejects.toMatchObject({ code: "changed" });
    expect((await row()).stock).toBe(40);
  });
});

it.each(["somebody else's", "his own"])(
  "what an admin has featured, of %s, only an admin takes back",
  async (whose) => {
    const admin = await createUser(["buyer", "seller", "admin"]);
    const store = whose === "his own" ? await createStore(admin) : (await createShop()).store;
    const act = await doneBy(admin, ["feature_store", { store_id: store.id, featured: true }]);
    await run(sql`update identity_users set roles = '{buyer,seller}' where id = ${admin.userId}`);
    await expect(undoAction(testContext(admin), act)).rejects.toMatchObject({ code: "forbidden" });
    expect((await rowOf("market_stores", store.id)).is_featured).toBe(true);
  },
);
