import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { randomBase32 } from "../../../shared/crypto/index.ts";
import { call } from "../../../shared/db/statement.ts";
import { uuidv7 } from "../../../shared/db/uuid.ts";
import { inputHash } from "../../../shared/http/idempotency.ts";
import { openedPayment, startCharges } from "../../../shared/payments/index.ts";
import { pushSoon } from "../marketplaces/pushes.ts";
import type { CheckoutInput } from "../schemas/orders.ts";
import { type Quote, readSignedQuote } from "../shipping/quotes.ts";
import { Parcel, priceParcel } from "../shipping/rates.ts";
import { courierOf } from "../shipping/shown-quotes.ts";
import { refreshStorefront } from "../storefront/refresh.ts";
import { orderUrl } from "../storefront/urls.ts";
import { orderSettlement } from "./settlement.ts";

/** 0.5 % of what is sold (PMK 37/2025), frozen with the order as its commission is. */
const PPH22_BASIS_POINTS = 50;

const Placed = z.object({
  order_id: z.uuid(),
  number: z.string(),
  status: z.string(),
  store_slug: z.string(),
  shipping_amount: z.number(),
  discount_amount: z.number(),
  items: z.array(
    z.object({ id: z.string(), name: z.string(), price: z.number(), quantity: z.number() }),
  ),
  customer: z.object({ name: z.string(), phone: z.string(), email: z.string().nullable() }),
  payment: openedPayment,
  /** True when this order left few or none of something, which the store's pages should say at once. */
  few_left: z.boolean().default(false),
  /** True when it took something that other marketplaces sell too, which they should know soon. */
  listed: z.boolean().default(false),
});

/** The courier was named and its rate never shown: this is what he must price first. */
const Unpriced = z.object({ parcel: Parcel });

/**
 * Places an order and opens its payment: one database round trip, then the provider. Stock and promo are reserved
 * for exactly as long as the payment may be made. With the same `idempotencyKey` and input the first order is
 * answered again; other input is `idempotency_mismatch`. Errors: `not_found`, `sold_out`, `promo_refused`,
 * `changed` (ask the rates again), `conflict` (its buyer has cancelled it meanwhile), `provider_unavailable` (nothing was taken, or it is being checked).
 * Source: spec/tokoblitar.md, POST /api/buyer/orders.
 */
export async function placeOrder(ctx: Ctx, input: CheckoutInput, idempotencyKey?: string) {
  const placed = await checkOut(ctx, input, idempotencyKey);
  if (placed.few_left) refreshStorefront(ctx, placed.store_slug);
  if (placed.listed) pushSoon(ctx, input.store_id);
  const started = await startCharges(ctx, placed.payment, {
    settlement: orderSettlement,
    givenUp: "Pesanan sudah dibatalkan",
    description: `Pesanan ${placed.number}`,
    reference: { order_id: placed.order_id },
    finishUrl: orderUrl(ctx.config, placed.store_slug, placed.order_id),
    customer: placed.customer,
    items: [
      ...placed.items,
      ...extra("ongkir", "Ongkos kirim", placed.shipping_amount),
      ...extra("promo", "Potongan promo", -placed.discount_amount),
    ],
  });
  return {
    order_id: placed.order_id,
    payment_url: started.paymentUrl ?? orderUrl(ctx.config, placed.store_slug, placed.order_id),
    qr_code: started.qrCode,
    store_slug: placed.store_slug,
  };
}

const extra = (id: string, name: string, price: number) =>
  price === 0 ? [] : [{ id, name, price, quantity: 1 }];

/** One round trip; a second one, after the courier's answer, for a rate that the buyer was not shown. */
async function checkOut(ctx: Ctx, input: CheckoutInput, idempotencyKey: string | undefined) {
  const { courier } = input;
  const order = await checkoutInput(ctx, input, idempotencyKey);
  if (typeof courier === "string") {
    const quote = quoteInput(await readSignedQuote(ctx, courier));
    return await ctx.db.run(call("market_checkout", { ...order, quote }, Placed));
  }
  const tried = await ctx.db.run(
    call("market_checkout", { ...order, courier }, z.union([Unpriced, Placed])),
  );
  if (!("parcel" in tried)) return tried;
  const areaId = input.shipping_address.area_id;
  const quote = quoteInput(await priceParcel(ctx, tried.parcel, areaId, courier));
  ctx.db.guardAgain();
  return await ctx.db.run(call("market_checkout", { ...order, quote }, Placed));
}

/** A rate as SQL function `market_checkout` takes it; one that was priced just now does not run out. */
const quoteInput = (quote: Quote & { expiresAt?: number }) => ({
  store_id: quote.storeId,
  origin_area_id: quote.originAreaId,
  destination_area_id: quote.destinationAreaId,
  weight_gram: quote.weightGram,
  price: quote.priceIdr,
  expires_at: quote.expiresAt === undefined ? null : new Date(quote.expiresAt).toISOString(),
  courier: courierOf(quote),
});

async function checkoutInput(ctx: Ctx, input: CheckoutInput, idempotencyKey: string | undefined) {
  return {
    order_id: uuidv7(ctx.now()),
    number: `TB${randomBase32(12)}`,
    buyer_id: actorOf(ctx).userId,
    store_id: input.store_id,
    items: input.items,
    promo_code: input.promo_code ?? null,
    address: input.shipping_address,
    commission_percent: ctx.config.MARKET_COMMISSION_PERCENT,
    tax_basis_points: ctx.config.MARKET_PPH22 === "on" ? PPH22_BASIS_POINTS : 0,
    expiry_minutes: ctx.config.PAYMENT_EXPIRY_MINUTES,
    idempotency_key: idempotencyKey ?? null,
    input_hash: await inputHash(input),
  };
}
