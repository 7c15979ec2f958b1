import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { pushSoon } from "../marketplaces/pushes.ts";
import { refreshStorefront } from "../storefront/refresh.ts";
import { productId, productNotFound } from "./refusals.ts";

/** Takes the actor's product off for good. The row stays for the orders that hold it. */
export async function deleteProduct(ctx: Ctx, id: string): Promise<{ id: string }> {
  const [deleted] = await ctx.db.run(
    rows(
      sql`update market_products p set deleted_at = now(), updated_at = now() from market_stores s
        where p.id = ${productId(id)} and p.deleted_at is null and s.id = p.store_id
          and s.user_id = ${actorOf(ctx).userId} and s.deleted_at is null
        returning p.id, s.id as store_id, s.slug`,
      z.object({ id: z.string(), store_id: z.string(), slug: z.string() }),
    ),
  );
  if (!deleted) throw productNotFound();
  refreshStorefront(ctx, deleted.slug);
  pushSoon(ctx, deleted.store_id);
  return { id: deleted.id };
}
