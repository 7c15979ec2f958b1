import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { AppError, notFound } from "../../../shared/http/errors.ts";
import { ProviderError } from "../../../shared/providers/http.ts";
import { fetchesByMap } from "../../../shared/providers/kiriminaja.ts";
import type { Rate } from "../schemas/orders.ts";
import { type Quote, signQuote } from "./quotes.ts";
import { keepShown } from "./shown-quotes.ts";

/** A parcel of a store as a courier is asked to price it. */
export const Parcel = z.object({
  store_id: z.string(),
  /** Null where the store has not said all that a courier needs to fetch a parcel. */
  origin_area_id: z.string().nullable(),
  /** Whether the store is on the map; some couriers go by that alone. */
  is_located: z.boolean(),
  couriers: z.array(z.string()),
  weight_gram: z.coerce.number(),
  value: z.coerce.number(),
});
export type Parcel = z.output<typeof Parcel>;

/** What the buyer's cart would weigh and be worth as a parcel of this store. */
const parcelOfCart = (userId: number, storeId: string) => sql`
  select (select coalesce(sum(greatest(p.weight_gram, 1) * c.quantity), 0)
      from market_cart_items c join market_products p on p.id = c.product_id
      where c.user_id = ${userId} and p.store_id = s.id) as weight_gram,
    (select coalesce(sum(p.price * c.quantity), 0)
      from market_cart_items c join market_products p on p.id = c.product_id
      where c.user_id = ${userId} and p.store_id = s.id) as value,
    s.id as store_id, case when s.phone is not null and s.address is not null then s.area_id end as origin_area_id,
    s.shipping_couriers as couriers, s.lat is not null and s.lng is not null as is_located
  from market_stores s where s.id = ${storeId} and s.status = 'active' and s.deleted_at is null`;

export interface RatesInput {
  storeId: string;
  destinationAreaId: string;
  /** Of the parcel; without it the buyer's cart is weighed. */
  weightGram?: number | undefined;
  valueIdr?: number | undefined;
}

/**
 * What each courier asks to carry a parcel of this store to a district, cheapest first. An order may name any of them,
 * by its `id` or by courier and service.
 */
export async function listRates(ctx: Ctx, input: RatesInput): Promise<Rate[]> {
  const query = parcelOfCart(actorOf(ctx).userId, input.storeId);
  const [parcel] = await ctx.db.run(rows(query, Parcel));
  if (!parcel) throw notFound("Toko tidak ditemukan");
  const asked = {
    ...parcel,
    weight_gram: input.weightGram ?? parcel.weight_gram,
    value: input.valueIdr ?? parcel.value,
  };
  const quotes = await quotesFor(ctx, asked, input.destinationAreaId);
  keepShown(ctx, quotes);
  return await Promise.all(quotes.map((quote) => toRate(ctx, quote)));
}

/** What a courier asks now for a parcel whose buyer was shown no rate. Throws `invalid_input` where it does not go. */
export async function priceParcel(
  ctx: Ctx,
  parcel: Parcel,
  destinationAreaId: string,
  courier: { courier_code: string; courier_service_code: string },
): Promise<Quote> {
  const quotes = await quotesFor(ctx, parcel, destinationAreaId);
  const { courier_code, courier_service_code } = courier;
  const chosen = quotes.find(
    (quote) => quote.courierCode === courier_code && quote.serviceCode === courier_service_code,
  );
  if (!chosen)
    throw new AppError("invalid_input", "courier: layanan ini tidak tersedia ke alamat tujuan");
  return chosen;
}

/** No courier of ours carries more in one parcel. */
const MAX_GRAM = 1_000_000;

async function quotesFor(ctx: Ctx, parcel: Parcel, destinationAreaId: string): Promise<Quote[]> {
  const { origin_area_id: originAreaId, weight_gram: weightGram } = parcel;
  if (!originAreaId) throw new AppError("conflict", "Toko belum mengatur alamat pengiriman");
  if (weightGram < 1)
    throw new AppError("invalid_input", "weight: keranjang untuk toko ini kosong");
  if (weightGram > MAX_GRAM) throw new AppError("invalid_input", "Berat pesanan melebihi 1.000 kg");
  const rates = await askCourier(() =>
    ctx.providers.kiriminaja.getRates({
      originAreaId,
      destinationAreaId,
      weightGram,
      itemValueIdr: Math.max(parcel.value, 1000),
      ...(parcel.couriers.length > 0 ? { couriers: parcel.couriers } : {}),
    }),
  );
  return rates
    .filter((rate) => rate.priceIdr > 0)
    .filter((rate) => parcel.is_located || !fetchesByMap(rate.courierCode))
    .map((rate) => ({
      storeId: parcel.store_id,
      originAreaId,
      destinationAreaId,
      weightGram,
      priceIdr: rate.priceIdr,
      courierCode: rate.courierCode,
      courierName: rate.courierName,
      serviceCode: rate.serviceCode,
      serviceName: rate.serviceName,
      duration: rate.duration,
      type: rate.type,
    }))
    .sort((a, b) => a.priceIdr - b.priceIdr);
}

async function toRate(ctx: Ctx, quote: Quote): Promise<Rate> {
  return {
    id: await signQuote(ctx, quote),
    courier_code: quote.courierCode,
    courier_name: quote.courierName,
    courier_service_code: quote.serviceCode,
    courier_service_name: quote.serviceName,
    description: `${quote.serviceName}, tiba dalam ${quote.duration} hari`,
    duration: quote.duration,
    price: quote.priceIdr,
    type: quote.type,
  };
}

const notServed = (cause: ProviderError) =>
  new AppError("invalid_input", "Kurir tidak melayani alamat ini", { cause });

/** A refusal of the courier is what `refused` makes of it (the caller's input), anything else an outage. */
export async function askCourier<T>(ask: () => Promise<T>, refused = notServed): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    if (error.kind === "refused" || error.kind === "invalid") throw refused(error);
    throw new AppError(
      "provider_unavailable",
      "Layanan kurir sedang terganggu. Coba lagi sebentar lagi.",
      { cause: error },
    );
  }
}
