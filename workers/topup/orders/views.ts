import type { Ctx } from "../../../shared/context.ts";
import type { SupplierOrder } from "../../../shared/providers/vip-reseller.ts";
import { kindOf } from "../schemas/orders.ts";
import type { Order } from "./order.ts";
import { openSerial } from "./purchase.ts";

/** How an order is called in the answer that creates it (contract: lower case there, upper case elsewhere). */
export const createdStatus = (order: Order) => order.wireState.toLowerCase();

/** What the customer gave, under the contract's names. */
function customerData(order: Order): Record<string, unknown> {
  const { family, target, zone, quantity, serviceName: service, code: provider, brand } = order;
  switch (family) {
    case "prepaid":
      return { phoneNumber: target, service, provider };
    case "social":
      return { target, quantity, service, platform: brand };
    case "game":
      return { gameId: target, zone, service, provider };
    default:
      return family satisfies never;
  }
}

const isOwner = (ctx: Ctx, order: Order) => ctx.actor?.userId === order.userId;

/** An order as it goes out; the serial number to its owner only. `price`: what he paid for `unit` pieces. */
export async function orderView(ctx: Ctx, order: Order) {
  const { number, trxid, quantity, amount } = order;
  const unit = order.family === "social" ? 1_000 : 1;
  const price = Math.round((amount * unit) / quantity);
  return {
    orderNumber: number,
    externalId: trxid,
    status: order.wireState,
    totalAmount: amount,
    refundedAmount: order.refundedAmount,
    customerData: customerData(order),
    items: [
      {
        id: order.id,
        productId: order.serviceId,
        quantity,
        price,
        unit,
        product: { id: order.serviceId, name: order.serviceName, sku: order.code, price, unit },
      },
    ],
    createdAt: order.createdAt.toISOString(),
    updatedAt: order.updatedAt.toISOString(),
    notes: order.notes,
    sn: isOwner(ctx, order) ? await openSerial(ctx, order) : null,
  };
}

/** An order in its buyer's history. */
export const historyView = async (ctx: Ctx, order: Order) => ({
  type: kindOf(order.family),
  ...(await orderView(ctx, order)),
  paidAt: order.paidAt?.toISOString() ?? null,
  finishedAt: order.finishedAt?.toISOString() ?? null,
  expiresAt: order.expiresAt?.toISOString() ?? null,
});

/** How an order was paid, as the order that is processed shows it; null: it is not. */
export function paymentView({ amount, refundedAmount, paidAt }: Order) {
  if (!paidAt) return null;
  const isBack = refundedAmount === amount;
  return {
    method: "WALLET" as const,
    status: isBack ? ("REFUNDED" as const) : ("PAID" as const),
    amount,
    refundedAmount,
    paidAt: paidAt.toISOString(),
  };
}

/** States in the supplier's words, where it was not asked this time. */
const WORDS: Record<Order["wireState"], string> = {
  PENDING: "waiting",
  WAITING_PAYMENT: "waiting",
  PROCESSING: "processing",
  SUCCESS: "success",
  PARTIAL: "partial",
  FAILED: "error",
  CANCELLED: "cancelled",
  REFUNDED: "refunded",
};

/** An order as the supplier has it. `price` is the customer's: what we pay is our business. */
export async function supplierView(ctx: Ctx, order: Order, purchase: SupplierOrder | null) {
  const { family, target, quantity } = order;
  const sn = isOwner(ctx, order) ? await openSerial(ctx, order) : null;
  return {
    trxId: order.trxid ?? "",
    status: purchase?.statusText ?? WORDS[order.wireState],
    ...(family === "prepaid" ? { phoneNumber: target } : { target }),
    ...(family === "social" ? { quantity } : {}),
    service: order.serviceName,
    price: order.amount,
    note: sn ?? order.notes ?? "",
    sn,
    createdDate: order.createdAt.toISOString(),
    lastUpdate: order.updatedAt.toISOString(),
  };
}
