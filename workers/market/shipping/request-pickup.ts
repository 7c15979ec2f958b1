import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import type { JobHandler, JobOutcome } from "../../../shared/jobs/jobs.ts";
import { ProviderError } from "../../../shared/providers/http.ts";

const Payload = z.object({ order_id: z.uuid() });

const Parcel = z.object({
  number: z.string(),
  status: z.string(),
  subtotal: z.number(),
  shipping: z.number(),
  weight_gram: z.number(),
  requested: z.boolean(),
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
type Parcel = z.output<typeof Parcel>;

const parcelOf = (orderId: string) => sql`
  select o.number, o.status, o.subtotal_amount::float8 as subtotal, o.shipping_amount::float8 as shipping,
    o.weight_gram, h.requested_at is not null as requested, o.shipping_address as address, o.courier,
    (select string_agg(i.name, ', ' order by i.id) from market_order_items i where i.order_id = o.id) as item_name,
    (select sum(i.quantity)::float8 from market_order_items i where i.order_id = o.id) as quantity,
    jsonb_build_object('name', s.name, 'phone', s.phone, 'address', s.address, 'area_id', s.area_id,
      'postal_code', s.postal_code, 'lat', s.lat, 'lng', s.lng) as sender
  from market_orders o join market_stores s on s.id = o.store_id join market_shipments h on h.order_id = o.id
  where o.id = ${orderId}`;

/**
 * Asks the courier to fetch a paid order's parcel. The courier has no idempotency key (kiriminaja.md §1), so a second
 * attempt first looks the order's number up and asks again only when the courier does not know it.
 */
export const requestPickup: JobHandler = {
  kind: "market.shipment",
  queue: "provisioning",
  async run(ctx, job): Promise<JobOutcome> {
    const { order_id: orderId } = Payload.parse(job.payload);
    const [parcel] = await ctx.db.run(rows(parcelOf(orderId), Parcel));
    if (!parcel || parcel.requested) return { state: "success" };
    if (!["paid", "processing"].includes(parcel.status)) return { state: "success" };
    if (job.attempts > 1 && (await isKnown(ctx, parcel.number))) {
      return await record(ctx, orderId, null);
    }
    const missing = missingOf(parcel.sender);
    if (missing) return { state: "failed", error: `store lacks ${missing}` };
    try {
      const pickup = await ctx.providers.kiriminaja.requestPickup(pickupOf(ctx, parcel));
      return await record(ctx, orderId, pickup.pickupNumber);
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      if (error.outcome === "unknown") {
        return { state: "unknown", error: `kiriminaja ${error.kind}`, askAfterMs: 15_000 };
      }
      throw error;
    }
  },
};

async function isKnown(ctx: Ctx, number: string): Promise<boolean> {
  try {
    await ctx.providers.kiriminaja.track(number);
    return true;
  } catch (error) {
    if (error instanceof ProviderError && error.kind === "refused") return false;
    throw error;
  }
}

async function record(ctx: Ctx, orderId: string, pickupNumber: string | null): Promise<JobOutcome> {
  const input = { order_id: orderId, pickup_number: pickupNumber };
  await ctx.db.run(call("market_shipment_requested", input, z.unknown()));
  return { state: "success", result: { pickup_number: pickupNumber } };
}

function missingOf(sender: Parcel["sender"]): string | null {
  if (!sender.phone) return "phone";
  if (!sender.address) return "address";
  return sender.area_id ? null : "area_id";
}

/** Couriers count volume too; without dimensions of our own a small box stands for every parcel. */
const BOX_CM = 10;

function pickupOf(ctx: Ctx, parcel: Parcel) {
  const { sender, address, courier } = parcel;
  return {
    sender: {
      name: sender.name.slice(0, 50),
      phone: sender.phone ?? "",
      address: padded(sender.address ?? ""),
      districtId: sender.area_id ?? "",
      ...(sender.postal_code ? { zipcode: sender.postal_code } : {}),
      ...(sender.lat !== null && sender.lng !== null
        ? { latitude: sender.lat, longitude: sender.lng }
        : {}),
    },
    schedule: pickupTime(ctx.now()),
    packages: [
      {
        orderRef: parcel.number,
        destination: {
          name: address.name,
          phone: address.phone,
          address: padded(
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
        itemName: parcel.item_name.slice(0, 100),
        itemValueIdr: Math.max(parcel.subtotal, 1000),
        shippingCostIdr: parcel.shipping,
        service: courier.courier_code,
        serviceType: courier.courier_service_code,
      },
    ],
  };
}

/** Addresses are 10 to 200 characters (kiriminaja.md §2). */
function padded(address: string): string {
  return address.slice(0, 200).padEnd(10, ".");
}

const HOUR_MS = 3_600_000;
const JAKARTA_AHEAD_MS = 7 * HOUR_MS;

/**
 * When the courier may come: at a full hour, two hours from now at the earliest so that the seller can pack, between
 * 9 and 17 o'clock in Jakarta.
 */
export function pickupTime(now: Date): Date {
  const hours = Math.ceil((now.getTime() + JAKARTA_AHEAD_MS) / HOUR_MS) + 2;
  const [day, hour] = [Math.floor(hours / 24), hours % 24];
  const fits = hour < 9 ? day * 24 + 9 : hour > 17 ? (day + 1) * 24 + 9 : hours;
  return new Date(fits * HOUR_MS - JAKARTA_AHEAD_MS);
}
