import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { pushSoon } from "../marketplaces/pushes.ts";
import { productId, productNotFound } from "../refusals.ts";
import { refreshStorefront } from "../storefront/refresh.ts";

/** Takes the actor's product off for good. The row stays for the orders that hold it. */
export async function deleteProduct(ctx: Ctx, id: string): Promise<{ id: string }> {
  const [deleted] = await ctx.db.run(
    rows(
      // The store is held before its product: market_locks.sql.
      sql`with s as materialized (
          select id, slug from market_stores where user_id = ${actorOf(ctx).userId} and deleted_at is null for key share
        )
        update market_products p set deleted_at = now(), updated_at = now() from s
        where p.id = ${productId(id)} and p.deleted_at is null and s.id = p.store_id
        returning p.id, s.id as store_id, s.slug`,
      z.object({ id: z.string(), store_id: z.string(), slug: z.string() }),
    ),
  );
  if (!deleted) throw productNotFound();
  refreshStorefront(ctx, deleted.slug);
  pushSoon(ctx, deleted.store_id);
  return { id: deleted.id };
}
