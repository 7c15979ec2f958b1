import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../../shared/db/statement.ts";
import { testContext } from "../../../testing/api.ts";
import { createProduct, createUser, type TestUser } from "../../../testing/factories.ts";
import { createShop, run } from "../../testing/catalogue.ts";
import { putInCart, tripsOf, Visitor } from "../testing/visitor.ts";

async function shop() {
  const { store } = await createShop();
  const product = await createProduct(store, { stock: 5 });
  const buyer = await createUser();
  return { store, product, buyer, visitor: new Visitor(store, buyer) };
}

async function cartOf(buyer: TestUser): Promise<Record<string, number>> {
  const found = await testContext().db.run(
    rows(
      sql`select product_id, quantity from market_cart_items where user_id = ${buyer.userId}`,
      z.object({ product_id: z.string(), quantity: z.number() }),
    ),
  );
  return Object.fromEntries(found.map((line) => [line.product_id, line.quantity]));
}

describe("the cart", () => {
  it("costs one round trip to show", async () => {
    const { visitor, buyer, product } = await shop();
    await putInCart(buyer, product);
    await visitor.get("/");
    expect(await tripsOf(await visitor.get("/keranjang"))).toBe(1);
  });

  it("takes a product and adds more of it to what lies there", async () => {
    const { visitor, buyer, product } = await shop();
    for (const quantity of ["2", "1"]) {
      const answer = await visitor.post("/keranjang", { product_id: product.id, quantity });
      expect([answer.status, answer.location]).toEqual([303, "/keranjang"]);
    }
    expect(await cartOf(buyer)).toEqual({ [product.id]: 3 });
    expect((await visitor.get("/keranjang")).html).toContain(product.name);
  });

  it("goes straight to the checkout for who buys now", async () => {
    const { visitor, product } = await shop();
    const answer = await visitor.post("/keranjang", { product_id: product.id, lalu: "checkout" });
    expect(answer.location).toBe("/checkout");
  });

  it("says on the product's page when there is not enough, and keeps the typed quantity", async () => {
    const { visitor, buyer, product } = await shop();
    const answer = await visitor.post("/keranjang", { product_id: product.id, quantity: "9" });
    expect(answer.status).toBe(409);
    expect(answer.html).toContain("Stok tersisa 5");
    expect(answer.html).toMatch(/name="quantity" value="9"/);
    expect(answer.headers.get("cache-control")).toBe("private, no-store");
    expect(await cartOf(buyer)).toEqual({});
  });

  it("changes and removes lines", async () => {
    const { visitor, buyer, product } = await shop();
    await putInCart(buyer, product, 2);
    await visitor.post("/keranjang/ubah", { product_id: product.id, quantity: "2", ke: "3" });
    expect(await cartOf(buyer)).toEqual({ [product.id]: 3 });
    await visitor.post("/keranjang/ubah", { product_id: product.id, quantity: "4" });
    expect(await cartOf(buyer)).toEqual({ [product.id]: 4 });
    const refused = await visitor.post("/keranjang/ubah", { product_id: product.id, ke: "6" });
    expect(refused.status).toBe(409);
    expect(refused.html).toContain("Stok tersisa 5");
    await visitor.post("/keranjang/ubah", { product_id: product.id, ke: "0" });
    expect(await cartOf(buyer)).toEqual({});
  });

  it("flags what sold out or changed its price, and counts only what can be ordered", async () => {
    const { store, visitor, buyer, product } = await shop();
    const gone = await createProduct(store, { price: 9_000 });
    await putInCart(buyer, product, 2);
    await putInCart(buyer, gone);
    await run(sql`update market_products set stock = 0 where id = ${gone.id}`);
    await run(sql`update market_products set price = 30000 where id = ${product.id}`);
    const { html } = await visitor.get("/keranjang");
    expect(html).toContain("Stok habis");
    expect(html).toContain("Harga berubah dari Rp25.000 menjadi Rp30.000");
    expect(html).toContain("Rp60.000");
    expect(html).not.toContain("Rp69.000");
  });

  it("only mentions what lies in it from another store", async () => {
    const { visitor, buyer } = await shop();
    const other = await shop();
    await putInCart(buyer, other.product);
    const { html } = await visitor.get("/keranjang");
    expect(html).toContain("Keranjang masih kosong");
    expect(html).toContain(`http://${other.store.slug}.localhost:8787/keranjang`);
    expect(html).not.toContain(other.product.name);
    expect(html).not.toContain('href="/checkout"');
  });

  it.each([
    { product_id: "x" },
    { product_id: "" },
    {},
    { product_id: "1", quantity: "x".repeat(999) },
  ])("is not harmed by %j", async (fields) => {
    const { visitor, buyer } = await shop();
    expect((await visitor.post("/keranjang", { ...fields })).status).toBeLessThan(500);
    expect((await visitor.post("/keranjang/ubah", { ...fields })).status).toBeLessThan(500);
    expect(await cartOf(buyer)).toEqual({});
  });
});

describe("a form", () => {
  it("that another site, another store or nobody sent does nothing", async () => {
    const { visitor, buyer, product } = await shop();
    const fields = { product_id: product.id, quantity: "1" };
    const strangers: Record<string, string>[] = [
      { origin: "https://jahat.example" },
      { origin: "http://toko-lain.localhost:8787", "sec-fetch-site": "same-site" },
      { origin: "null" },
      { "sec-fetch-site": "cross-site" },
      { origin: "" },
    ];
    for (const headers of strangers) {
      const answer = await visitor.post("/keranjang", fields, headers);
      expect([headers, answer.status]).toEqual([headers, 403]);
    }
    expect(await cartOf(buyer)).toEqual({});
  });

  it("of more than a form's size is refused", async () => {
    const { visitor, product } = await shop();
    const answer = await visitor.post("/keranjang", {
      product_id: product.id,
      x: "y".repeat(200_000),
    });
    expect(answer.status).toBe(413);
  });
});
