import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import type { CourierChoice, ShownRate } from "../tables/sales.ts";
import { QUOTE_MS, type Quote } from "./quotes.ts";

/** The courier of a rate, as an order keeps it. */
export const courierOf = (quote: Quote): CourierChoice => ({
  courier_code: quote.courierCode,
  courier_name: quote.courierName,
  courier_service_code: quote.serviceCode,
  courier_service_name: quote.serviceName,
  duration: quote.duration,
  type: quote.type,
});

/**
 * Keeps the rates of one parcel that the actor is being shown, behind the answer. An order that comes sooner, or after
 * a failure here, is priced anew (`market_checkout`).
 */
export function keepShown(ctx: Ctx, quotes: readonly Quote[]): void {
  const [parcel] = quotes;
  if (!parcel) return;
  const rates = quotes.map((quote): ShownRate => ({ ...courierOf(quote), price: quote.priceIdr }));
  const expiresAt = new Date(ctx.now().getTime() + QUOTE_MS).toISOString();
  const kept = rows(
    sql`insert into market_shipping_quotes
        (buyer_id, store_id, destination_area_id, weight_gram, origin_area_id, rates, expires_at)
      values (${actorOf(ctx).userId}, ${parcel.storeId}, ${parcel.destinationAreaId}, ${parcel.weightGram},
        ${parcel.originAreaId}, ${JSON.stringify(rates)}::jsonb, ${expiresAt}::timestamptz)
      on conflict on constraint market_shipping_quotes_pkey do update
        set origin_area_id = excluded.origin_area_id, rates = excluded.rates, expires_at = excluded.expires_at`,
    z.unknown(),
  );
  ctx.waitUntil(ctx.db.run(kept));
}

/** For the hourly cron: forgets rates that may not be ordered at any more. */
export async function purgeShownQuotes(ctx: Ctx): Promise<void> {
  await ctx.db.run(
    rows(sql`delete from market_shipping_quotes where expires_at < now()`, z.unknown()),
  );
}
