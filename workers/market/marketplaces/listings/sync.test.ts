import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { getRun, syncProducts } from "../sync.ts";
import {
  change,
  connect,
  connectedMarket,
  listable,
  listingOf,
  type Market,
  openMarket,
  pumpDry,
} from "../testing/market-bench.ts";

const sync = (market: Market, ids?: string[]) =>
  syncProducts(market.ctx, { platform: market.fake.platform, product_ids: ids });

describe("a sync", () => {
  it("takes a picture by its path, and one that was stored with the address of then", async () => {
    const market = await connectedMarket();
    for (const then of ["", "http://localhost:9123"]) {
      const product = await listable(market);
      await change(sql`update market_product_images
        set url = ${then} || regexp_replace(url, '^http://[^/]*', '') where product_id = ${product.id}`);
      expect(await sync(market, [product.id])).toMatchObject({ synced: 1, failed: 0 });
    }
  });

  it("creates what the shop does not have, with picture, category, price and stock, and says so", async () => {
    const market = await connectedMarket();
    const [one, other] = [await listable(market, { stock: 7 }), await listable(market)];
    expect(await sync(market)).toMatchObject({ synced: 2, failed: 0, pending: 0 });
    expect(market.fake.item(one.id)).toMatchObject({
      name: one.name,
      priceIdr: 25_000,
      stock: 7,
      weightGram: 350,
      categoryId: "11",
      status: "live",
      setup: { logisticIds: ["8003"], warehouseId: "W1" },
    });
    expect(market.fake.item(other.id)?.images).toHaveLength(1);
    // The same picture is uploaded once for both.
    expect(market.fake.count("uploadImage")).toBeLessThanOrEqual(2);
    expect(await listingOf(market, one)).toMatchObject({ sync_status: "synced", dirty: false });
  });

  it("asks again what the shop shows, and mends what differs there", async () => {
    const market = await connectedMarket();
    const product = await listable(market);
    await sync(market, [product.id]);
    const item = market.fake.item(product.id);
    if (!item) throw new Error("not listed");
    Object.assign(item, { priceIdr: 1, stock: 999, status: "unlisted" });
    expect(await sync(market, [product.id])).toMatchObject({ synced: 1 });
    expect(market.fake.item(product.id)).toMatchObject({
      priceIdr: 25_000,
      stock: 10,
      status: "live",
    });
    expect(market.fake.count("createListing")).toBe(1);
  });

  it("takes over what the shop has under our SKU already, instead of a second one", async () => {
    const market = await connectedMarket();
    const product = await listable(market);
    await sync(market, [product.id]);
    await change(sql`delete from market_listings where product_id = ${product.id}`);
    expect(await sync(market, [product.id])).toMatchObject({ synced: 1, failed: 0 });
    expect(market.fake.copiesOf(product.id)).toBe(1);
  });

  it("puts back what was deleted there, when its seller asks for it", async () => {
    const market = await connectedMarket();
    const product = await listable(market);
    await sync(market);
    const item = market.fake.item(product.id);
    if (item) item.status = "deleted";
    expect(await sync(market)).toMatchObject({ synced: 1 });
    expect(market.fake.item(product.id)?.itemId).not.toBe(item?.itemId);
  });

  it("makes no second one where the shop's search does not know yet what it has", async () => {
    const market = await connectedMarket();
    const product = await listable(market);
    await sync(market);
    const { findBySku } = market.fake;
    market.fake.findBySku = async () => null;
    await change(sql`update market_products set price = 31000 where id = ${product.id}`);
    expect(await sync(market)).toMatchObject({ synced: 1 });
    market.fake.findBySku = findBySku;
    expect(market.fake.copiesOf(product.id)).toBe(1);
    expect(market.fake.item(product.id)?.priceIdr).toBe(31_000);
  });

  it("takes off the shelf what the shop's search does not know yet", async () => {
    const market = await connectedMarket();
    const product = await listable(market);
    await sync(market);
    market.fake.findBySku = async () => null;
    await change(sql`update market_products set status = 'archived' where id = ${product.id}`);
    await sync(market, [product.id]);
    expect(market.fake.item(product.id)?.status).toBe("unlisted");
  });

  it("tells of every product that cannot be listed why, and lists the others", async () => {
    const market = await connectedMarket("tokopedia");
    market.fake.attributes = [
      { id: "5", name: "Bahan", required: true, input: "text", free: true, options: [] },
      {
        id: "6",
        name: "Garansi",
        required: true,
        input: "one_of",
        free: false,
        options: [{ id: "60", name: "Tidak Ada" }],
      },
    ];
    const named = await listable(market);
    const bare = await connectedMarket();
    const draft = await listable(bare, { status: "draft" });
    const short = await listable(bare, { name: "ab" });
    const fine = await listable(bare);
    const pictureless = await listable(bare);
    await change(sql`delete from market_product_images where product_id = ${pictureless.id}`);
    const webp = await listable(bare);
    const key = `products/${bare.seller.userId}/${"b".repeat(32)}.webp`;
    await change(sql`update market_product_images set url = ${`${bare.ctx.config.APP_URL}/uploads/${key}`}
      where product_id = ${webp.id}`);
    const ids = [draft, short, fine, pictureless, webp].map(({ id }) => id);
    const done = await sync(bare, ids);
    expect(done).toMatchObject({ synced: 1, failed: 4, pending: 0 });
    const { failures } = await getRun(bare.ctx, done.job_id);
    const reasons = new Map(failures.map(({ product_id: id, reason }) => [id, reason]));
    expect(reasons.get(draft.id)).toContain("tidak aktif");
    expect(reasons.get(short.id)).toContain("minimal 3 karakter");
    expect(reasons.get(pictureless.id)).toContain("foto");
    expect(reasons.get(webp.id)).toContain("bukan WebP");
    expect(await sync(market, [named.id])).toMatchObject({ synced: 0, failed: 1 });
    expect((await listingOf(market, named))?.reason).toBe(
      "Kategori Makanan > Camilan mewajibkan: Bahan. Isi di pemetaan kategori",
    );
  });

  it("survives a cycle in the platform's category tree, whose leaves it does not use", async () => {
    const market = await connectedMarket("lazada");
    const loop = [
      { id: "L1", parentId: "L2", name: "Ular", isLeaf: false },
      { id: "L2", parentId: "L1", name: "Ekor", isLeaf: false },
      { id: "L3", parentId: "L2", name: "Berputar", isLeaf: true },
    ];
    market.fake.categories = [...market.fake.categories, ...loop];
    market.fake.suggestion = "L3";
    const product = await listable(market);
    expect(await sync(market)).toMatchObject({ synced: 0, failed: 1 });
    expect((await listingOf(market, product))?.reason).toContain("belum dipilih");
  });

  it("reads a category tree in which a branch comes twice, and keeps the old one where none comes at all", async () => {
    const market = await connectedMarket("lazada");
    const { categories } = market.fake;
    market.fake.categories = [...categories, ...categories];
    await listable(market);
    expect(await sync(market)).toMatchObject({ synced: 1, failed: 0 });
    await change(sql`update market_remote_trees set fetched_at = now() - interval '2 days'
      where platform = 'lazada'`);
    market.fake.categories = [];
    await listable(market);
    const begun = await sync(market);
    expect(begun).toMatchObject({ synced: 1, failed: 0, pending: 1 });
    market.fake.categories = categories;
    await pumpDry(market);
    expect(await getRun(market.ctx, begun.job_id)).toMatchObject({ synced: 2, pending: 0 });
  });

  it("refuses a shop that is not connected, nothing, and products of another store", async () => {
    const market = await openMarket();
    const words = (error: unknown) => expect.objectContaining({ message: error });
    await expect(sync(market)).rejects.toEqual(words("shopee belum terhubung"));
    await connect(market);
    await expect(sync(market)).rejects.toEqual(words("Tidak ada produk untuk disinkronkan"));
    await expect(sync(market, [])).rejects.toEqual(words("Tidak ada produk untuk disinkronkan"));
    const foreign = await listable(await openMarket());
    const own = await listable(market);
    await expect(sync(market, [own.id, foreign.id])).rejects.toMatchObject({
      code: "not_found",
      meta: { product_ids: [foreign.id] },
    });
    expect(market.fake.calls.filter(({ name }) => name === "createListing")).toEqual([]);
  });

  it("that its caller does not wait for goes on as a job, whose progress is visible to its seller alone", async () => {
    const market = await connectedMarket();
    for (let n = 0; n < 26; n += 1) await listable(market);
    const begun = await sync(market);
    expect(begun).toMatchObject({ synced: 0, failed: 0, pending: 26 });
    expect(await getRun(market.ctx, begun.job_id)).toMatchObject({ total: 26, finished_at: null });
    await pumpDry(market);
    expect(await getRun(market.ctx, begun.job_id)).toMatchObject({
      synced: 26,
      pending: 0,
      failures: [],
      finished_at: expect.any(String),
    });
    const stranger = await openMarket();
    await expect(getRun(stranger.ctx, begun.job_id)).rejects.toMatchObject({ code: "not_found" });
    expect(market.fake.count("createListing")).toBe(26);
  });
});
