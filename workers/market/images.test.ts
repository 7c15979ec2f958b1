import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../shared/db/statement.ts";
import { api, testContext } from "../testing/api.ts";
import { createProduct, createUser, type TestUser } from "../testing/factories.ts";
import { COURIER_AREA, order } from "../testing/orders.ts";
import { Visitor } from "./storefront/testing/visitor.ts";
import { imageUrl, run } from "./testing/catalogue.ts";
import { openShop } from "./testing/sales.ts";

const HERE = testContext().config.APP_URL;
/** Where the platform answered when an earlier picture was stored. */
const ONCE = "http://localhost:9123";

const pathOf = (seller: TestUser, letter: string) => imageUrl(seller, letter).slice(HERE.length);
const read = async (query: ReturnType<typeof sql>) =>
  (await testContext().db.run(rows(query, z.object({ url: z.string().nullable() })))).map(
    ({ url }) => url,
  );

/** A shop whose pictures are stored below `origin`, with a product in a cart and in an order. */
async function shopOf(origin: string) {
  const shop = await openShop();
  const { seller, store, buyer } = shop;
  const product = await createProduct(store);
  await run(sql`insert into market_product_images (product_id, url, is_primary)
    values (${product.id}, ${origin + pathOf(seller, "a")}, true)`);
  await run(sql`update market_stores set logo_url = ${origin + pathOf(seller, "b")},
    banner_url = ${origin + pathOf(seller, "c")} where id = ${store.id}`);
  const placed = await order(buyer, store, [[product, 1]], { originAreaId: COURIER_AREA });
  const json = { product_id: product.id, quantity: 1 };
  await api("/api/buyer/cart", { method: "POST", token: buyer.token, json });
  return { ...shop, product, orderId: placed.body.data.order_id ?? placed.body.data.id };
}

describe("a stored picture", () => {
  it.each([
    ["as a path", ""],
    ["with the address of then", ONCE],
  ])("%s is shown under the address of today, wherever it is shown", async (_, origin) => {
    const { seller, buyer, store, product, orderId } = await shopOf(origin);
    const shown = async (path: string, { token }: TestUser) => {
      const { status, body } = await api(path, { token });
      expect(status, path).toBe(200);
      const text = JSON.stringify(body.data);
      expect(text, path).not.toContain(ONCE);
      return [...text.matchAll(/"([^"]*\/uploads\/products\/[^"]*)"/g)].map(([, url]) => url);
    };
    const picture = imageUrl(seller, "a");
    const logos = [imageUrl(seller, "b"), imageUrl(seller, "c")];
    expect(await shown("/api/seller/store", seller)).toEqual(logos);
    expect(await shown("/api/seller/products", seller)).toEqual([picture]);
    expect(await shown(`/api/seller/products/${product.id}`, seller)).toEqual([picture]);
    expect(await shown("/api/seller/orders", seller)).toEqual([picture]);
    expect(await shown(`/api/buyer/products?store_id=${store.id}`, buyer)).toEqual([picture]);
    expect(await shown("/api/buyer/cart", buyer)).toEqual([picture]);
    expect(await shown("/api/buyer/orders", buyer)).toEqual([picture]);
    expect(await shown(`/api/buyer/orders/${orderId}`, buyer)).toEqual([picture]);
    const admin = await createUser(["admin"]);
    expect(await shown(`/api/admin/stores?search=${store.slug}`, admin)).toEqual(logos);
  });

  it.each([
    ["as a path", ""],
    ["with the address of then", ONCE],
  ])("%s is shown under the address of today on the store's pages", async (_, origin) => {
    const { seller, buyer, store, product, orderId } = await shopOf(origin);
    const visitor = new Visitor(store, buyer);
    const [a, b, c] = ["a", "b", "c"].map((letter) => imageUrl(seller, letter));
    const pages: [string, (string | undefined)[]][] = [
      [
        "/",
        [
          `<img src="${a}"`,
          `<img src="${b}"`,
          `property="og:image" content="${c}"`,
          `"logo":"${b}"`,
        ],
      ],
      [`/produk/${product.id}`, [`<img src="${a}"`, `property="og:image" content="${a}"`]],
      ["/keranjang", [`<img src="${a}"`]],
      ["/checkout", [`<img src="${a}"`]],
      [`/pesanan/${orderId}`, [`<img src="${a}"`]],
    ];
    for (const [path, parts] of pages) {
      const { status, html } = await visitor.get(path);
      expect(status, path).toBe(200);
      for (const part of parts) expect(html, path).toContain(part);
      expect(html, path).not.toContain(ONCE);
    }
  });

  it("is kept without the address that the platform has today", async () => {
    const { seller, store } = await openShop();
    const admin = await createUser(["admin"]);
    const put = { method: "PUT", token: seller.token } as const;
    await api("/api/seller/store", { ...put, json: { logo_url: imageUrl(seller, "b") } });
    const product = await createProduct(store);
    const images = [{ url: imageUrl(seller, "a") }];
    await api(`/api/seller/products/${product.id}`, { ...put, json: { images } });
    const banner = await api("/api/admin/banners", {
      method: "POST",
      token: admin.token,
      json: { image_url: `${HERE}/uploads/banners/${admin.userId}/${"d".repeat(32)}.jpg` },
    });
    expect(banner.body.data.image_url).toMatch(`${HERE}/uploads/banners/`);
    expect([
      ...(await read(sql`select logo_url as url from market_stores where id = ${store.id}`)),
      ...(await read(sql`select url from market_product_images where product_id = ${product.id}`)),
      ...(await read(
        sql`select image_url as url from market_banners where id = ${banner.body.data.id}`,
      )),
    ]).toEqual([
      pathOf(seller, "b"),
      pathOf(seller, "a"),
      `/uploads/banners/${admin.userId}/${"d".repeat(32)}.jpg`,
    ]);
  });
});
