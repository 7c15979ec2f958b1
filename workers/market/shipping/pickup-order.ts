import { sql } from "drizzle-orm";
import { z } from "zod";
import type { PickupInput } from "../../../shared/providers/kiriminaja.ts";
import { pickupTime } from "./pickup-time.ts";

/** What a courier needs to know of an order's parcel. `waits`: it is paid and nobody has been asked to carry it. */
export const Parcel = z.object({
  number: z.string(),
  waits: z.boolean(),
  requested: z.boolean(),
  subtotal: z.number(),
  shipping: z.number(),
  weight_gram: z.number(),
  address: z.object({
    name: z.string(),
    phone: z.string(),
    street: z.string(),
    city: z.string().optional(),
    province: z.string().optional(),
    postal_code: z.string().optional(),
    area_id: z.string(),
  }),
  courier: z.object({ courier_code: z.string(), courier_service_code: z.string() }),
  item_name: z.string(),
  quantity: z.number(),
  sender: z.object({
    name: z.string(),
    phone: z.string().nullable(),
    address: z.string().nullable(),
    area_id: z.string().nullable(),
    postal_code: z.string().nullable(),
    lat: z.number().nullable(),
    lng: z.number().nullable(),
  }),
});
export type Parcel = z.output<typeof Parcel>;

export const parcelOf = (orderId: string) => sql`
  select o.number, o.subtotal_amount::float8 as subtotal, o.shipping_amount::float8 as shipping,
    o.status in ('paid', 'processing') and h.requested_at is null and h.kiriminaja_order_id is not null as waits,
    h.requested_at is not null as requested,
    o.weight_gram, o.shipping_address as address, o.courier,
    (select string_agg(i.name, ', ' order by i.id) from market_order_items i where i.order_id = o.id) as item_name,
    (select sum(i.quantity)::float8 from market_order_items i where i.order_id = o.id) as quantity,
    jsonb_build_object('name', s.name, 'phone', s.phone, 'address', s.address, 'area_id', s.area_id,
      'postal_code', s.postal_code, 'lat', s.lat, 'lng', s.lng) as sender
  from market_orders o join market_stores s on s.id = o.store_id join market_shipments h on h.order_id = o.id
  where o.id = ${orderId}`;

/**
 * Couriers count volume too. Our products have no measures, so a parcel is the one that its rate was asked for
 * (shared/providers/kiriminaja/calls.ts, getRates): it never weighs more than its scale.
 */
const BOX_CM = 1;

/** The request to fetch a parcel; a store that lacks something has been refused before. */
export function pickupOf(parcel: Parcel, now: Date): PickupInput {
  const { sender, address, courier } = parcel;
  return {
    sender: {
      name: cut(sender.name, 50),
      phone: sender.phone ?? "",
      address: addressWords(sender.address ?? ""),
      districtId: sender.area_id ?? "",
      ...(sender.postal_code ? { zipcode: sender.postal_code } : {}),
      ...(sender.lat !== null && sender.lng !== null
        ? { latitude: sender.lat, longitude: sender.lng }
        : {}),
    },
    schedule: pickupTime(now),
    packages: [
      {
        orderRef: parcel.number,
        destination: {
          name: address.name,
          phone: address.phone,
          address: addressWords(
            [address.street, address.city, address.province].filter(Boolean).join(", "),
          ),
          districtId: address.area_id,
          ...(address.postal_code ? { zipcode: address.postal_code } : {}),
        },
        weightGram: parcel.weight_gram,
        lengthCm: BOX_CM,
        widthCm: BOX_CM,
        heightCm: BOX_CM,
        quantity: parcel.quantity,
        itemName: cut(parcel.item_name, 100),
        itemValueIdr: Math.max(parcel.subtotal, 1000),
        shippingCostIdr: parcel.shipping,
        service: courier.courier_code,
        serviceType: courier.courier_service_code,
      },
    ],
  };
}

/** The first characters of a text, none of them halved. */
const cut = (text: string, max: number) => text.slice(0, max).replace(/[\uD800-\uDBFF]$/, "");

/** Addresses are 10 to 200 characters (kiriminaja.md §2). */
const addressWords = (address: string) => cut(address, 200).padEnd(10, ".");
