import { sql } from "drizzle-orm";
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { rows } from "../../../../shared/db/statement.ts";
import { runJob } from "../../../../shared/jobs/jobs.ts";
import { api, settleBackground, testContext } from "../../../testing/api.ts";
import { createUser, type TestProduct } from "../../../testing/factories.ts";
import { orderBody } from "../../../testing/orders.ts";
import { placeOrder } from "../../orders/checkout.ts";
import { updateProduct } from "../../products/update.ts";
import { CheckoutInput } from "../../schemas/orders.ts";
import { pushChanges } from "../pushes.ts";
import { syncProducts } from "../sync.ts";
import { FakeShop } from "../testing/fake-shop.ts";
import {
  beginSync,
  change,
  connect,
  connectedMarket,
  connectionOf,
  contextWith,
  forgetCategories,
  letTimePass,
  listable,
  listed,
  listingOf,
  type Market,
  mortal,
  pumpDry,
  pumpOnce,
} from "../testing/market-bench.ts";
import { listingsJob } from "./job.ts";

/** What cron does once a minute, and the job that it starts. */
async function minute(market: Market) {
  await pushChanges(market.ctx);
  return await pumpOnce(market);
}

/**
 * Through the verb: the wake-up of an order over the API reaches the Worker's own consumer after a second, which knows
 * nothing of the fake shop.
 */
async function buy(market: Market, product: TestProduct, quantity = 1) {
  const body = await orderBody(market.store, [[product, quantity]]);
  const ctx = contextWith(await createUser());
  await placeOrder(ctx, CheckoutInput.parse(body));
}

describe("a local change", () => {
  it("of price and stock is pushed by itself, with nothing but price and stock", async () => {
    const { market, product } = await listed();
    await change(sql`update market_products set price = 31000, stock = 4 where id = ${product.id}`);
    await minute(market);
    expect(market.fake.item(product.id)).toMatchObject({ priceIdr: 31_000, stock: 4 });
    expect(market.fake.calls.map(({ name }) => name).sort()).toEqual(["setPrices", "setStocks"]);
    expect(await listingOf(market, product)).toMatchObject({ sync_status: "synced", dirty: false });
  });

  it("by a checkout is pushed: what unpaid orders hold is not for sale elsewhere", async () => {
    const { market, product } = await listed({ stock: 5 });
    await buy(market, product, 2);
    await minute(market);
    expect(market.fake.item(product.id)?.stock).toBe(3);
  });

  it("by many checkouts at once is one push of what is left", async () => {
    const { market, product } = await listed({ stock: 20 });
    await Promise.all(Array.from({ length: 6 }, () => buy(market, product)));
    // What each of them started behind its answer has begun one pump between them, or none yet.
    await settleBackground();
    await minute(market);
    await pumpDry(market);
    expect(market.fake.item(product.id)?.stock).toBe(14);
    expect(market.fake.count("setStocks")).toBeLessThanOrEqual(2);
  });

  it("of what buyers read replaces the listing and leaves its price alone", async () => {
    const { market, product } = await listed();
    await updateProduct(market.ctx, product.id, { name: "Kopi Luwak", description: "Baru" });
    await minute(market);
    expect(market.fake.item(product.id)).toMatchObject({ name: "Kopi Luwak", description: "Baru" });
    expect(market.fake.calls.map(({ name }) => name)).toEqual(["updateListing"]);
  });

  it("that undoes itself costs no call", async () => {
    const { market, product } = await listed();
    await change(sql`update market_products set price = 1000 where id = ${product.id}`);
    await change(sql`update market_products set price = 25000 where id = ${product.id}`);
    await minute(market);
    expect(market.fake.calls).toEqual([]);
    expect(await listingOf(market, product)).toMatchObject({ sync_status: "synced" });
  });

  it("takes what is no longer sold off the shelf, and puts it back", async () => {
    const { market, product } = await listed();
    await change(sql`update market_products set status = 'archived' where id = ${product.id}`);
    await minute(market);
    expect(market.fake.item(product.id)?.status).toBe("unlisted");
    await change(
      sql`update market_products set status = 'active', stock = 3 where id = ${product.id}`,
    );
    await minute(market);
    expect(market.fake.item(product.id)).toMatchObject({ status: "live", stock: 3 });
    await change(sql`update market_stores set status = 'suspended' where id = ${market.store.id}`);
    await minute(market);
    expect(market.fake.item(product.id)?.status).toBe("unlisted");
  });

  it("during a push is pushed afterwards", async () => {
    const { market, product } = await listed();
    await change(sql`update market_products set price = 30000 where id = ${product.id}`);
    market.fake.faults.before = async ({ name }) => {
      market.fake.faults = {};
      if (name === "setPrices") {
        await change(sql`update market_products set price = 40000 where id = ${product.id}`);
      }
    };
    await minute(market);
    await pumpDry(market);
    expect(market.fake.item(product.id)?.priceIdr).toBe(40_000);
    expect(await listingOf(market, product)).toMatchObject({ sync_status: "synced", dirty: false });
  });

  it("through the API is on its way at once, without waiting for cron", async () => {
    const { market, product } = await listed();
    const answer = await api(`/api/seller/products/${product.id}`, {
      method: "PUT",
      token: market.seller.token,
      json: { price: 26_500 },
    });
    expect(answer.status).toBe(200);
    const { pump_seq: before } = await connectionOf(market);
    await vi.waitFor(async () => {
      expect((await connectionOf(market)).pump_seq).toBeGreaterThanOrEqual(before);
      expect(await pumpStarted(market)).toBe(true);
    });
    await settleBackground();
  });

  it("waits while the store's syncing is switched off, and goes when it is on again", async () => {
    const { market, product } = await listed();
    const flag = (isOn: boolean) =>
      change(sql`insert into market_feature_flags (store_id, flag, is_on, updated_by)
        values (${market.store.id}, 'marketplace_sync', ${isOn}, ${market.seller.userId})
        on conflict (store_id, flag) do update set is_on = excluded.is_on`);
    await flag(false);
    await change(sql`update market_products set price = 31000 where id = ${product.id}`);
    await minute(market);
    expect(market.fake.calls).toEqual([]);
    await flag(true);
    await minute(market);
    expect(market.fake.item(product.id)?.priceIdr).toBe(31_000);
  });

  it("of a product that somebody removed there is told, and not put back behind his back", async () => {
    const { market, product } = await listed();
    const item = market.fake.item(product.id);
    if (item) item.status = "deleted";
    await change(sql`update market_products set price = 30000 where id = ${product.id}`);
    await minute(market);
    expect((await listingOf(market, product))?.reason).toContain("sudah dihapus di Shopee");
    await change(sql`update market_products set stock = 2 where id = ${product.id}`);
    await minute(market);
    expect(market.fake.copiesOf(product.id)).toBe(1);
  });

  const deaths = Array.from(
    { length: 8 },
    (_, at) =>
      [
        [at, "before"],
        [at, "after"],
      ] as const,
  ).flat();

  it.each(deaths)("arrives although its worker dies at call %i, %s it acts", async (at, kill) => {
    const { market, product } = await listed();
    await change(sql`update market_products set price = 31000, stock = 4 where id = ${product.id}`);
    await pushChanges(market.ctx);
    const dying = mortal(market, at, kill);
    expect(await Promise.race([pumpOnce(market, dying.ctx), dying.killed])).toBe("killed");
    await letTimePass(market);
    await pumpDry(market);
    expect(market.fake.item(product.id)).toMatchObject({ priceIdr: 31_000, stock: 4 });
  });
});

