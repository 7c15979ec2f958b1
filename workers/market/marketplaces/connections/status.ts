import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../../shared/context.ts";
import { rows } from "../../../../shared/db/statement.ts";
import { PLATFORMS } from "../../../../shared/providers/marketplace.ts";
import { ConnectionStatus } from "../../schemas/marketplace.ts";

/** The actor's three platforms, connected or not. Source: spec/tokoblitar.md, GET /api/seller/marketplace/status. */
export async function listConnections(ctx: Ctx): Promise<ConnectionStatus[]> {
  const found = await ctx.db.run(
    rows(
      sql`select k.platform, coalesce(c.status = 'connected', false) as connected,
          coalesce(c.status, 'disconnected') as status, c.status_reason as reason,
          c.shop_id, c.shop_name, market_iso(c.connected_at) as connected_at,
          market_iso(c.last_sync_at) as last_sync_at, market_iso(c.refresh_expires_at) as access_ends_at,
          coalesce(l.synced, 0) as synced, coalesce(l.pending, 0) as pending, coalesce(l.failed, 0) as failed
        from unnest(${`{${PLATFORMS.join(",")}}`}::text[]) with ordinality k(platform, place)
        left join market_stores s on s.user_id = ${actorOf(ctx).userId} and s.deleted_at is null
        left join market_connections c on c.store_id = s.id and c.platform = k.platform
        left join lateral (
          select count(*) filter (where l.sync_status = 'synced')::int as synced,
            count(*) filter (where l.sync_status = 'pending')::int as pending,
            count(*) filter (where l.sync_status = 'error')::int as failed
          from market_listings l where l.connection_id = c.id) l on true
        order by k.place`,
      z.object({ ...ConnectionStatus.shape }),
    ),
  );
  return found;
}
