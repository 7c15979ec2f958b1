import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { notFound } from "../../../shared/http/errors.ts";
import { sellerProductJson } from "../catalogue-rows.ts";
import { type NewProduct, type SellerProduct, SellerProductShape } from "../schemas/products.ts";
import { refreshStorefront } from "../storefront/refresh.ts";
import { imageRows } from "./images.ts";
import { PRODUCT_ERRORS } from "./refusals.ts";

/** Adds a product with its images to the actor's store, in one statement; under `id`, where its maker needs to know it. */
export async function createProduct(
  ctx: Ctx,
  input: NewProduct,
  id: string | null = null,
): Promise<SellerProduct> {
  const { images, ...fields } = input;
  const [created] = await ctx.db.run(
    rows(
      sql`with s as (
          select id, slug from market_stores where user_id = ${actorOf(ctx).userId} and deleted_at is null
        ), p as (
          insert into market_products (id, store_id, category_id, name, description, price, stock, weight_gram, status)
          select coalesce(${id}::uuid, uuidv7()), s.id, n.category_id, n.name, n.description, n.price, n.stock, n.weight_gram, n.status
          from s, jsonb_populate_record(null::market_products, ${JSON.stringify(fields)}::jsonb) n
          returning *
        ), images as (
          insert into market_product_images (product_id, url, is_primary, is_ai_enhanced, sort_order)
          select p.id, i.url, i.is_primary, i.is_ai_enhanced, i.sort_order
          from p, jsonb_populate_recordset(null::market_product_images, ${imageRows(ctx, images)}::jsonb) i
          returning *
        )
        select ${sellerProductJson(ctx, sql`images`)} as product, s.slug from p, s`,
      z.object({ product: SellerProductShape, slug: z.string() }),
    ),
    PRODUCT_ERRORS,
  );
  if (!created) throw notFound("Toko belum dibuat");
  refreshStorefront(ctx, created.slug);
  return created.product;
}
