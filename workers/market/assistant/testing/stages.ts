import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../../shared/context.ts";
import { rows } from "../../../../shared/db/statement.ts";
import { testContext } from "../../../testing/api.ts";
import {
  createProduct,
  createStore,
  createUser,
  type TestProduct,
  type TestStore,
  type TestUser,
  unique,
} from "../../../testing/factories.ts";
import { connectedMarket, listable, pumpDry } from "../../marketplaces/testing/market-bench.ts";
import { createStudio } from "../../photos/testing/photo-bench.ts";
import { run } from "../../testing/catalogue.ts";
import { doneBy } from "./acts.ts";
import { actOutside } from "./outside.ts";

type Input = Record<string, unknown>;
interface Shop {
  ctx: Ctx;
  seller: TestUser;
  store: TestStore;
  product: TestProduct;
}

/** Something that the assistant has done, and whether it is still so. */
export interface Stage extends Shop {
  actionId: string;
  stands: () => Promise<boolean>;
  /** Somebody else sets the same thing. */
  byHand: () => Promise<unknown>;
}

async function isTrue(query: ReturnType<typeof sql>): Promise<boolean> {
  const found = await testContext().db.run(rows(query, z.object({ yes: z.boolean().nullable() })));
  return found[0]?.yes ?? false;
}

async function openShop(): Promise<Shop> {
  const seller = await createUser(["buyer", "seller", "admin"]);
  const store = await createStore(seller);
  const product = await createProduct(store, { price: 50_000 });
  return { ctx: testContext(seller), seller, store, product };
}

/** An act on what is there or on what it makes, the statement that asks for it, and what a hand does to it. */
const inShop =
  (
    name: string,
    inputOf: (shop: Shop) => Input,
    standing: (shop: Shop, actionId: string) => ReturnType<typeof sql>,
    hand: (shop: Shop, actionId: string) => ReturnType<typeof sql>,
  ) =>
  async (): Promise<Stage> => {
    const shop = await openShop();
    const actionId = await doneBy(shop.seller, [name, inputOf(shop)]);
    const stands = () => isTrue(standing(shop, actionId));
    return { ...shop, actionId, stands, byHand: () => run(hand(shop, actionId)) };
  };

const product = ({ product: { id } }: Shop, expression: string) =>
  sql`select ${sql.raw(expression)} as yes from market_products where id = ${id}`;
const store = ({ store: { id } }: Shop, expression: string) =>
  sql`select ${sql.raw(expression)} as yes from market_stores where id = ${id}`;
const setProduct = ({ product: { id } }: Shop, change: string) =>
  sql`update market_products set ${sql.raw(change)} where id = ${id}`;
const setStore = ({ store: { id } }: Shop, change: string) =>
  sql`update market_stores set ${sql.raw(change)} where id = ${id}`;
const period = { starts_at: "2026-01-01", ends_at: "2090-01-01" };

async function syncStage(): Promise<Stage> {
  const market = await connectedMarket();
  const { ctx, seller, store: shop } = market;
  const listed = await listable(market);
  const actionId = await actOutside(ctx, seller, ["sync_to_marketplace", { platform: "shopee" }]);
  await pumpDry(market);
  const stands = () =>
    isTrue(sql`select bool_or(wanted) as yes from market_listings where product_id = ${listed.id}`);
  const byHand = () =>
    run(sql`update market_listings set wanted = false, changes = changes + 1
    where product_id = ${listed.id}`);
  return { ctx, seller, store: shop, product: listed, actionId, stands, byHand };
}

async function photoStage(): Promise<Stage> {
  const { ctx, seller, store: shop, product: shown, imageUrl } = await createStudio();
  const input = { product_id: shown.id, image_url: imageUrl };
  const actionId = await actOutside(ctx, seller, ["enhance_product_photo", input]);
  await run(sql`insert into market_product_images (product_id, url, is_primary)
    select ${shown.id}, result_url, true from market_photos where id = ${actionId}`);
  const stands = () =>
    isTrue(sql`select f.result_url is not null or exists (select from market_product_images i
        where i.product_id = ${shown.id} and i.url <> f.source_url) as yes
      from market_photos f where f.id = ${actionId}`);
  const byHand = () =>
    run(sql`update market_products set deleted_at = now() where id = ${shown.id}`);
  return { ctx, seller, store: shop, product: shown, actionId, stands, byHand };
}

/** One for each tool that writes. */
export const STAGES: Record<string, () => Promise<Stage>> = {
  create_product: inShop(
    "create_product",
    () => ({ name: "Kopi", price: 9_000, stock: 2 }),
    (_, id) => sql`select deleted_at is null as yes from market_products where id = ${id}`,
    (_, id) => sql`update market_products set price = 12000 where id = ${id}`,
  ),
  update_product: inShop(
    "update_product",
    (shop) => ({ product_id: shop.product.id, price: 40_000, description: "Baru" }),
    (shop) => product(shop, "price = 40000 or description = 'Baru'"),
    (shop) => setProduct(shop, "price = 41000"),
  ),
  delete_product: inShop(
    "delete_product",
    (shop) => ({ product_id: shop.product.id }),
    (shop) => product(shop, "deleted_at is not null"),
    (shop) => setProduct(shop, "deleted_at = null"),
  ),
  update_store_info: inShop(
    "update_store_info",
    () => ({ description: "Toko ramah" }),
    (shop) => store(shop, "description = 'Toko ramah'"),
    (shop) => setStore(shop, "description = 'Kata saya'"),
  ),
  set_store_location: inShop(
    "set_store_location",
    () => ({ lat: -8.0954, lng: 112.1609 }),
    (shop) => store(shop, "lat = -8.0954"),
    (shop) => setStore(shop, "lat = -8.1, lng = 112.2"),
  ),
  create_promo: inShop(
    "create_promo",
    () => ({ ...period, code: unique("P").slice(0, 12), type: "percentage", value: 10 }),
    (_, id) =>
      sql`select deleted_at is null and is_active as yes from market_promo_codes where id = ${id}`,
    (_, id) => sql`update market_promo_codes set value = 20 where id = ${id}`,
  ),
  draft_instagram_post: inShop(
    "draft_instagram_post",
    () => ({ caption: "Panen baru" }),
    (_, id) => sql`select true as yes from market_instagram_posts where id = ${id}`,
    (_, id) => sql`update market_instagram_posts set caption = 'Kata saya' where id = ${id}`,
  ),
  feature_store: inShop(
    "feature_store",
    (shop) => ({ store_id: shop.store.id, featured: true }),
    (shop) => store(shop, "is_featured"),
    (shop) => setStore(shop, "is_featured = false"),
  ),
  feature_product: inShop(
    "feature_product",
    (shop) => ({ product_id: shop.product.id, featured: true }),
    (shop) => product(shop, "is_featured"),
    (shop) => setProduct(shop, "is_featured = false"),
  ),
  sync_to_marketplace: syncStage,
  enhance_product_photo: photoStage,
};
