import { sql } from "drizzle-orm";
import {
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  unique,
  uuid,
} from "drizzle-orm/pg-core";
import { at, createdAt, id, idr, timestamps, userId } from "../../../shared/db/columns.ts";
import { paymentIntents } from "../../../shared/payments/tables.ts";
import { users } from "../../identity/tables.ts";
import { products, promoCodes, stores } from "./catalogue.ts";

export interface ShippingAddress {
  name: string;
  phone: string;
  street: string;
  city?: string | undefined;
  province?: string | undefined;
  postal_code?: string | undefined;
  area_id: string;
}

export interface CourierChoice {
  courier_code: string;
  courier_name: string;
  courier_service_code: string;
  courier_service_name: string;
  duration: string;
  type: string;
}

/** A rate as it was shown: an order by this courier and service costs that much. */
export interface ShownRate extends CourierChoice {
  price: number;
}

/**
 * What couriers asked for a parcel when a buyer was shown it, so that his order may name one of them. Rows live two
 * hours, and are only ever read together with the store that they name.
 */
export const shippingQuotes = pgTable(
  "market_shipping_quotes",
  {
    buyerId: userId().notNull(),
    storeId: uuid().notNull(),
    destinationAreaId: text().notNull(),
    weightGram: integer().notNull(),
    originAreaId: text().notNull(),
    rates: jsonb().$type<ShownRate[]>().notNull(),
    expiresAt: at().notNull(),
  },
  (t) => [
    primaryKey({
      columns: [t.buyerId, t.storeId, t.destinationAreaId, t.weightGram],
      name: "market_shipping_quotes_pkey",
    }),
    index("market_shipping_quotes_expires_idx").on(t.expiresAt),
  ],
);

/** One order is one store. Every amount is computed by the server and frozen here. */
export const orders = pgTable(
  "market_orders",
  {
    id: id(),
    number: text().notNull().unique("market_orders_number_key"),
    buyerId: userId()
      .notNull()
      .references(() => users.id),
    storeId: uuid()
      .notNull()
      .references(() => stores.id),
    promoCodeId: uuid().references(() => promoCodes.id),
    paymentId: uuid().references(() => paymentIntents.id),
    status: text().notNull().default("pending"),
    subtotalAmount: idr().notNull(),
    discountAmount: idr().notNull().default(0),
    shippingAmount: idr().notNull(),
    totalAmount: idr().notNull(),
    commissionAmount: idr().notNull(),
    discountPaidBy: text().notNull().default("store"),
    /** The PPh 22 of that day, in hundredths of a percent; 0 while none is withheld. */
    taxBasisPoints: integer().notNull().default(0),
    /** What of the goods bears no PPh 22, by the categories that they were sold in. */
    taxExemptAmount: idr().notNull().default(0),
    paymentMethod: text(),
    source: text().notNull().default("web"),
    shippingAddress: jsonb().$type<ShippingAddress>().notNull(),
    courier: jsonb().$type<CourierChoice>().notNull(),
    weightGram: integer().notNull(),
    expiresAt: at().notNull(),
    paidAt: at(),
    deliveredAt: at(),
    closedAt: at(),
    closedReason: text(),
    /** Cancelled by its buyer while its payment may still be made: stock and promo use are held until it cannot. */
    heldAfterCancel: boolean().notNull().default(false),
    ...timestamps(),
  },
  (t) => [
    index("market_orders_buyer_idx").on(
      t.buyerId,
      t.createdAt.desc().nullsFirst(),
      t.id.desc().nullsFirst(),
    ),
    index("market_orders_store_idx").on(
      t.storeId,
      t.createdAt.desc().nullsFirst(),
      t.id.desc().nullsFirst(),
    ),
    index("market_orders_created_idx").on(
      t.createdAt.desc().nullsFirst(),
      t.id.desc().nullsFirst(),
    ),
    index("market_orders_payment_idx").on(t.paymentId),
    index("market_orders_promo_idx").on(t.promoCodeId),
    index("market_orders_open_idx")
      .on(t.storeId, t.status)
      .where(
        sql`${t.status} in ('pending', 'paid', 'processing', 'shipped') or ${t.heldAfterCancel}`,
      ),
    check(
      "market_orders_status_known",
      sql`${t.status} in ('pending', 'paid', 'processing', 'shipped', 'delivered', 'cancelled', 'refunded')`,
    ),
    check(
      "market_orders_held_only_cancelled",
      sql`${t.status} = 'cancelled' or not ${t.heldAfterCancel}`,
    ),
    check("market_orders_discount_payer", sql`${t.discountPaidBy} in ('store', 'platform')`),
    check("market_orders_source_known", sql`${t.source} in ('web', 'marketplace')`),
    check(
      "market_orders_sum",
      sql`${t.totalAmount} = ${t.subtotalAmount} - ${t.discountAmount} + ${t.shippingAmount} and ${t.discountAmount} between 0 and ${t.subtotalAmount} and ${t.shippingAmount} >= 0 and ${t.commissionAmount} >= 0`,
    ),
  ],
);

