import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../shared/context.ts";
import { rows } from "../../shared/db/statement.ts";
import { allOf, buyerProductJson, nameHas, onSale } from "./catalogue-rows.ts";
import { type BuyerProduct, BuyerProductShape, type ProductQuery } from "./schemas/products.ts";

/** How many matches are counted and can be paged through; a larger result says so instead of being walked. */
export const MAX_MATCHES = 1000;

export interface ProductSearchResult {
  rows: BuyerProduct[];
  page: number;
  limit: number;
  total: number;
  /** True when there are more matches than `total`. */
  capped: boolean;
}

const Found = z.object({ total: z.number(), rows: z.array(BuyerProductShape) });

/** A page of the products on sale that fit every filter, newest first. */
export async function searchProducts(ctx: Ctx, query: ProductQuery): Promise<ProductSearchResult> {
  const { page, limit } = query;
  const offset = (page - 1) * limit;
  const shown = Math.max(0, Math.min(limit, MAX_MATCHES - offset));
  const matches = matching(query);
  const [found] = await ctx.db.run(
    rows(
      sql`select (select count(*)::int from (select from ${matches} limit ${MAX_MATCHES + 1}) m) as total,
        (select coalesce(json_agg(${buyerProductJson} order by p.created_at desc, p.id desc), '[]')
          from (select p.* from ${matches} order by p.created_at desc, p.id desc
            limit ${shown} offset ${Math.min(offset, MAX_MATCHES)}) p
          join market_stores s on s.id = p.store_id) as rows`,
      Found,
    ),
  );
  const total = found?.total ?? 0;
  return {
    rows: found?.rows ?? [],
    page,
    limit,
    total: Math.min(total, MAX_MATCHES),
    capped: total > MAX_MATCHES,
  };
}

function matching(query: ProductQuery) {
  const conditions = [onSale, ...nameHas(query.q ?? query.search ?? [])];
  if (query.category_id) conditions.push(sql`p.category_id = ${query.category_id}`);
  if (query.store_id) conditions.push(sql`p.store_id = ${query.store_id}`);
  if (query.price_min !== undefined) conditions.push(sql`p.price >= ${query.price_min}`);
  if (query.price_max !== undefined) conditions.push(sql`p.price <= ${query.price_max}`);
  if (query.featured) conditions.push(sql`p.is_featured`);
  return sql`market_products p join market_stores s on s.id = p.store_id where ${allOf(conditions)}`;
}
