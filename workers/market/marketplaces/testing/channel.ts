import { sql } from "drizzle-orm";
import { z } from "zod";
import { rows } from "../../../../shared/db/statement.ts";
import { consumeNotices } from "../../../../shared/inbox/inbox.ts";
import { contextWithQueues, deliver } from "../../../../shared/jobs/test-queues.ts";
import type {
  MarketOrder,
  MarketOrderLine,
  MarketOrderStatus,
} from "../../../../shared/providers/marketplace.ts";
import { testContext } from "../../../testing/api.ts";
import { type TestProduct, unique } from "../../../testing/factories.ts";
import { listSellerOrders } from "../../orders/seller.ts";
import { pushApplier, receivePush } from "../orders/pushes.ts";
import { connectedMarket, listable, type Market } from "./market-bench.ts";

type Wanted = [product: TestProduct | string, quantity: number];

export const line = ([product, quantity]: Wanted, n: number): MarketOrderLine => ({
  lineId: String(n + 1),
  itemId: "?",
  skuId: null,
  sku: typeof product === "string" ? product : product.id,
  name: "Barang",
  quantity,
  priceIdr: 12_000,
  status: "unpaid",
});

let tick = 0;

/** An order as the platform has it, from now on. */
export function place(
  market: Market,
  lines: Wanted[],
  status: MarketOrderStatus = "to_ship",
): MarketOrder {
  const made: MarketOrder = {
    orderId: unique("R"),
    status,
    statusText: status.toUpperCase(),
    createdAt: new Date(),
    updatedAt: null,
    totalIdr: null,
    lines: lines.map(line),
  };
  market.fake.orders.set(made.orderId, made);
  move(made, status);
  return made;
}

export function move(made: MarketOrder, status: MarketOrderStatus): void {
  // Each later than the one before, none in the future, and none so long ago that a shop is not asked about it.
  tick = Math.max(tick + 1, Date.now() - 1_000);
  Object.assign(made, { status, updatedAt: new Date(tick) });
  for (const one of made.lines) one.status = status;
}

export async function shelf(stock = 10): Promise<{ market: Market; product: TestProduct }> {
  const market = await connectedMarket("lazada");
  return { market, product: await listable(market, { stock }) };
}

export const ordersOf = async (market: Market) => {
  const { rows: found } = await listSellerOrders(market.ctx, { page: 1, limit: 50 });
  return found.map(({ source, status, subtotal_amount: subtotal, order_items: items }) => ({
    source,
    status,
    subtotal,
    quantities: items.map(({ quantity }) => quantity),
  }));
};

const ChannelRow = z.object({
  status: z.string(),
  short: z.number(),
  problem: z.string().nullable(),
});
export const channelOf = async (made: MarketOrder) => {
  const query = sql`select o.status, sum(l.short)::int as short, max(l.problem) as problem
    from market_channel_orders o join market_channel_lines l on l.channel_order_id = o.id
    where o.remote_id = ${made.orderId} group by o.id`;
  return await testContext().db.run(rows(query, ChannelRow));
};

export const push = (market: Market, event: unknown, key = unique("k")) => ({
  authorization: `signed ${market.fake.shopId}`,
  rawBody: JSON.stringify({ key, event }),
});

/** Takes a push in at the door and hands what lies on the queue to its consumer. */
export async function pushIn(market: Market, given: ReturnType<typeof push>) {
  const { sent, ctx: queued } = contextWithQueues();
  const ctx = { ...market.ctx, queues: queued.queues };
  await receivePush(ctx, "lazada", given);
  const bodies = sent.map(({ body }) => body);
  const { batch, fates } = deliver("webhooks", bodies);
  await consumeNotices(market.ctx, batch, [pushApplier("lazada")]);
  return fates;
}

export const pushOrder = (market: Market, { orderId }: MarketOrder, key: string) =>
  pushIn(market, push(market, { kind: "order", orderId, status: "?" }, key));
