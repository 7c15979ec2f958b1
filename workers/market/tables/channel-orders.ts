import { sql } from "drizzle-orm";
import {
  check,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  unique,
  uuid,
} from "drizzle-orm/pg-core";
import { at, id, idr, timestamps } from "../../../shared/db/columns.ts";
import { products } from "./catalogue.ts";
import { connections } from "./marketplaces.ts";
import { orders } from "./sales.ts";

/** An order that a marketplace took, by its own number. Its money goes from there to the seller, never through us. */
export const channelOrders = pgTable(
  "market_channel_orders",
  {
    id: id(),
    connectionId: uuid()
      .notNull()
      .references(() => connections.id),
    remoteId: text().notNull(),
    status: text().notNull(),
    statusText: text(),
    orderId: uuid().references(() => orders.id),
    remoteUpdatedAt: at(),
    ...timestamps(),
  },
  (t) => [
    unique("market_channel_orders_remote_key").on(t.connectionId, t.remoteId),
    index("market_channel_orders_order_idx").on(t.orderId),
    check(
      "market_channel_orders_status_known",
      sql`${t.status} in ('unpaid', 'to_ship', 'shipped', 'delivered', 'cancelled', 'returned', 'unknown')`,
    ),
  ],
);

/** What a line of such an order holds of our stock: `held` is reserved, `taken` is off the shelf. */
export const channelLines = pgTable(
  "market_channel_lines",
  {
    channelOrderId: uuid().notNull(),
    lineId: text().notNull(),
    productId: uuid().references(() => products.id),
    sku: text().notNull(),
    name: text().notNull(),
    quantity: integer().notNull(),
    unitPrice: idr().notNull(),
    status: text().notNull(),
    held: integer().notNull().default(0),
    taken: integer().notNull().default(0),
    /** Pieces that were sold there and are not here. */
    short: integer().notNull().default(0),
    problem: text(),
  },
  (t) => [
    primaryKey({ columns: [t.channelOrderId, t.lineId], name: "market_channel_lines_pkey" }),
    foreignKey({
      columns: [t.channelOrderId],
      foreignColumns: [channelOrders.id],
      name: "market_channel_lines_order_fk",
    }),
    index("market_channel_lines_product_idx").on(t.productId),
    // Few at any time: what is neither paid nor cancelled yet.
    index("market_channel_lines_held_idx").on(t.channelOrderId).where(sql`${t.held} > 0`),
    check("market_channel_lines_quantity", sql`${t.quantity} > 0`),
    check(
      "market_channel_lines_holds",
      sql`${t.held} >= 0 and ${t.taken} >= 0 and ${t.short} >= 0 and ${t.held} + ${t.taken} <= ${t.quantity}`,
    ),
  ],
);
