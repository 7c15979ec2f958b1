import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Config } from "../../shared/config/config.ts";
import { actorOf, type Ctx } from "../../shared/context.ts";
import { call, rows } from "../../shared/db/statement.ts";
import { notFound } from "../../shared/http/errors.ts";
import { closeCharge } from "../../shared/payments/index.ts";
import type { OrderDetail, OrderRow, OrderView } from "./schemas/orders.ts";
import { hostingSettlement } from "./settlement.ts";

export { orderTerms } from "./terms.ts";

const moment = z.coerce.date().transform((date) => date.toISOString());
const planType = z.enum(["HOSTING", "VPS"]);
const id = z.number().transform(String);

const subscriptionRow = z
  .object({
    id: z.string(),
    user_id: id,
    order_id: z.string(),
    plan_name: z.string(),
    plan_type: planType,
    status: z.enum(["ACTIVE", "SUSPENDED", "EXPIRED", "CANCELLED"]),
    start_date: moment,
    end_date: moment,
    auto_renew: z.boolean(),
    created_at: moment,
    updated_at: moment,
  })
  .transform((s) => ({
    id: s.id,
    userId: s.user_id,
    orderId: s.order_id,
    planName: s.plan_name,
    planType: s.plan_type,
    status: s.status,
    startDate: s.start_date,
    endDate: s.end_date,
    autoRenew: s.auto_renew,
    createdAt: s.created_at,
    updatedAt: s.updated_at,
  }));

/** What SQL function `hosting_order_views` answers for each order. */
export const storedOrder = z.object({
  id: z.string(),
  user_id: id,
  plan_id: z.string(),
  plan_name: z.string(),
  plan_type: planType,
  price: z.number(),
  monthly_price: z.number(),
  duration: z.number(),
  status: z.enum(["PENDING", "PROCESSING", "COMPLETED", "FAILED", "CANCELLED", "EXPIRED"]),
  metadata: z.record(z.string(), z.unknown()),
  pay_key: z.string().nullable(),
  payment_state: z.string().nullable(),
  payment_url: z.string().nullable(),
  paid_at: moment.nullable(),
  expires_at: moment.nullable(),
  renews_subscription_id: z.string().nullable(),
  invoice_number: z.string().nullable(),
  created_at: moment,
  updated_at: moment,
  subscription: subscriptionRow.nullable(),
});
export type StoredOrder = z.output<typeof storedOrder>;

/** An order as its owner sees it. An unpaid renewal without an open page has the address that opens one. */
export function orderView(config: Config, o: StoredOrder): OrderView {
  const payment = paymentOf(config, o);
  return {
    id: o.id,
    userId: o.user_id,
    planId: o.plan_id,
    planName: o.plan_name,
    planType: o.plan_type,
    price: o.price,
    monthlyPrice: o.monthly_price,
    duration: o.duration,
    status: o.status,
    paymentMethod: "ipaymu",
    paymentId: payment.sessionId,
    paymentUrl: payment.redirectUrl,
    paidAt: o.paid_at,
    expiresAt: o.expires_at,
    invoiceNumber: o.invoice_number,
    renewsSubscriptionId: o.renews_subscription_id,
    metadata: {
      ...o.metadata,
      paymentStatus: statusWord(o),
      ...(payment.sessionId && { paymentDetails: payment }),
    },
    createdAt: o.created_at,
    updatedAt: o.updated_at,
  };
}

/** The page of an order that may be paid, or was: of one that ended unpaid nothing leads there any more. */
function paymentOf(config: Config, o: StoredOrder) {
  if (o.status === "PROCESSING" || o.status === "COMPLETED") {
    return { sessionId: sessionOf(o.payment_url), redirectUrl: o.payment_url };
  }
  const isOpenRenewal = o.status === "PENDING" && o.renews_subscription_id !== null;
  const redirectUrl = isOpenRenewal ? payLink(config, o.id, o.pay_key ?? "") : null;
  return { sessionId: null, redirectUrl };
}

/** iPaymu's page is `…/payment/<SessionID>` (providers/ipaymu.md §3). */
export const sessionOf = (url: string | null) => (url ? (url.split("/").at(-1) ?? null) : null);

