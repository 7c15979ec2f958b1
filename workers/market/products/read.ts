import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { notFound } from "../../../shared/http/errors.ts";
import { allOf, nameHas, sellerProductJson } from "../catalogue-rows.ts";
import { productId, productNotFound } from "../refusals.ts";
import {
  type SellerProduct,
  type SellerProductQuery,
  SellerProductShape,
} from "../schemas/products.ts";

/** A product of the actor's store. */
export async function getOwnProduct(ctx: Ctx, id: string): Promise<SellerProduct> {
  const [found] = await ctx.db.run(
    rows(
      sql`select ${sellerProductJson(ctx)} as product from market_products p join market_stores s on s.id = p.store_id
        where p.id = ${productId(id)} and p.deleted_at is null
          and s.user_id = ${actorOf(ctx).userId} and s.deleted_at is null`,
      z.object({ product: SellerProductShape }),
    ),
  );
  if (!found) throw productNotFound();
  return found.product;
}

const ProductPage = z.object({ total: z.number(), rows: z.array(SellerProductShape) });

/** A page of the actor's products, newest first, and how many there are. */
export async function listOwnProducts(ctx: Ctx, query: SellerProductQuery) {
  const { page, limit, status } = query;
  const conditions = [sql`p.store_id = st.id`, sql`p.deleted_at is null`];
  if (status) conditions.push(sql`p.status = ${status}`);
  conditions.push(...nameHas(query.search ?? query.q ?? []));
  const matches = sql`market_products p where ${allOf(conditions)}`;
  const [found] = await ctx.db.run(
    rows(
      sql`select (select count(*)::int from ${matches}) as total,
          (select coalesce(json_agg(${sellerProductJson(ctx)} order by p.created_at desc, p.id desc), '[]')
            from (select p.* from ${matches} order by p.created_at desc, p.id desc
              limit ${limit} offset ${(page - 1) * limit}) p) as rows
        from market_stores st where st.user_id = ${actorOf(ctx).userId} and st.deleted_at is null`,
      ProductPage,
    ),
  );
  if (!found) throw notFound("Toko belum dibuat");
  return { ...found, page, limit };
}
