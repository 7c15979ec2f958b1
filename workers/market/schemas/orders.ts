import { z } from "@hono/zod-openapi";
import { normalisePhone } from "../../../shared/auth/phone.ts";
import { districtId, text } from "./fields.ts";

/** However it is written; couriers take 9 to 13 digits that start with 08. */
export const phone = z
  .string()
  .transform(normalisePhone)
  .pipe(z.string().regex(/^08\d{7,11}$/, "Nomor telepon harus 9-13 angka dan diawali 08"));

/** Couriers want a street of at least ten characters (kiriminaja.md §2, request pickup). */
export const ShippingAddress = z
  .object({
    name: text(1, 50),
    phone,
    street: text(10, 150),
    city: text(1, 60).optional(),
    province: text(1, 60).optional(),
    postal_code: z
      .string()
      .regex(/^\d{5}$/, "Kode pos terdiri dari 5 angka")
      .optional(),
    area_id: districtId(1, 20),
  })
  .openapi("ShippingAddress");

export const CourierChoice = z.union([
  z.string().min(1).max(2000),
  z.object({ courier_code: text(1, 30), courier_service_code: text(1, 60) }),
]);

const MAX_LINES = 50;

const MAX_QUANTITY = 999;

/** Lines of the same product are one line (TB-6), however its id is written. */
const OrderLines = z
  .array(
    z.object({
      product_id: z.uuid().toLowerCase(),
      quantity: z.number().int().min(1).max(MAX_QUANTITY),
    }),
  )
  .min(1)
  .max(MAX_LINES)
  .transform((lines) => {
    const merged = new Map<string, number>();
    for (const line of lines) {
      merged.set(line.product_id, (merged.get(line.product_id) ?? 0) + line.quantity);
    }
    return [...merged].map(([product_id, quantity]) => ({ product_id, quantity }));
  })
  .refine(
    (lines) => lines.every(({ quantity }) => quantity <= MAX_QUANTITY),
    `Paling banyak ${MAX_QUANTITY} dari satu produk`,
  );

export const CheckoutInput = z
  .object({
    store_id: z.uuid(),
    items: OrderLines,
    promo_code: text(0, 20).optional(),
    shipping_address: ShippingAddress,
    courier: CourierChoice,
  })
  .openapi("CheckoutInput");
export type CheckoutInput = z.output<typeof CheckoutInput>;

export const CheckoutResult = z
  .object({
    order_id: z.uuid(),
    payment_url: z.string().nullable(),
    qr_code: z.string().nullable(),
  })
  .openapi("CheckoutResult");

const amount = z.number().int();
const date = z.string();

export const OrderItem = z
  .object({
    id: z.uuid(),
    product_id: z.uuid(),
    name: z.string(),
    image_url: z.string().nullable(),
    quantity: z.number(),
    unit_price: amount,
    subtotal: amount,
  })
  .openapi("OrderItem");

export const Shipment = z
  .object({
    id: z.uuid(),
    order_id: z.uuid(),
    courier: z.string(),
    service: z.string(),
    status: z.string(),
    tracking_code: z.string().nullable(),
    estimated_delivery: date.nullable(),
    shipped_at: date.nullable(),
    delivered_at: date.nullable(),
    kiriminaja_order_id: z.string().nullable(),
  })
  .openapi("Shipment");

export const Order = z
  .object({
    id: z.uuid(),
    number: z.string(),
    buyer_id: z.number(),
    store_id: z.uuid(),
    promo_code_id: z.uuid().nullable(),
    status: z.string(),
    subtotal_amount: amount,
    discount_amount: amount,
    shipping_amount: amount,
    total_amount: amount,
    payment_method: z.string().nullable(),
    payment_gateway_id: z.string().nullable(),
    source: z.string(),
    shipping_address: z.record(z.string(), z.unknown()),
    courier: z.record(z.string(), z.unknown()),
    shipping_tracking_code: z.string().nullable(),
    expires_at: date,
    paid_at: date.nullable(),
    delivered_at: date.nullable(),
    closed_reason: z.string().nullable(),
    created_at: date,
    updated_at: date,
    order_items: z.array(OrderItem),
    stores: z.object({ name: z.string(), slug: z.string() }),
    shipments: Shipment.nullable(),
  })
  .openapi("Order");
export type Order = z.output<typeof Order>;

export const BuyerOrder = Order.extend({
  payment: z.object({
    state: z.string(),
    expires_at: date,
    qr_code: z.string().nullable(),
    qr_image_url: z.string().nullable(),
    payment_url: z.string().nullable(),
  }),
}).openapi("BuyerOrder");
export type BuyerOrder = z.output<typeof BuyerOrder>;

export const SellerOrder = Order.extend({
  commission_amount: amount,
  /** Its pieces cannot be sold to others: it waits for its payment, or was cancelled while it may still be paid. */
  stock_held: z.boolean(),
  buyer: z.object({ id: z.number(), full_name: z.string() }),
}).openapi("SellerOrder");

/** All that happened to an order and its parcel, newest first. */
export const timeline = z.array(
  z.object({ status: z.string(), description: z.string(), occurred_at: date }),
);

export const SellerOrderDetail = SellerOrder.extend({ timeline }).openapi("SellerOrderDetail");
export type SellerOrderDetail = z.output<typeof SellerOrderDetail>;

export const Tracking = z
  .object({ status: z.string(), shipment: Shipment.nullable(), timeline })
  .openapi("Tracking");

export const orderStatus = z.enum([
  "pending",
  "paid",
  "processing",
  "shipped",
  "delivered",
  "cancelled",
  "refunded",
]);

export const parcelStatus = z.enum([
  "pending",
  "picked_up",
  "in_transit",
  "delivered",
  "failed",
  "cancelled",
  "returned",
]);

export const ShipInput = z
  .object({
    order_id: z.uuid(),
    courier: text(1, 30),
    tracking_code: z
      .string()
      .trim()
      .regex(/^[A-Za-z0-9-]{5,40}$/, "Nomor resi terdiri dari 5-40 huruf dan angka"),
    status: z.enum(["picked_up", "in_transit"]).default("in_transit"),
  })
  .openapi("ShipInput");

/** KiriminAja wants 5 to 200 characters. */
export const CancelPickupInput = z
  .object({ reason: text(5, 200).default("Dibatalkan oleh penjual") })
  .openapi("CancelPickupInput");

export const PickupCancelled = z
  .object({ order_id: z.uuid(), tracking_code: z.string(), final: z.boolean() })
  .openapi("PickupCancelled");

export const Label = z.object({ url: z.string(), tracking_code: z.string() }).openapi("Label");

export const Rate = z
  .object({
    id: z.string(),
    courier_code: z.string(),
    courier_name: z.string(),
    courier_service_code: z.string(),
    courier_service_name: z.string(),
    description: z.string(),
    duration: z.string(),
    price: amount,
    type: z.string(),
  })
  .openapi("Rate");
export type Rate = z.output<typeof Rate>;

export const Area = z.object({ area_id: z.string(), name: z.string() }).openapi("Area");
