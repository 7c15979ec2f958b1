import { z } from "zod";
import type { Ctx } from "../../../../shared/context.ts";
import { isRefusedData } from "../../../../shared/db/errors.ts";
import { call } from "../../../../shared/db/statement.ts";
import { wake, wakeSchema } from "../../../../shared/jobs/jobs.ts";
import { describeError } from "../../../../shared/log.ts";
import type { MarketOrder, OrderRef } from "../../../../shared/providers/marketplace.ts";
import type { Shop } from "../connections/shop.ts";
import { pushSoon } from "../pushes.ts";

const Taken = z.object({ state: z.enum(["taken", "old", "before"]), wake: wakeSchema });

/**
 * Asks the platform for orders and takes each in as it is now. Answers which of them the platform does not know.
 * Taking one in again changes nothing; one that cannot be kept is told to the operator and holds up no other.
 */
export async function takeOrders(ctx: Ctx, shop: Shop, ids: string[]): Promise<string[]> {
  const { client } = shop;
  const missing: string[] = [];
  for (let at = 0; at < ids.length; at += client.limits.orderBatch) {
    const asked = ids.slice(at, at + client.limits.orderBatch);
    const orders = await shop.call((auth) => client.getOrders(auth, asked));
    for (const order of orders) await takeOrder(ctx, shop, order).catch(reportOf(ctx, shop, order));
    const found = new Set(orders.map(({ orderId }) => orderId));
    missing.push(...asked.filter((id) => !found.has(id)));
  }
  return missing;
}

const reportOf =
  (ctx: Ctx, shop: Shop, { orderId }: MarketOrder) =>
  (error: unknown) => {
    if (!isRefusedData(error)) throw error;
    const what = { connectionId: shop.row.id, orderId, ...describeError(error), alert: true };
    ctx.log.error("marketplace order cannot be kept", what);
  };

async function takeOrder(ctx: Ctx, shop: Shop, order: MarketOrder): Promise<void> {
  const { id, shop_id } = shop.row;
  const input = { connection_id: id, shop_id, order: orderInput(order) };
  const taken = await ctx.db.run(call("market_marketplace_order", input, Taken));
  wake(ctx, taken.wake);
  if (taken.state === "taken") pushSoon(ctx, shop.row.store_id);
}

/** A line goes no further than its order, and not on where its order has ended. */
function orderInput(order: MarketOrder) {
  const hasEnded = order.status === "cancelled" || order.status === "returned";
  return {
    id: order.orderId,
    status: order.status,
    status_text: order.statusText.slice(0, 100),
    created_at: order.createdAt?.toISOString() ?? null,
    updated_at: order.updatedAt?.toISOString() ?? null,
    lines: order.lines.map((line) => ({
      line_id: line.lineId,
      sku: line.sku.slice(0, 200),
      item_id: line.itemId,
      sku_id: line.skuId,
      name: line.name.slice(0, 300),
      quantity: line.quantity,
      price: line.priceIdr,
      status: hasEnded ? order.status : line.status,
    })),
  };
}

/** Which of these are news. */
export async function newsAmong(ctx: Ctx, shop: Shop, refs: OrderRef[]): Promise<string[]> {
  const orders = refs.map(({ orderId, status, updatedAt }) => ({
    id: orderId,
    status,
    updated_at: updatedAt?.toISOString() ?? null,
  }));
  const input = { connection_id: shop.row.id, orders };
  return await ctx.db.run(call("market_marketplace_known_orders", input, z.array(z.string())));
}
