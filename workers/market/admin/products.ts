import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { sellerProductJson } from "../catalogue-rows.ts";
import { pushSoon } from "../marketplaces/pushes.ts";
import { productId, productNotFound } from "../refusals.ts";
import { type SellerProduct, SellerProductShape } from "../schemas/products.ts";
import { refreshStorefront } from "../storefront/refresh.ts";
import { told } from "./told.ts";

const Changed = z.object({ product: SellerProductShape, slug: z.string() });

async function change(ctx: Ctx, id: string, what: { action: string; set: SQL; after: SQL }) {
  const audit = told(ctx, {
    action: what.action,
    subject: "market_product",
    changed: sql`p`,
    after: what.after,
  });
  const [changed] = await ctx.db.run(
    rows(
      // The store is held before its product: market_locks.sql.
      sql`with s as materialized (
          select id, slug from market_stores
          where id = (select store_id from market_products where id = ${productId(id)}) for key share
        ), p as (
          update market_products p set ${what.set}, updated_at = now() from s
          where p.id = ${productId(id)} and p.deleted_at is null and p.store_id = s.id returning p.*
        ), told as (${audit})
        select ${sellerProductJson(ctx)} as product, s.slug from p, told, s`,
      Changed,
    ),
  );
  if (!changed) throw productNotFound();
  refreshStorefront(ctx, changed.slug);
  return changed.product;
}

/** Puts a product on the market's front page, or takes it off. */
export async function featureProduct(
  ctx: Ctx,
  id: string,
  featured: boolean,
): Promise<SellerProduct> {
  return await change(ctx, id, {
    action: "market.product.feature",
    set: sql`is_featured = ${featured}`,
    after: sql`jsonb_build_object('is_featured', t.is_featured)`,
  });
}

/** Takes any store's product off for good. The row stays for the orders that hold it. */
export async function removeProduct(ctx: Ctx, id: string): Promise<{ id: string }> {
  const product = await change(ctx, id, {
    action: "market.product.delete",
    set: sql`deleted_at = now(), is_featured = false`,
    after: sql`jsonb_build_object('name', t.name, 'store_id', t.store_id)`,
  });
  pushSoon(ctx, product.store_id);
  return { id: product.id };
}
