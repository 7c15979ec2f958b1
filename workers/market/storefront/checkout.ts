import { z } from "zod";
import { sessionGate } from "../../../shared/auth/sessions.ts";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call } from "../../../shared/db/statement.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { pictureUrlOrNull } from "../images.ts";
import type { CheckoutInput, Rate } from "../schemas/orders.ts";
import { readQuote } from "../shipping/quotes.ts";

const Line = z.object({
  product_id: z.string(),
  name: z.string(),
  price: z.number(),
  quantity: z.number(),
  image_url: z.string().nullable(),
});

const optional = z
  .string()
  .nullish()
  .transform((value) => value ?? "");

const Basis = z.object({
  lines: z.array(Line),
  left_out: z.number(),
  subtotal: z.number(),
  weight_gram: z.number(),
  promo: z.object({ discount: z.number(), refusal: z.string().optional() }),
  address: z
    .object({
      name: z.string(),
      phone: z.string(),
      street: z.string(),
      city: optional,
      province: optional,
      postal_code: optional,
      area_id: optional,
    })
    .nullable(),
  person: z.object({ name: z.string(), phone: z.string().nullable() }),
});
export type Basis = z.output<typeof Basis>;

/** Everything that a checkout page starts from, in one round trip. */
export async function checkoutBasis(ctx: Ctx, storeId: string, promoCode: string): Promise<Basis> {
  const input = { user_id: actorOf(ctx).userId, store_id: storeId, promo_code: promoCode };
  const basis = await ctx.db.run(call("market_storefront_checkout", input, Basis));
  const lines = basis.lines.map(({ image_url, ...line }) => ({
    ...line,
    image_url: pictureUrlOrNull(ctx.config, image_url),
  }));
  return { ...basis, lines };
}

/** The sums that a page showed when its buyer agreed to them. */
export interface Agreed {
  subtotal: number;
  discount: number;
  key: string;
}

/**
 * Lets the order that is placed next stand only if it costs what the page showed. It takes the place of the
 * session's gate (and includes it), so it rides in the order's own transaction.
 */
export function agreeOnPrice(ctx: Ctx, order: CheckoutInput, agreed: Agreed): void {
  const actor = actorOf(ctx);
  const input = {
    session_id: actor.sessionId,
    user_id: actor.userId,
    store_id: order.store_id,
    items: order.items,
    promo_code: order.promo_code ?? "",
    ...agreed,
  };
  ctx.db.guard({
    statement: call("market_storefront_confirm", input, z.unknown()),
    passed:
      sessionGate(actor, { role: "buyer", fresh: true }, ctx.now())?.passed ?? (() => undefined),
  });
}

/** Rates that this page showed before, read from their own signed ids; null when one of them no longer holds. */
export async function shownRates(ctx: Ctx, ids: readonly string[]): Promise<Rate[] | null> {
  if (ids.length === 0) return null;
  try {
    return await Promise.all(ids.map((id) => readRate(ctx, id)));
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
}

async function readRate(ctx: Ctx, id: string): Promise<Rate> {
  const quote = await readQuote(ctx, id);
  return {
    id,
    courier_code: quote.courierCode,
    courier_name: quote.courierName,
    courier_service_code: quote.serviceCode,
    courier_service_name: quote.serviceName,
    description: "",
    duration: quote.duration,
    price: quote.priceIdr,
    type: quote.type,
  };
}
