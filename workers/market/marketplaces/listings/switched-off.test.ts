import { sql } from "drizzle-orm";
import { describe, expect, it, vi } from "vitest";
import { contextWithQueues } from "../../../../shared/jobs/test-queues.ts";
import { createUser } from "../../../testing/factories.ts";
import { setFlags } from "../../admin/flags.ts";
import { run } from "../../testing/catalogue.ts";
import { pushChanges, pushSoon } from "../pushes.ts";
import {
  connectionOf,
  listed,
  listingOf,
  type Market,
  pumpDry,
  pumpOnce,
  settleBackground,
} from "../testing/market-bench.ts";

const turn = async ({ store }: Market, marketplace_sync: boolean) => {
  const admin = await createUser(["admin"]);
  await setFlags({ ...contextWithQueues().ctx, actor: admin }, store.id, { marketplace_sync });
};

async function inStep() {
  const { market, product } = await listed();
  const price = (amount: number) =>
    run(sql`update market_products set price = ${amount} where id = ${product.id}`);
  const seq = async () => (await connectionOf(market)).pump_seq;
  return { market, product, price, seq };
}

describe("a store whose marketplace sync an admin switched off", () => {
  it("pushes nothing, neither by cron nor behind an answer, and catches up as soon as it is on again", async () => {
    const { market, product, price, seq } = await inStep();
    const before = await seq();
    await turn(market, false);
    await price(31_000);
    pushSoon(market.ctx, market.store.id);
    await settleBackground();
    await pushChanges(market.ctx);
    expect(await seq()).toBe(before);
    expect(await listingOf(market, product)).toMatchObject({ dirty: true });
    await turn(market, true);
    await vi.waitFor(async () => expect(await seq()).toBe(before + 1), { interval: 5 });
    await pumpDry(market);
    expect(market.fake.item(product.id)?.priceIdr).toBe(31_000);
    expect(await listingOf(market, product)).toMatchObject({ sync_status: "synced", dirty: false });
  });

  it("stops a pump that was queued before, and loses nothing of its work", async () => {
    const { market, product, price, seq } = await inStep();
    await price(32_000);
    await pushChanges(market.ctx);
    await turn(market, false);
    expect(await pumpOnce(market)).toBe("success");
    expect(market.fake.calls).toEqual([]);
    expect(await listingOf(market, product)).toMatchObject({ dirty: true, attempts: 0 });
    const before = await seq();
    await turn(market, true);
    await vi.waitFor(async () => expect(await seq()).toBe(before + 1), { interval: 5 });
    await pumpDry(market);
    expect(market.fake.item(product.id)?.priceIdr).toBe(32_000);
  });

  it("stops a pump between two chunks of its work", async () => {
    const { market, product, price } = await inStep();
    await price(34_000);
    await pushChanges(market.ctx);
    const setPrices = market.fake.setPrices.bind(market.fake);
    vi.spyOn(market.fake, "setPrices").mockImplementation(async (...given) => {
      await turn(market, false);
      await price(35_000);
      return await setPrices(...given);
    });
    await pumpOnce(market);
    expect(market.fake.item(product.id)?.priceIdr).toBe(34_000);
    expect(await listingOf(market, product)).toMatchObject({ dirty: true });
  });

  it("is off the shelf elsewhere all the same once it is closed, and gets nothing else", async () => {
    const { market, product, price } = await inStep();
    await turn(market, false);
    await price(33_000);
    await run(sql`update market_stores set status = 'suspended' where id = ${market.store.id}`);
    await pushChanges(market.ctx);
    await pumpDry(market);
    expect(market.fake.item(product.id)).toMatchObject({ status: "unlisted", priceIdr: 25_000 });
  });

  it("takes no turns away from other stores, however many are off", async () => {
    const { market, price, seq } = await inStep();
    const before = await seq();
    await run(sql`with u as (
        insert into identity_users (email, name, password_hash, roles)
        select gen_random_uuid() || '@test.example', 'x', 'x', '{seller}' from generate_series(1, 205) returning id),
      s as (insert into market_stores (user_id, name, slug) select id, 'Off', 'off-' || id from u returning id),
      f as (insert into market_feature_flags (store_id, flag, is_on, updated_by)
        select s.id, 'marketplace_sync', false, ${market.seller.userId} from s),
      p as (insert into market_products (store_id, name, price, stock, weight_gram, status)
        select id, 'x', 1000, 1, 1, 'active' from s returning id, store_id),
      c as (insert into market_connections (id, store_id, platform, status, shop_id, access_token_enc, refresh_token_enc, access_expires_at)
        select ('00000000-0000-7000-8000-' || lpad(to_hex(row_number() over ()), 12, '0'))::uuid, id, 'shopee',
          'connected', 'off-' || id, 'x', 'x', now() from s returning id, store_id)
      insert into market_listings (product_id, connection_id)
        select p.id, c.id from p join c on c.store_id = p.store_id`);
    await price(36_000);
    await pushChanges(market.ctx);
    const after = await seq();
    await run(sql`delete from market_listings where connection_id in (
      select id from market_connections where shop_id like 'off-%')`);
    await run(
      sql`update market_connections set status = 'disconnected', access_token_enc = null, refresh_token_enc = null where shop_id like 'off-%'`,
    );
    expect(after).toBe(before + 1);
  });
});
