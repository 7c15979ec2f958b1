import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { sellerProductJson } from "../catalogue-rows.ts";
import { pushSoon } from "../marketplaces/pushes.ts";
import { productId, productNotFound } from "../refusals.ts";
import {
  type ProductChanges,
  type SellerProduct,
  SellerProductShape,
} from "../schemas/products.ts";
import { refreshStorefront } from "../storefront/refresh.ts";
import { imageRows } from "./images.ts";
import { PRODUCT_ERRORS } from "./refusals.ts";

const Updated = z.object({
  product: SellerProductShape.nullable(),
  reserved: z.number(),
  slug: z.string(),
});

/** Changes what is given of the actor's product; given images replace all earlier ones. */
export async function updateProduct(
  ctx: Ctx,
  id: string,
  changes: ProductChanges,
): Promise<SellerProduct> {
  const { images, ...fields } = changes;
  const given = images === undefined ? null : imageRows(ctx, images);
  const mine = own(actorOf(ctx).userId, productId(id));
  // Locked by a statement of its own, so that the next one sees the images of whoever was before us (and the store
  // held first: market_locks.sql).
  const [, [updated]] = await ctx.db.batch(
    [
      rows(sql`select p.id ${mine} for key share of s for no key update of p`, z.unknown()),
      rows(change(ctx, mine, JSON.stringify(fields), given), Updated),
    ],
    PRODUCT_ERRORS,
  );
  if (!updated) throw productNotFound();
  if (!updated.product) {
    throw new AppError(
      "conflict",
      `Stok tidak boleh kurang dari ${updated.reserved} yang sedang dipesan pembeli`,
      { meta: { reserved: updated.reserved } },
    );
  }
  refreshStorefront(ctx, updated.slug);
  pushSoon(ctx, updated.product.store_id);
  return updated.product;
}

const own = (userId: number, id: string) => sql`
  from market_products p join market_stores s on s.id = p.store_id
  where p.id = ${id} and p.deleted_at is null and s.user_id = ${userId} and s.deleted_at is null`;

/** No row: not the actor's. A row without a product: the stock would not cover what unpaid orders hold. */
const change = (ctx: Ctx, mine: SQL, fields: string, images: string | null) => sql`
  with mine as (
    select p.id, p.reserved, s.slug ${mine}
  ), p as (
    update market_products t
    set (category_id, name, description, price, stock, stock_counts, weight_gram, status, updated_at) = (
      select n.category_id, n.name, n.description, n.price, n.stock, t.stock_counts + (n.stock <> t.stock)::int,
        n.weight_gram, n.status, now()
      from jsonb_populate_record(t, ${fields}::jsonb) n)
    from mine
    where t.id = mine.id and coalesce((${fields}::jsonb->>'stock')::int, t.stock) >= t.reserved
    returning t.*
  ), removed as (
    delete from market_product_images i using p
    where ${images}::jsonb is not null and i.product_id = p.id
  ), added as (
    insert into market_product_images (product_id, url, is_primary, is_ai_enhanced, sort_order)
    select p.id, i.url, i.is_primary, i.is_ai_enhanced, i.sort_order
    from p, jsonb_populate_recordset(null::market_product_images, ${images}::jsonb) i
    returning *
  ), images as (
    select * from added union all
    select i.* from market_product_images i, p where ${images}::jsonb is null and i.product_id = p.id
  )
  select case when p.id is not null then ${sellerProductJson(ctx, sql`images`)} end as product, mine.reserved, mine.slug
  from mine left join p on p.id = mine.id`;
