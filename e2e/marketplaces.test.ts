import { afterAll, beforeAll, expect, onTestFailed, test } from "vitest";
import { request } from "../local/demo/http.ts";
import { connectAll, type Shops } from "../local/demo/market/connect.ts";
import { openShop, uploadPhoto } from "../local/demo/market/shop.ts";
import {
  dial,
  type Platform as Market,
  PLATFORMS,
  twin,
  urlOf,
} from "../local/demo/market/twins.ts";
import type { Person } from "../local/demo/sale/seller.ts";
import { killRuntime } from "./faults/runtime.ts";
import { findWrongs } from "./invariants.ts";
import { type Product, silently } from "./market.ts";
import { eventually, type Platform, passMinutes, startPlatform } from "./platform.ts";

/** A seller's products on three marketplaces' twins, through the production bundle with its queues. */
let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform();
}, 240_000);

afterAll(async () => {
  await platform?.stop();
});

const PRODUCTS = 20;
/** For which work is claimed (workers/market/marketplaces/listings/job.ts). */
const LEASE = "180 seconds";

test("a Worker killed amid a sync lists every product exactly once, and an order from there reserves once", async () => {
  onTestFailed(() => console.error(platform.workerLog().slice(-4_000)));
  const tell = silently(platform);
  const { seller } = await openShop(tell);
  const shops = await connectAll(tell, seller);
  const products = await fillShelf(seller);
  for (const name of PLATFORMS) await dial(urlOf(platform, name), shops[name], { delayMs: 200 });
  const asked = PLATFORMS.map((name) => startSync(seller, name));
  await eventually("some are listed", async () => listed(shops, "shopee").length >= 5, 60_000);
  await killRuntime(platform);
  await Promise.all(asked);
  const killedAt = new Date().toISOString();
  const before = PLATFORMS.map((name) => listed(shops, name).length);
  expect(Math.min(...before)).toBeLessThan(PRODUCTS);
  await eventually("all are listed", async () => {
    await passLeases(killedAt);
    const [left] = await platform.sql<{ count: number }>(
      "select count(*)::int as count from market_sync_items where outcome is distinct from 'synced'",
    );
    return left?.count === 0;
  });
  for (const name of PLATFORMS) {
    const skus = listed(shops, name).map(({ skus: [sku] }) => sku?.sellerSku);
    expect(skus.toSorted()).toEqual(products.map(({ id }) => id).toSorted());
  }
  const [product] = products;
  if (!product) throw new Error("no products");
  await sellOnce(seller, shops, product);
  expect(await findWrongs(platform, { products })).toEqual([]);
}, 240_000);

async function fillShelf({ token }: Person): Promise<Product[]> {
  const url = await uploadPhoto(silently(platform), { email: "", token });
  const made = Array.from({ length: PRODUCTS }, async (_, n): Promise<Product> => {
    const json = {
      name: `Topeng Kayu Panji Ukiran Tangan ${n}`,
      description: "Buatan tangan perajin Blitar, dikemas aman dan rapi.",
      price: 40_000 + n,
      stock: 10,
      weight_gram: 300,
      status: "active",
      images: [{ url, is_primary: true }],
    };
    const call = { method: "POST", token, json };
    const { id } = await request<{ id: string }>(platform.app, "/api/seller/products", call);
    return { id, name: json.name, stock: json.stock };
  });
  return await Promise.all(made);
}

/** The answer may be lost with the Worker; what it began goes on all the same. */
async function startSync({ token }: Person, name: Market): Promise<void> {
  const call = { method: "POST", token, json: { platform: name } };
  await request(platform.app, "/api/seller/marketplace/sync", call).catch(() => undefined);
}

function listed(shops: Shops, name: Market) {
  const { shopee, lazada, tiktokShop } = platform.twins;
  const { market } = { shopee, lazada, tokopedia: tiktokShop }[name];
  return market.goods.of(shops[name]).filter(({ status }) => status !== "deleted");
}

/** Lets the leases of the killed process run out; one that was taken since is somebody's, and stays. */
async function passLeases(killedAt: string): Promise<void> {
  const until = `$1::timestamptz + interval '${LEASE}'`;
  await platform.sql(`update jobs set lease_until = now() where lease_until < ${until}`, [
    killedAt,
  ]);
  await platform.sql(
    `update market_listings set claim_until = now() where claim_until < ${until}`,
    [killedAt],
  );
  await platform.sql("update market_listings set retry_at = now() where retry_at > now()");
  await passMinutes(platform, 1);
  await new Promise((wake) => setTimeout(wake, 1_000));
}

/** Somebody buys two there: its push, four times over, makes one order here, and takes two off the shelf once. */
async function sellOnce({ token }: Person, shops: Shops, product: Product): Promise<void> {
  const url = urlOf(platform, "shopee");
  const wish = { shop_id: shops.shopee, seller_sku: product.id, quantity: 2, unpaid: true };
  const { id } = await twin<{ id: string }>(`${url}/_buy`, wish);
  await twin(`${url}/_notify/${id}`, { times: 3 });
  const path = `/api/seller/products/${product.id}`;
  const shelf = async () => {
    const row = await request<{ stock: number; reserved: number }>(platform.app, path, { token });
    return [row.stock, row.reserved];
  };
  await eventually("the order reserves", async () => (await shelf())[1] === 2);
  expect(await shelf()).toEqual([10, 2]);
  expect(await findWrongs(platform, { products: [product] })).toEqual([]);
  await twin(`${url}/_move/${id}`, { to: "paid" });
  await twin(`${url}/_notify/${id}`, { times: 3 });
  await eventually("the paid order leaves the shelf", async () => (await shelf())[0] === 8);
  expect(await shelf()).toEqual([8, 0]);
  const orders = await platform.sql(
    "select source, status, payment_id, commission_amount::int as commission from market_orders",
  );
  expect(orders).toEqual([
    { source: "marketplace", status: "paid", payment_id: null, commission: 0 },
  ]);
}
