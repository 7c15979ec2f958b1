import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { runJob } from "../../../shared/jobs/jobs.ts";
import { age } from "../../../shared/jobs/test-jobs.ts";
import { createKiriminAja } from "../../../shared/providers/kiriminaja.ts";
import { standIns, testContext } from "../../testing/api.ts";
import { findJob, twin } from "../../testing/orders.ts";
import { requestPickup } from "../shipping/request-pickup.ts";
import { quietContext, type Sale, settle } from "./sales.ts";

/** A quiet context whose courier client gives up after `timeoutMs` and never waits between its tries. */
export function courierContext(timeoutMs = 5_000): Ctx {
  const ctx = quietContext();
  const kiriminaja = createKiriminAja({
    apiKey: ctx.config.KIRIMINAJA_API_KEY,
    baseUrl: ctx.config.KIRIMINAJA_URL,
    timeoutMs,
    fetch: (input, init) => fetch(input, init),
    sleep: async () => undefined,
  });
  return { ...ctx, providers: { ...ctx.providers, kiriminaja } };
}

/** A fault of the courier twin for one order (or any text that its requests hold); no dials ends it. */
export const courierDial = (match: string, dials: object = {}, path = "") =>
  twin(standIns().kiriminaja, "/_dials", { match, path, ...dials }, "PUT");

const jobKey = ({ orderId }: Sale) => `market.shipment/${orderId}`;

export async function pickupJob(sale: Sale) {
  const job = await findJob(jobKey(sale));
  if (!job) throw new Error("no pickup was asked for");
  return job;
}

/** Runs the order's pickup job now; with `later` some hours pass first, so that what waits is due. */
export async function runPickup(sale: Sale, ctx: Ctx = courierContext(), later = false) {
  const { id } = await pickupJob(sale);
  if (later) for (let hour = 0; hour < 4; hour += 1) await age(testContext(), id);
  return await runJob(ctx, id, [requestPickup]);
}

/** A paid order whose parcel the courier has been asked to fetch. */
export async function handOver(sale: Sale): Promise<void> {
  await settle(sale);
  await runPickup(sale);
}

const AtCourier = z.object({
  kj_order_id: z.string(),
  awb: z.string().nullable(),
  status_code: z.number(),
  given: z.record(z.string(), z.unknown()),
});

/** What the courier twin knows of an order's parcel, or null. */
export async function atCourier({ number }: Sale) {
  const response = await fetch(`${standIns().kiriminaja}/_orders/${number}`);
  return response.ok ? AtCourier.parse(await response.json()) : null;
}

/** Moves the parcel at the twin, as the courier's people do. */
export const moveParcel = (sale: Sale, to: string) =>
  twin(standIns().kiriminaja, `/_move/${sale.number}`, { to, force: true });

const ShipmentRow = z.object({
  order: z.string(),
  status: z.string(),
  courier: z.string(),
  tracking: z.string().nullable(),
  cost: z.number(),
  requested: z.boolean(),
});

/** What the database says of an order's parcel. */
export async function parcelOfSale({ orderId }: Sale) {
  const [row] = await testContext().db.run(
    rows(
      sql`select o.status as order, h.status, h.courier, h.tracking_code as tracking,
          h.shipping_cost::float8 as cost, h.requested_at is not null as requested
        from market_shipments h join market_orders o on o.id = h.order_id where o.id = ${orderId}`,
      ShipmentRow,
    ),
  );
  if (!row) throw new Error("no such parcel");
  return row;
}
