import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { randomAddress } from "../../../testing/api.ts";
import { createProduct, createStore, createUser } from "../../../testing/factories.ts";
import { order } from "../../../testing/orders.ts";
import { formOf, putInCart, Visitor } from "../testing/visitor.ts";

/** Takes all that the key may ask for in this minute. */
async function useUp(key: string): Promise<void> {
  for (let i = 0; i <= 100; i += 1) {
    if (!(await env.API_LIMIT.limit({ key })).success) return;
  }
  throw new Error("the limit has no end");
}

it("reading the checkout is not limited: beyond its share it shows no couriers, and its form still works", async () => {
  const store = await createStore(await createUser(["seller"]));
  const product = await createProduct(store);
  const buyer = await createUser();
  expect((await order(buyer, store, [[product, 1]])).status).toBe(201);
  await putInCart(buyer, product);
  const visitor = new Visitor(store, buyer);
  expect((await visitor.get("/checkout")).html).toContain('name="courier"');

  const address = randomAddress();
  const from = { "cf-connecting-ip": address };
  await useUp(`storefront-read/${address}`);
  const page = await visitor.get("/checkout", from);
  expect(page.status).toBe(200);
  expect(page.html).not.toContain('name="courier"');
  const fields = { ...formOf(page, "/checkout#lanjut"), aksi: "ongkir" };
  expect((await visitor.post("/checkout", fields, from)).html).toContain('name="courier"');

  await useUp(`storefront/${address}`);
  expect((await visitor.post("/checkout", fields, from)).status).toBe(429);
  expect((await visitor.get("/checkout", from)).status).toBe(200);
});
