import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { api, testContext } from "../../testing/api.ts";
import { createProduct, type TestProduct, unique } from "../../testing/factories.ts";
import { createShop, run } from "../testing/catalogue.ts";
import { agreedTalkOf, done, priceOf } from "./testing/proposals.ts";
import { actionsOf, ask, rowOf, script, undo } from "./testing/talk.ts";

describe("POST /api/ai/undo/:id", () => {
  const direct = (product: TestProduct): [string, unknown][] => [
    ["update_product", { product_id: product.id, price: 40_000, name: "Baru" }],
  ];

  it("puts back what the assistant changed, once, and writes it down", async () => {
    const { seller, product } = await agreedTalkOf(direct);
    const [action] = await actionsOf(seller);
    expect(action).toMatchObject({
      confirmed: true,
      undo_until: expect.any(String),
      undone_at: null,
    });
    const { status, body } = await undo(seller, action.id);
    expect([status, body.data]).toEqual([
      200,
      { id: action.id, undone: true, message: "Sudah dikembalikan seperti sebelumnya." },
    ]);
    expect(await rowOf("market_products", product.id)).toMatchObject({
      price: 50_000,
      name: product.name,
    });
    expect((await undo(seller, action.id)).status).toBe(409);
    const told = await testContext().db.run({
      sql: "select action from audit_entries where subject_id = $1 order by id",
      params: [product.id],
      arrayMode: false,
      map: ({ rows }) => rows,
    });
    expect(told).toEqual([
      { action: "market.assistant.update_product" },
      { action: "market.assistant.undo" },
    ]);
  });

  it("takes back a product, a promo, a deletion, the store's words and its place", async () => {
    const shop = await createShop();
    const product = await createProduct(shop.store);
    const code = unique("P").slice(0, 12).toUpperCase();
    const match = await script([
      {
        blocks: [
          { tool: "create_product", input: { name: "Kopi", price: 9_000, stock: 2 } },
          {
            tool: "create_promo",
            input: {
              code,
              type: "percentage",
              value: 10,
              starts_at: "2026-01-01",
              ends_at: "2090-01-01",
            },
          },
          { tool: "update_store_info", input: { description: "Toko ramah" } },
          { tool: "set_store_location", input: { lat: -8.0954, lng: 112.1609 } },
          { tool: "delete_product", input: { product_id: product.id } },
        ],
      },
      done,
    ]);
    const { sessionId } = await ask(shop.seller, match);
    await ask(shop.seller, "konfirmasi semua", sessionId);
    expect(await rowOf("market_stores", shop.store.id)).toMatchObject({
      description: "Toko ramah",
      lat: -8.0954,
    });
    expect((await rowOf("market_products", product.id)).deleted_at).not.toBeNull();
    const actions = await actionsOf(shop.seller);
    expect(actions).toHaveLength(5);
    for (const { id, tool } of actions)
      expect([tool, (await undo(shop.seller, id)).status]).toEqual([tool, 200]);
    expect(await rowOf("market_stores", shop.store.id)).toMatchObject({
      description: null,
      lat: null,
      lng: null,
    });
    expect((await rowOf("market_products", product.id)).deleted_at).toBeNull();
    const listed = await api("/api/seller/products", { token: shop.seller.token });
    expect(listed.body.data.map(({ id }: { id: string }) => id)).toEqual([product.id]);
    expect((await api("/api/seller/promo", { token: shop.seller.token })).body.meta.total).toBe(0);
  });

  it("is refused after a day, to others, and for what is not there", async () => {
    const { seller, product } = await agreedTalkOf(direct);
    const { seller: stranger } = await createShop();
    const [action] = await actionsOf(seller);
    expect((await undo(stranger, action.id)).status).toBe(404);
    expect((await undo(seller, crypto.randomUUID())).status).toBe(404);
    expect((await undo(seller, "bukan-id")).status).toBe(404);
    await run(
      sql`update market_assistant_actions set created_at = now() - interval '24 hours' where id = ${action.id}`,
    );
    expect((await undo(seller, action.id)).status).toBe(409);
    expect(await priceOf(product)).toBe(40_000);
  });
});
