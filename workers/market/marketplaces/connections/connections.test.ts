import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { fromBase64, unseal } from "../../../../shared/crypto/index.ts";
import { run } from "../../testing/catalogue.ts";
import { marketplaceHourlyChores } from "../chores.ts";
import { pushChanges } from "../pushes.ts";
import { getRun, syncProducts } from "../sync.ts";
import { FakeShop } from "../testing/fake-shop.ts";
import { fault } from "../testing/faults.ts";
import {
  beginSync,
  change,
  connect,
  connectedMarket,
  connectionOf,
  contextWith,
  listable,
  listed,
  type Market,
  openMarket,
  pumpDry,
  pumpOnce,
} from "../testing/market-bench.ts";
import { authoriseLink, signState } from "./authorise.ts";
import { connectShop, disconnectShop } from "./connect.ts";
import { listConnections } from "./status.ts";

describe("a connected shop", () => {
  it("has its tokens sealed: a key version, then base64 of 12 bytes iv, 16 bytes tag and the text", async () => {
    const market = await connectedMarket();
    const { id, access_token_enc: sealed } = await connectionOf(market);
    const [version, packed] = (sealed ?? "").split(".");
    expect(version).toBe(market.ctx.config.SEALING_KEYS[0]?.[0]);
    const token = await unseal(market.ctx.config, `market-connection/${id}/access`, sealed ?? "");
    expect(token).toMatch(/^acc/);
    expect(fromBase64(packed ?? "")?.length).toBe(12 + 16 + (token ?? "").length);
    expect(
      await unseal(market.ctx.config, `market-connection/${id}/refresh`, sealed ?? ""),
    ).toBeNull();
  });

  it("shows in the status of its seller, among all three", async () => {
    const market = await connectedMarket("tokopedia");
    expect(
      (await listConnections(market.ctx)).map(({ platform, connected }) => [platform, connected]),
    ).toEqual([
      ["shopee", false],
      ["lazada", false],
      ["tokopedia", true],
    ]);
  });

  it("is not given to another store, but can move once its store has left", async () => {
    const first = await connectedMarket();
    const second = await openMarket();
    const code = () => first.fake.grant();
    const ctx = contextWith(second.seller, first.fake);
    await expect(connectShop(ctx, { platform: "shopee", code: code() })).rejects.toMatchObject({
      code: "conflict",
      message: "Toko Shopee ini sudah terhubung ke toko lain",
    });
    expect((await connectionOf(first)).status).toBe("connected");
    await disconnectShop(first.ctx, "shopee");
    expect(await connectionOf(first)).toMatchObject({
      status: "disconnected",
      access_token_enc: null,
    });
    expect(await connectShop(ctx, { platform: "shopee", code: code() })).toMatchObject({
      status: "connected",
    });
  });

  it("of two stores that ask for it at once goes to one", async () => {
    const fake = new FakeShop("lazada");
    const markets = await Promise.all([1, 2, 3, 4].map(() => openMarket("lazada")));
    const tried = await Promise.allSettled(
      markets.map(({ seller }) =>
        connectShop(contextWith(seller, fake), { platform: "lazada", code: fake.grant() }),
      ),
    );
    expect(tried.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("of a store that was deleted comes off the shelf there, and then its access is forgotten", async () => {
    const market = await connectedMarket();
    const product = await listable(market);
    await syncProducts(market.ctx, { platform: "shopee" });
    await change(sql`update market_stores set deleted_at = now() where id = ${market.store.id}`);
    await Promise.all(marketplaceHourlyChores(market.ctx));
    expect((await connectionOf(market)).status).toBe("connected");
    await pushChanges(market.ctx);
    await pumpDry(market);
    expect(market.fake.item(product.id)?.status).toBe("unlisted");
    await Promise.all(marketplaceHourlyChores(market.ctx));
    expect(await connectionOf(market)).toMatchObject({
      status: "disconnected",
      access_token_enc: null,
    });
  });

  it("connected again to another shop forgets the listings of the first", async () => {
    const market = await connectedMarket();
    const product = await listable(market);
    await syncProducts(market.ctx, { platform: "shopee" });
    const other = new FakeShop("shopee");
    const ctx = contextWith(market.seller, other);
    await connectShop(ctx, { platform: "shopee", code: other.grant() });
    expect(await syncProducts(ctx, { platform: "shopee" })).toMatchObject({ synced: 1 });
    expect([market.fake.copiesOf(product.id), other.copiesOf(product.id)]).toEqual([1, 1]);
  });

  it("connected to another shop ends a run of the first, whose progress stays readable", async () => {
    const market = await connectedMarket();
    const done = await syncProducts(market.ctx, {
      platform: "shopee",
      product_ids: [(await listable(market)).id],
    });
    await listable(market);
    await listable(market);
    market.fake.faults.before = ({ name }) => {
      if (name === "createListing" && market.fake.items.size > 1) throw fault("unavailable");
    };
    const begun = await syncProducts(market.ctx, { platform: "shopee" });
    expect(begun).toMatchObject({ synced: 2, pending: 1 });
    const before = await getRun(market.ctx, done.job_id);
    await connectShop(market.ctx, { platform: "shopee", code: market.fake.grant("another") });
    expect(await getRun(market.ctx, begun.job_id)).toMatchObject({
      ...{ total: 3, synced: 2, failed: 1, pending: 0, finished_at: expect.any(String) },
      reason: "Digantikan: 2 dari 3 produk terkirim sebelum toko lain dihubungkan",
    });
    // One that was done stays what it was.
    expect(await getRun(market.ctx, done.job_id)).toEqual(before);
    expect(before).toMatchObject({ total: 1, synced: 1, reason: null });
  });

  it("connected to another shop while the first is worked on puts nothing of the new one into the first", async () => {
    const market = await connectedMarket();
    const product = await listable(market);
    const other = new FakeShop("shopee");
    const ctx = contextWith(market.seller, other);
    market.fake.faults.before = async ({ name }) => {
      if (name !== "createListing") return;
      market.fake.faults = {};
      await connectShop(ctx, { platform: "shopee", code: other.grant() });
      await beginSync(market);
      throw fault("unavailable");
    };
    await beginSync(market);
    await pumpOnce(market);
    await pumpDry({ ...market, fake: other, ctx });
    expect([market.fake.copiesOf(product.id), other.copiesOf(product.id)]).toEqual([0, 1]);
    // Nor does the new one hear of pictures that the first has taken.
    expect(other.count("uploadImage")).toBe(1);
  });

  it("connected to another shop while the first refuses an old token gets nothing of the first's", async () => {
    const { market, product } = await listed();
    const { setPrices } = market.fake;
    const asked: string[] = [];
    market.fake.setPrices = async (auth, changes) => {
      asked.push(auth.shopId);
      return await setPrices(auth, changes);
    };
    market.fake.faults.before = async ({ name }) => {
      if (name !== "setPrices") return;
      market.fake.faults = {};
      await connectShop(market.ctx, { platform: "shopee", code: market.fake.grant("another") });
      throw fault("token_expired");
    };
    await change(sql`update market_products set price = 31000 where id = ${product.id}`);
    await pushChanges(market.ctx);
    await pumpOnce(market);
    expect(asked).toEqual([market.fake.shopId]);
  });
});

describe("a code", () => {
  it("that the platform refuses is the seller's mistake; a platform that is away is not", async () => {
    const market = await openMarket();
    const { ctx, fake } = market;
    await expect(connectShop(ctx, { platform: "shopee", code: "x" })).rejects.toMatchObject({
      code: "invalid_input",
      message: "code: Kode otorisasi tidak berlaku",
    });
    fake.faults.before = () => {
      throw fault("unavailable");
    };
    await expect(connect(market)).rejects.toMatchObject({ code: "provider_unavailable" });
    await expect(connectShop(ctx, { platform: "lazada", code: "x" })).rejects.toMatchObject({
      code: "not_configured",
    });
  });

  it("is not sought for a store that is gone", async () => {
    const market = await openMarket();
    await run(sql`update market_stores set deleted_at = now() where id = ${market.store.id}`);
    await expect(authoriseLink(market.ctx, { platform: "shopee" })).rejects.toMatchObject({
      code: "not_found",
    });
  });

  it("comes with a state that is good once, for its user and platform, in time", async () => {
    const market = await openMarket();
    const { ctx, fake, seller } = market;
    const link = await authoriseLink(ctx, { platform: "shopee" });
    expect(new URL(link.url).searchParams.get("state")).toBe(link.state);
    const other = await openMarket();
    const use = (of: Market, state: string, platform = of.fake) =>
      connectShop(of.ctx, { platform: platform.platform, code: of.fake.grant(), state });
    const refused = (words: string) =>
      expect.objectContaining({ message: expect.stringContaining(words) });
    await expect(use(other, link.state)).rejects.toEqual(refused("tidak dikenal"));
    await expect(use(market, `${link.state}x`)).rejects.toEqual(refused("tidak dikenal"));
    const lazada = contextWith(seller, new FakeShop("lazada"));
    await expect(
      connectShop(lazada, { platform: "lazada", code: "x", state: link.state }),
    ).rejects.toEqual(refused("tidak dikenal"));
    const late = await signState(ctx, {
      userId: seller.userId,
      platform: "shopee",
      nonce: "n",
      expiresAt: Date.now() - 1,
    });
    await expect(use(market, late)).rejects.toEqual(refused("kedaluwarsa"));
    expect(fake.count("exchangeCode")).toBe(0);
    const tried = await Promise.allSettled([1, 2, 3].map(() => use(market, link.state)));
    expect(tried.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(fake.count("exchangeCode")).toBe(1);
  });

  it("that was granted for another shop than the one that is named connects none", async () => {
    const market = await openMarket("lazada");
    const named = { platform: "lazada" as const, shop_id: "lain" };
    await expect(
      connectShop(market.ctx, { ...named, code: market.fake.grant() }),
    ).rejects.toMatchObject({ code: "invalid_input", message: expect.stringContaining("shop_id") });
    expect((await connectionOf(market)).status).toBe("disconnected");
    const code = market.fake.grant("lain");
    expect(await connectShop(market.ctx, { ...named, code })).toMatchObject({
      shop: { id: "lain" },
    });
  });

  it("is sent to pages of ours alone", async () => {
    const { ctx } = await openMarket();
    const ask = (redirectUrl: string) => authoriseLink(ctx, { platform: "shopee", redirectUrl });
    await expect(ask("https://evil.example/cb")).rejects.toMatchObject({ code: "invalid_input" });
    expect((await ask(`${ctx.config.APP_URL}/toko/cb`)).url).toContain(
      encodeURIComponent("/toko/cb"),
    );
  });
});
