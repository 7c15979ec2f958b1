import { type SQL, sql } from "drizzle-orm";
import type { Addressed } from "./images.ts";

/**
 * The catalogue's rows as the wire shows them, built as JSON by Postgres: one statement answers with whole objects,
 * amounts are numbers and dates are ISO text. Each fragment names the alias that its query must give.
 */

const iso = (column: string) => sql.raw(`market_iso(${column})`);

/** The address of the picture that this column stores. */
export const pictureColumn = (ctx: Addressed, column: string) =>
  sql`market_picture_url(${sql.raw(column)}, ${ctx.config.APP_URL})`;

/** `s` is a row of market_stores. */
export const storeJson = (
  ctx: Addressed,
) => sql`json_build_object('id', s.id, 'user_id', s.user_id, 'name', s.name, 'slug', s.slug,
  'description', s.description, 'logo_url', ${pictureColumn(ctx, "s.logo_url")}, 'banner_url', ${pictureColumn(ctx, "s.banner_url")}, 'address', s.address,
  'city', s.city, 'province', s.province, 'postal_code', s.postal_code, 'lat', s.lat, 'lng', s.lng,
  'google_maps_url', s.google_maps_url, 'instagram_handle', s.instagram_handle, 'phone', s.phone,
  'area_id', s.area_id, 'shipping_couriers', s.shipping_couriers, 'status', s.status,
  'is_featured', s.is_featured, 'created_at', ${iso("s.created_at")}, 'updated_at', ${iso("s.updated_at")},
  'deleted_at', ${iso("s.deleted_at")})`;

/** Images of the product `p`, read from the table or from a step of the same statement that wrote them. */
const imagesJson = (ctx: Addressed, source: SQL) => sql`(
  select coalesce(json_agg(json_build_object('id', i.id, 'product_id', i.product_id, 'url', ${pictureColumn(ctx, "i.url")},
    'is_primary', i.is_primary, 'is_ai_enhanced', i.is_ai_enhanced, 'sort_order', i.sort_order)
    order by i.sort_order, i.id), '[]')
  from ${source} i where i.product_id = p.id)`;

const productFields = sql`'id', p.id, 'store_id', p.store_id, 'category_id', p.category_id, 'name', p.name,
  'description', p.description, 'price', p.price, 'weight_gram', p.weight_gram, 'is_featured', p.is_featured,
  'status', p.status, 'created_at', ${iso("p.created_at")}, 'updated_at', ${iso("p.updated_at")},
  'deleted_at', ${iso("p.deleted_at")}`;

const imageTable = sql`market_product_images`;

/** `p` is a product; its seller sees the stock on hand and what unpaid orders hold of it. */
export const sellerProductJson = (
  ctx: Addressed,
  images: SQL = imageTable,
) => sql`json_build_object(${productFields},
  'stock', p.stock, 'reserved', p.reserved, 'product_images', ${imagesJson(ctx, images)})`;

/** `p` is a product, `s` its store; a buyer sees what may still be bought. */
export const buyerProductJson = (
  ctx: Addressed,
) => sql`json_build_object(${productFields}, 'stock', p.stock - p.reserved,
  'product_images', ${imagesJson(ctx, imageTable)}, 'stores', json_build_object('name', s.name, 'slug', s.slug))`;

/** `c` is a promo code. */
export const promoJson = sql`json_build_object('id', c.id, 'store_id', c.store_id, 'created_by', c.created_by,
  'code', c.code, 'type', c.type, 'value', c.value, 'min_purchase', c.min_purchase, 'max_uses', c.max_uses,
  'used_count', c.used_count, 'starts_at', ${iso("c.starts_at")}, 'ends_at', ${iso("c.ends_at")},
  'is_active', c.is_active, 'created_at', ${iso("c.created_at")}, 'updated_at', ${iso("c.updated_at")})`;

/** What a buyer may see: `p` on sale, in a store `s` that is open (TB-17). */
export const onSale = sql`p.status = 'active' and p.deleted_at is null
  and s.status = 'active' and s.deleted_at is null`;

/**
 * Each word stands in the name, whatever the order and the case; `%` and `_` are letters. Words too short for the
 * index of letter triples are looked for at the beginnings of words, where it still helps.
 */
export const nameHas = (words: readonly string[]): SQL[] =>
  words.map((word) => {
    const letters = word.replace(/[\\%_]/g, "\\$&");
    if (word.length >= 3) return sql`p.name ilike ${`%${letters}%`}`;
    return sql`(p.name ilike ${`${letters}%`} or p.name ilike ${`% ${letters}%`})`;
  });

export const allOf = (conditions: SQL[]): SQL => sql.join(conditions, sql` and `);