/** Opens the payment of an order without a sign-in: for mails. */
export const payLink = (config: Config, orderId: string, key: string) =>
  `${config.APP_URL}/api/orders/${orderId}/pay?key=${key}`;

/** The words that the payment pages wait for: PAID is success, PENDING goes on, anything else is over. */
function statusWord({ status, payment_state }: StoredOrder): string {
  if (payment_state === "refunded") return "REFUNDED";
  if (status === "COMPLETED") return "PAID";
  return status === "PROCESSING" ? "PENDING" : status;
}

const missing = () => notFound("Order tidak ditemukan");
export const isUuid = (value: string) => z.uuid().safeParse(value).success;

/** The actor's orders, newest first, each with its subscription. */
export async function listOrders(
  ctx: Ctx,
  { page, limit }: { page: number; limit: number },
): Promise<OrderRow[]> {
  const found = await ctx.db.run(
    rows(
      sql`select v as order from hosting_order_views(array(
          select o.id from hosting_orders o where o.user_id = ${actorOf(ctx).userId}
          order by o.id desc limit ${limit} offset ${(page - 1) * limit})) v`,
      z.object({ order: storedOrder }),
    ),
  );
  return found.map(({ order }) => ({
    ...orderView(ctx.config, order),
    subscription: order.subscription,
  }));
}

const websiteRow = z
  .object({
    id: z.string(),
    user_id: id,
    subscription_id: z.string(),
    domain: z.string(),
    host_site_id: z.string().nullable(),
    ftp_username: z.string().nullable(),
    status: z.enum(["PENDING", "ACTIVE", "SUSPENDED", "DELETED"]),
    created_at: moment,
    updated_at: moment,
  })
  .transform((w) => ({
    id: w.id,
    userId: w.user_id,
    subscriptionId: w.subscription_id,
    domain: w.domain,
    aaPanelUserId: null,
    aaPanelSiteId: w.host_site_id,
    ftpUsername: w.ftp_username,
    ftpPassword: null,
    status: w.status,
    createdAt: w.created_at,
    updatedAt: w.updated_at,
  }));

/** One order of the actor with its subscription and website. Throws `not_found`, also for somebody else's. */
export async function getOrder(ctx: Ctx, orderId: string): Promise<OrderDetail> {
  if (!isUuid(orderId)) throw missing();
  const [found] = await ctx.db.run(
    rows(
      sql`select hosting_order_view(o.id) as order, hosting_order_website(o.id) as website
        from hosting_orders o where o.id = ${orderId} and o.user_id = ${actorOf(ctx).userId}`,
      z.object({ order: storedOrder, website: websiteRow.nullable() }),
    ),
  );
  if (!found) throw missing();
  const { order, website } = found;
  const subscription = order.subscription && { ...order.subscription, website };
  return { ...orderView(ctx.config, order), subscription };
}

const openCharge = z.object({ provider_ref: z.string(), transaction_id: z.string().nullable() });

/**
 * The actor gives up what he has not paid. The provider is asked first, so that a payment whose notice is on its way is
 * found and the order stays; what comes later goes into his wallet. Throws `not_found`, also for somebody else's, and
 * `conflict` for one that is paid or over.
 */
export async function cancelOrder(ctx: Ctx, orderId: string): Promise<OrderDetail> {
  if (!isUuid(orderId)) throw missing();
  const { userId } = actorOf(ctx);
  const open = await ctx.db.run(
    rows(
      sql`select c.provider_ref, c.transaction_id from hosting_orders o
        join payments_charges c on c.intent_id = o.intent_id and c.state in ('creating', 'unknown', 'pending')
        where o.id = ${orderId} and o.user_id = ${userId} and o.status = 'PENDING'`,
      openCharge,
    ),
  );
  for (const { provider_ref: providerRef, transaction_id: transactionId } of open) {
    const charge = { channel: "redirect", providerRef, transactionId } as const;
    await closeCharge(ctx, "ipaymu", charge, [hostingSettlement]);
  }
  ctx.db.guardAgain();
  const input = { order_id: orderId, user_id: userId };
  await ctx.db.run(call("hosting_order_cancel", input, z.unknown()));
  return await getOrder(ctx, orderId);
}
