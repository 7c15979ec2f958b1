import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../shared/context.ts";
import { rows } from "../../shared/db/statement.ts";
import { buyerProductJson, onSale } from "./catalogue-rows.ts";
import type { Addressed } from "./images.ts";
import { type BuyerProduct, BuyerProductShape, type ProductQuery } from "./schemas/products.ts";
import { readCursor, sortOf, writeCursor } from "./search-cursor.ts";
import { termsOf } from "./search-terms.ts";

/**
 * How many matches are counted and can be paged through by number; a larger result says so instead of being walked.
 * Behind them `next_cursor` goes on, at the same price at any depth.
 */
export const MAX_MATCHES = 1000;

export interface ProductSearchResult {
  rows: BuyerProduct[];
  page: number;
  limit: number;
  total: number;
  /** True when there are more matches than `total`. */
  capped: boolean;
  /** What `?cursor=` takes to see the page behind this one; null on the last, and by relevance. */
  nextCursor: string | null;
  /** True when nothing holds the words as they were typed, and their nearest neighbours were looked for. */
  mended: boolean;
}

const Found = z.object({
  result: z.object({
    total: z.number(),
    last: z.object({ value: z.union([z.string(), z.number()]), id: z.uuid() }).nullable(),
    mended: z.boolean(),
  }),
  rows: z.array(BuyerProductShape),
});

/** A page of the products on sale that fit every filter: by relevance where words are given, else newest first. */
export async function searchProducts(ctx: Ctx, query: ProductQuery): Promise<ProductSearchResult> {
  const { page, limit } = query;
  const cursor = readCursor(query);
  const [found] = await ctx.db.run(searchStatement(ctx, query));
  const counted = found?.result.total ?? 0;
  const total = cursor?.total ?? Math.min(counted, MAX_MATCHES);
  const capped = cursor?.capped ?? counted > MAX_MATCHES;
  const isMore = cursor ? counted > limit : page * limit < total || capped;
  const last = found?.result.last;
  return {
    rows: found?.rows ?? [],
    ...{ page, limit, total, capped },
    nextCursor: isMore && last ? writeCursor(query, { ...last, total, capped }) : null,
    mended: found?.result.mended ?? false,
  };
}

/** What Postgres is asked: the ids of a page (SQL function `market_search`) and their rows, in one statement. */
export function searchStatement(ctx: Addressed, query: ProductQuery) {
  const { page, limit } = query;
  const after = readCursor(query);
  const offset = after ? 0 : (page - 1) * limit;
  const input = {
    ...termsOf(query.q ?? query.search ?? []),
    category_id: query.category_id ?? null,
    store_id: query.store_id ?? null,
    price_min: query.price_min ?? null,
    price_max: query.price_max ?? null,
    in_stock: query.in_stock ?? false,
    featured: query.featured ?? false,
    sort: sortOf(query),
    offset: Math.min(offset, MAX_MATCHES),
    limit: after ? limit : Math.max(0, Math.min(limit, MAX_MATCHES - offset)),
    after: after && { value: after.value, id: after.id },
    cap: MAX_MATCHES,
  };
  return rows(
    sql`with found as materialized (select market_search(${JSON.stringify(input)}::jsonb) as result)
      select found.result, (select coalesce(json_agg(${buyerProductJson(ctx)} order by x.n), '[]')
        from jsonb_array_elements_text(found.result->'ids') with ordinality x(id, n)
        join market_products p on p.id = x.id::uuid join market_stores s on s.id = p.store_id
        where ${onSale}) as rows
      from found`,
    Found,
  );
}
