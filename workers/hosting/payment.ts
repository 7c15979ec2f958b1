import { z } from "zod";
import { actorOf, type Ctx } from "../../shared/context.ts";
import { call } from "../../shared/db/statement.ts";
import { AppError, notFound } from "../../shared/http/errors.ts";
import { inputHash } from "../../shared/http/idempotency.ts";
import { openedPayment, startCharges } from "../../shared/payments/index.ts";
import { isUuid, orderView, sessionOf, storedOrder } from "./orders.ts";
import type { CreatePayment, OrderView } from "./schemas/orders.ts";
import { hostingSettlement } from "./settlement.ts";
import { orderTerms } from "./terms.ts";

/** So many orders one customer may leave unpaid; renewals do not count. */
const MOST_UNPAID = 3;
/** A request that asks the provider for a page has its answer by then, or has died. */
const LEASE_SECONDS = 30;
/** How long a parallel click waits for the page that the first one brings, look by look. */
const LOOKS_MS = [50, 100, 200, 400, 800, 1_600];

const opened = z.object({
  order: storedOrder,
  payment: openedPayment.nullable(),
  ask: z.boolean(),
  customer: z.object({
    name: z.string(),
    email: z.string().nullable(),
    phone: z.string().nullable(),
  }),
});
type Opened = z.output<typeof opened>;

export interface StartedOrder {
  order: OrderView;
  paymentUrl: string;
  paymentDetails: { sessionId: string | null; redirectUrl: string };
}

/**
 * Orders a plan for the actor, or with `subscriptionId` the next months of a subscription, and opens its payment: one
 * database round trip, then the provider. Clicked twice it is one order and one page. Errors: `not_found` and
 * `invalid_input` for another plan or price, `conflict` for what is not sold or one unpaid order too many, `sold_out`;
 * `provider_failed` when the provider refused (the order has failed), `provider_unavailable` when nobody knows yet.
 */
export async function createPayment(
  ctx: Ctx,
  input: CreatePayment,
  idempotencyKey?: string,
): Promise<StartedOrder> {
  const { metadata = {} } = input;
  const { domain } = metadata;
  const order = {
    ...terms(ctx),
    user_id: actorOf(ctx).userId,
    plan_id: input.planId ?? null,
    plan_name: input.planName,
    plan_type: input.planType,
    duration: input.duration,
    price: input.price,
    domain: typeof domain === "string" ? domain.trim().toLowerCase().slice(0, 253) : "",
    metadata,
    subscription_id: input.subscriptionId ?? null,
    terms: orderTerms(ctx.config),
    limit: MOST_UNPAID,
    idempotency_key: idempotencyKey ?? null,
    input_hash: await inputHash(input),
  };
  return await start(ctx, await ctx.db.run(call("hosting_order_open", order, opened)));
}

/** The payment page of an unpaid order, for its owner or with the key of a mail: found, or opened anew. */
export async function payOrder(
  ctx: Ctx,
  orderId: string,
  by: { userId: number } | { key: string },
): Promise<StartedOrder> {
  if (!isUuid(orderId)) throw notFound("Order tidak ditemukan");
  const who = "key" in by ? { pay_key: by.key } : { user_id: by.userId };
  const input = { ...terms(ctx), order_id: orderId, ...who };
  const found = await ctx.db.run(call("hosting_order_pay", input, opened));
  if (found.order.status === "COMPLETED") {
    throw new AppError("conflict", "Order ini sudah dibayar", { meta: { orderId } });
  }
  return await start(ctx, found);
}

const terms = (ctx: Ctx) => ({
  provider: "ipaymu",
  channels: ["redirect"],
  expiry_minutes: ctx.config.HOSTING_PAYMENT_EXPIRY_MINUTES,
  lease_seconds: LEASE_SECONDS,
  at: ctx.now().toISOString(),
});

async function start(ctx: Ctx, first: Opened): Promise<StartedOrder> {
  const { order, payment, customer } = await settledOn(ctx, first);
  const reference = { orderId: order.id };
  if (!payment) throw new AppError("conflict", "Order ini sudah berakhir", { meta: reference });
  const { paymentUrl } = await startCharges(ctx, payment, {
    settlement: hostingSettlement,
    reference,
    refusal: () => new AppError("provider_failed", "Gagal membuat pembayaran", { meta: reference }),
    givenUp: "Order ini sudah dibatalkan",
    customer,
    description: `Paket ${order.plan_name} ${order.duration} bulan`,
    finishUrl: `${ctx.config.APP_URL}/payment/success?orderId=${order.id}`,
  });
  if (paymentUrl === null) throw new AppError("provider_failed", "Redirect URL tidak ditemukan");
  const status = order.status === "PENDING" ? "PROCESSING" : order.status;
  return {
    order: orderView(ctx.config, { ...order, status, payment_url: paymentUrl }),
    paymentUrl,
    paymentDetails: { sessionId: sessionOf(paymentUrl), redirectUrl: paymentUrl },
  };
}

/** Repeats of a call whose provider is being asked wait for that answer: iPaymu would open a page for each. */
async function settledOn(ctx: Ctx, first: Opened): Promise<Opened> {
  let now = first;
  for (const ms of LOOKS_MS) {
    if (!isUnderWay(now)) return now;
    await new Promise((resolve) => setTimeout(resolve, ms));
    const input = { ...terms(ctx), order_id: now.order.id, user_id: Number(now.order.user_id) };
    now = await ctx.db.run(call("hosting_order_pay", input, opened));
  }
  if (!isUnderWay(now)) return now;
  const meta = { orderId: now.order.id };
  const words = "Pembayaran sedang dibuat. Coba lagi sebentar lagi.";
  throw new AppError("in_progress", words, { meta });
}

/** By the charges themselves, as `startCharges` sees them: the order's view may be a moment newer than they are. */
const isUnderWay = ({ ask, payment }: Opened) =>
  !ask &&
  payment?.state === "pending" &&
  payment.given_up_at === null &&
  payment.charges.every((charge) => charge.payment_url === null);