const pumpStarted = async (market: Market) => {
  const { id } = await connectionOf(market);
  const query = sql`select count(*)::int as n from jobs where kind = 'market.listings' and payload->>'connection_id' = ${id}`;
  const [found] = await testContext().db.run(rows(query, z.object({ n: z.number() })));
  return (found?.n ?? 0) >= 2;
};

describe("pumps", () => {
  it("of one shop never work on one listing twice at once, from any number of workers", async () => {
    const market = await connectedMarket();
    const products = [];
    for (let n = 0; n < 12; n += 1) products.push(await listable(market));
    const { id } = await connectionOf(market);
    await Promise.all([1, 2, 3, 4].map(() => beginSync(market)));
    const jobs = await testContext().db.run(
      rows(
        sql`select id from jobs where kind = 'market.listings' and payload->>'connection_id' = ${id}`,
        z.object({ id: z.string() }),
      ),
    );
    expect(jobs).toHaveLength(1);
    await Promise.all(
      jobs.flatMap((job) =>
        [1, 2, 3].map(() => runJob(contextWith(null, market.fake), job.id, [listingsJob()])),
      ),
    );
    await pumpDry(market);
    expect(products.map((product) => market.fake.copiesOf(product.id))).toEqual(
      products.map(() => 1),
    );
  });

  it("that are at work take no place of those that cron can start in a round", async () => {
    const { market: busy } = await listed();
    const idle: Market = { ...busy, fake: new FakeShop("lazada") };
    idle.ctx = contextWith(busy.seller, idle.fake);
    await forgetCategories("lazada");
    await connect(idle);
    const start = () =>
      change(
        sql`select market_marketplace_pumps(${JSON.stringify({ store_id: busy.store.id, most: 1 })}::jsonb)`,
      );
    await syncProducts(idle.ctx, { platform: "lazada" });
    await pumpDry(idle);
    await change(sql`update market_products set stock = 3 where store_id = ${busy.store.id}`);
    const pumps = async () =>
      [(await connectionOf(busy)).pump_idle, (await connectionOf(idle)).pump_idle].filter(
        (is) => !is,
      );
    await start();
    expect(await pumps()).toHaveLength(1);
    await start();
    expect(await pumps()).toHaveLength(2);
  });

  it("stop in time and go on where they were", async () => {
    const market = await connectedMarket();
    for (let n = 0; n < 8; n += 1) await listable(market);
    const late = listingsJob({ sliceMs: -1 });
    await beginSync(market);
    await pumpOnce(market, market.ctx, late);
    expect(market.fake.items.size).toBe(0);
    await pumpDry(market);
    expect(market.fake.items.size).toBe(8);
  });
});
