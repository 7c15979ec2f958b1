import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../../shared/context.ts";
import { call, rows } from "../../../../shared/db/statement.ts";
import type { Platform } from "../../../../shared/providers/marketplace.ts";
import { Shop } from "../connections/shop.ts";
import { ShopClosedError } from "../connections/tokens.ts";
import { BLOCKED, isBlocked } from "./not-listable.ts";

/**
 * A platform says that something about a listing is another by now: mostly that a review has ended, long after the call
 * that put it up. It is asked, and the seller is told where buyers do not see the product. Nothing is sent: what he has
 * taken off the shelf there himself stays off.
 */
export async function seeListing(
  ctx: Ctx,
  told: { platform: Platform; shopId: string | null; itemId: string },
): Promise<void> {
  const { platform, shopId, itemId } = told;
  const [known] = await ctx.db.run(
    rows(
      sql`select c.id, l.product_id from market_connections c join market_listings l on l.connection_id = c.id
        where c.platform = ${platform} and c.shop_id = ${shopId} and c.status = 'connected' and l.item_id = ${itemId}`,
      z.object({ id: z.uuid(), product_id: z.uuid() }),
    ),
  );
  if (!known) return;
  try {
    const shop = await Shop.open(ctx, known.id);
    await look(ctx, shop, { itemId, productId: known.product_id });
  } catch (error) {
    // It is asked about when its seller has connected it again and syncs.
    if (!(error instanceof ShopClosedError)) throw error;
  }
}

const Seen = z.object({ listings: z.number() });

/** Asks a shop whether buyers see a listing, and keeps the answer. */
export async function look(
  ctx: Ctx,
  shop: Shop,
  { itemId, productId }: { itemId: string; productId: string },
): Promise<void> {
  const found = await shop.call((auth) => shop.client.findBySku(auth, productId, itemId));
  const listing = { connection_id: shop.row.id, item_id: itemId };
  const blocked = isBlocked(found, itemId);
  if (!blocked && found?.itemId !== itemId) {
    await ctx.db.run(call("market_marketplace_missed", listing, Seen));
  } else if (blocked || found?.status === "live") {
    const input = { ...listing, blocked, reason: BLOCKED };
    await ctx.db.run(call("market_marketplace_seen", input, Seen));
  }
}
