import { sql } from "drizzle-orm";
import { z } from "zod";
import { rows } from "../../shared/db/statement.ts";
import { sealTokens } from "../market/marketplaces/connections/tokens.ts";
import { testContext } from "./api.ts";
import { type TestStore, unique } from "./factories.ts";

/** A Shopee shop of the store as if it had been connected, and one category of Shopee; no platform knows of it. */
export async function settleMarketplace(store: TestStore): Promise<{ categoryId: string }> {
  const { db, config } = testContext();
  const id = crypto.randomUUID();
  const hour = 3_600_000;
  const sealed = await sealTokens(config, id, {
    accessToken: unique("acc"),
    refreshToken: unique("ref"),
    accessExpiresAt: new Date(Date.now() + 24 * hour),
    refreshExpiresAt: null,
  });
  const categoryId = unique("c");
  await db.batch([
    rows(
      sql`insert into market_connections (id, store_id, platform, status, shop_id, access_token_enc, refresh_token_enc,
          access_expires_at, connected_at, orders_polled_at)
        values (${id}, ${store.id}, 'shopee', 'connected', ${unique("S")}, ${sealed.access_token_enc},
          ${sealed.refresh_token_enc}, ${sealed.access_expires_at}::timestamptz, now(), now() + interval '1 day')`,
      z.unknown(),
    ),
    rows(
      sql`insert into market_remote_trees (platform, fetched_at, leaves) values ('shopee', now(), 1)
        on conflict (platform) do update set fetched_at = now()`,
      z.unknown(),
    ),
    rows(
      sql`insert into market_remote_categories (platform, id, path, words, attributes, attributes_at)
        values ('shopee', ${categoryId}, '{Makanan,Camilan}', 'makanan > camilan', '[]', now())`,
      z.unknown(),
    ),
  ]);
  return { categoryId };
}
