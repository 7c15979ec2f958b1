import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { PLATFORMS, type Platform } from "../../../shared/providers/marketplace.ts";
import { api, settleBackground, testContext } from "../../testing/api.ts";
import { createStore, createUser, type TestUser } from "../../testing/factories.ts";
import { deliverTo, readStock } from "../../testing/orders.ts";
import { atTwin, connectAtTwin } from "../marketplaces/testing/at-twin.ts";
import { FakeShop } from "../marketplaces/testing/fake-shop.ts";
import { contextWith, listable } from "../marketplaces/testing/market-bench.ts";
import { failure } from "../testing/catalogue.ts";

const NAME = "Barang Uji Blitar Serba Guna Pilihan";

const post = (seller: TestUser, path: string, json: unknown) =>
  api(`/api/seller/marketplace/${path}`, { method: "POST", token: seller.token, json });
const get = (seller: TestUser, path: string) =>
  api(`/api/seller/marketplace/${path}`, { token: seller.token });

/** A seller whose shop at the twin is connected over the API, as his browser would do it. */
async function connected(platform: Platform) {
  const seller = await createUser(["seller"]);
  const store = await createStore(seller);
  const shopId = await connectAtTwin(platform, seller);
  const market = { seller, store, fake: new FakeShop(platform), ctx: contextWith(seller) };
  return { seller, store, market, shopId };
}

describe.each(PLATFORMS)("a seller's shop at %s", (platform) => {
  it("is connected, synced, changed and sold from over the API", async () => {
    const { seller, market, shopId } = await connected(platform);
    const status = await get(seller, "status");
    expect(status.body.data.map((one: { platform: string }) => one.platform)).toEqual([
      ...PLATFORMS,
    ]);
    expect(
      status.body.data.find((one: { platform: string }) => one.platform === platform),
    ).toMatchObject({
      connected: true,
      connected_at: expect.any(String),
      last_sync_at: null,
      shop_id: shopId,
    });

    const product = await listable(market, { name: NAME, price: 75_000, stock: 9 });
    await testContext().db.run(
      rows(
        sql`update market_products set description = ${"Dibuat di Blitar. ".repeat(6)} where id = ${product.id}`,
        z.unknown(),
      ),
    );
    const synced = await post(seller, "sync", { platform, product_ids: [product.id] });
    const progress = await get(seller, `jobs/${synced.body.data.job_id}`);
    expect([synced.status, synced.body.data, progress.body.data.failures]).toMatchObject([
      200,
      { synced: 1, failed: 0, pending: 0 },
      [],
    ]);
    expect((await get(seller, "listings?status=synced")).body).toMatchObject({
      data: [{ product_id: product.id, sync_status: "synced", platform }],
      meta: { total: 1 },
    });

    const order = z.object({ id: z.string() }).parse(
      await atTwin(platform, "/_buy", {
        shop_id: shopId,
        seller_sku: product.id,
        quantity: 2,
        // A new product may still be in review there.
        force: true,
      }),
    );
    const notices = z
      .array(z.object({ headers: z.record(z.string(), z.string()), body: z.string() }))
      .parse(await atTwin(platform, `/_notices?subject=${order.id}`, {}, "GET"));
    const notice = notices[0];
    if (!notice) throw new Error("the twin pushed nothing");
    const path = `/api/webhooks/${platform === "tokopedia" ? "tiktok-shop" : platform}`;
    const call = { method: "POST", body: notice.body, headers: notice.headers };
    const pushed = await api(path, call);
    expect([pushed.status, pushed.body]).toEqual(
      platform === "shopee"
        ? [204, ""]
        : [200, expect.objectContaining({ data: { received: true } })],
    );
    const forged = await api(path, { ...call, body: `${notice.body} ` });
    expect([forged.status, forged.body]).toEqual([401, failure("Unauthorized", {})]);

    await poll(platform, shopId);
    await settleBackground();
    expect(await readStock(product)).toEqual({ stock: 7, reserved: 0 });
    const orders = await api("/api/seller/orders", { token: seller.token });
    expect(orders.body.data).toMatchObject([{ source: "marketplace", subtotal_amount: 150_000 }]);

    const left = await post(seller, "disconnect", { platform });
    expect(left.body.data).toEqual({ status: "disconnected" });
    const again = await post(seller, "sync", { platform });
    expect([again.status, again.body]).toEqual([400, failure(`${platform} belum terhubung`)]);
  });
});