/** What was bought, as it was on that day. */
export const orderItems = pgTable(
  "market_order_items",
  {
    id: id(),
    orderId: uuid()
      .notNull()
      .references(() => orders.id),
    productId: uuid()
      .notNull()
      .references(() => products.id),
    name: text().notNull(),
    imageUrl: text(),
    quantity: integer().notNull(),
    unitPrice: idr().notNull(),
    subtotal: idr().notNull(),
    weightGram: integer().notNull(),
  },
  (t) => [
    unique("market_order_items_product_key").on(t.orderId, t.productId),
    index("market_order_items_product_idx").on(t.productId),
    check("market_order_items_quantity_positive", sql`${t.quantity} > 0`),
    check("market_order_items_sum", sql`${t.subtotal} = ${t.unitPrice} * ${t.quantity}`),
  ],
);

/** The parcel of an order. States only go forward; the courier knows it by the order's number. */
export const shipments = pgTable(
  "market_shipments",
  {
    id: id(),
    orderId: uuid()
      .notNull()
      .unique("market_shipments_order_key")
      .references(() => orders.id),
    courier: text().notNull(),
    service: text().notNull(),
    status: text().notNull().default("pending"),
    trackingCode: text(),
    pickupNumber: text(),
    kiriminajaOrderId: text(),
    shippingCost: idr().notNull(),
    estimatedDelivery: at(),
    requestedAt: at(),
    shippedAt: at(),
    deliveredAt: at(),
    /** Nobody has heard of it for so long that people were told, and the courier is no longer asked. */
    givenUpAt: at(),
    ...timestamps(),
  },
  (t) => [
    index("market_shipments_kiriminaja_idx").on(t.kiriminajaOrderId),
    // What SQL function market_parcel_is_open says, for the minute's look at quiet parcels.
    index("market_shipments_quiet_idx")
      .on(t.updatedAt)
      .where(
        sql`${t.requestedAt} is not null and ${t.kiriminajaOrderId} is not null and ${t.givenUpAt} is null and ${t.status} in ('pending', 'picked_up', 'in_transit', 'failed')`,
      ),
    // For the same look at parcels that their courier called cancelled: only the lately touched ones are read.
    index("market_shipments_cancelled_idx")
      .on(t.updatedAt)
      .where(sql`${t.kiriminajaOrderId} is not null and ${t.status} = 'cancelled'`),
    check(
      "market_shipments_status_known",
      sql`${t.status} in ('pending', 'picked_up', 'in_transit', 'delivered', 'failed', 'cancelled', 'returned')`,
    ),
  ],
);

/** What happened to the parcel, for the buyer's time line. */
export const shipmentEvents = pgTable(
  "market_shipment_events",
  {
    id: id(),
    shipmentId: uuid()
      .notNull()
      .references(() => shipments.id),
    status: text().notNull(),
    description: text().notNull(),
    occurredAt: at().notNull(),
    createdAt: createdAt(),
  },
  (t) => [unique("market_shipment_events_once").on(t.shipmentId, t.status, t.occurredAt)],
);