/** Asks the shop for orders, as cron would have it done. */
async function poll(platform: Platform, shopId: string) {
  const [job] = await testContext().db.run(
    rows(
      sql`select jobs_enqueue('market.orders', 'marketplace-sync', null, jsonb_build_object('connection_id', c.id))->>'id' as id
        from market_connections c where c.platform = ${platform} and c.shop_id = ${shopId}`,
      z.object({ id: z.string() }),
    ),
  );
  await deliverTo("marketplace-sync", { v: 1, type: "job", id: job?.id });
}

describe("the marketplace routes", () => {
  it("map our categories to theirs, and tell what is missing", async () => {
    const platform = "shopee";
    const { seller, market } = await connected(platform);
    const found = await get(seller, `categories/${platform}?search=kopi`);
    const [leaf] = found.body.data;
    expect(leaf.path.at(-1)).toMatch(/kopi/i);
    const wanted = await get(seller, `categories/${platform}/${leaf.id}/attributes`);
    const required = wanted.body.data.filter((one: { required: boolean }) => one.required);
    expect(required).not.toEqual([]);
    const product = await listable(market, { name: `Kopi Robusta Blitar ${NAME}` });
    await testContext().db.run(
      rows(
        sql`update market_products set description = ${"Dibuat di Blitar. ".repeat(6)} where id = ${product.id}`,
        z.unknown(),
      ),
    );
    const first = await post(seller, "sync", { platform });
    const told = await get(seller, `jobs/${first.body.data.job_id}`);
    expect(told.body.data.failures[0]?.reason).toContain(`mewajibkan: ${required[0].name}`);
    const attributes = required.map((one: { id: string; options: { id: string }[] }) =>
      one.options[0]
        ? { id: one.id, optionIds: [one.options[0].id] }
        : { id: one.id, text: "Lokal" },
    );
    const mapping = { platform, category_id: null, remote_category_id: leaf.id, attributes };
    const saved = await api("/api/seller/marketplace/mappings", {
      method: "PUT",
      token: seller.token,
      json: mapping,
    });
    expect(saved.status).toBe(200);
    const bad = await api("/api/seller/marketplace/mappings", {
      method: "PUT",
      token: seller.token,
      json: { ...mapping, remote_category_id: "tidak-ada" },
    });
    expect(bad.status).toBe(400);
    expect((await get(seller, "mappings")).body.data).toMatchObject([
      {
        platform,
        category_id: null,
        remote_category_id: leaf.id,
        remote_category: leaf.path.join(" > "),
      },
    ]);
    expect((await post(seller, "sync", { platform })).body.data).toMatchObject({
      synced: 1,
      failed: 0,
    });
  });

  it("refuse what does not fit and what is somebody else's", async () => {
    const seller = await createUser(["seller"]);
    expect((await post(seller, "connect", { platform: "bukalapak", code: "x" })).status).toBe(400);
    const storeless = await post(seller, "connect", { platform: "shopee", code: "x" });
    expect([storeless.status, storeless.body]).toEqual([404, failure("Toko belum dibuat")]);
    await createStore(seller);
    const late = await post(seller, "connect", { platform: "lazada", code: "salah" });
    expect([late.status, late.body.error]).toEqual([400, expect.stringMatching(/^code: /)]);
    const many = Array.from({ length: 5_001 }, () => crypto.randomUUID());
    expect((await post(seller, "sync", { platform: "shopee", product_ids: many })).status).toBe(
      400,
    );
    expect((await get(seller, `jobs/${crypto.randomUUID()}`)).status).toBe(404);
  });
});
