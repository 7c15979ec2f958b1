import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { runJob } from "../../../shared/jobs/jobs.ts";
import { age } from "../../../shared/jobs/test-jobs.ts";
import { createKiriminAja } from "../../../shared/providers/kiriminaja.ts";
import { standIns, testContext } from "../../testing/api.ts";
import { balance, findJob, twin } from "../../testing/orders.ts";
import { callBackPickup } from "../shipping/call-back-pickup.ts";
import { requestPickup } from "../shipping/request-pickup.ts";
import { jobsOf, openShop, quietContext, type Sale, sell, settle, takeIn } from "./sales.ts";

/**
 * A quiet context whose courier client gives up after `timeoutMs` and never waits between its tries. `before` sees the
 * path of each call before it is made.
 */
export function courierContext(
  timeoutMs = 5_000,
  before: (path: string) => Promise<void> | void = () => undefined,
): Ctx {
  const ctx = quietContext();
  const kiriminaja = createKiriminAja({
    apiKey: ctx.config.KIRIMINAJA_API_KEY,
    baseUrl: ctx.config.KIRIMINAJA_URL,
    timeoutMs,
    fetch: async (input, init) => {
      await before(new URL(new Request(input).url).pathname);
      return await fetch(input, init);
    },
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

const CallBack = z.object({ id: z.string(), state: z.string(), error: z.string().nullable() });

/** The jobs that call an order's pickup back. */
export async function callBacksOf({ orderId }: Sale) {
  const query = sql`select id, state, error from jobs
    where kind = 'market.call_back' and payload->>'order_id' = ${orderId} order by created_at`;
  return await testContext().db.run(rows(query, CallBack));
}

/** Runs the one job that calls an order's pickup back, some hours later. */
export async function runCallBack(sale: Sale, ctx: Ctx = courierContext()) {
  const [job, ...more] = await callBacksOf(sale);
  if (!job || more.length > 0) throw new Error("not one job calls the pickup back");
  for (let hour = 0; hour < 7; hour += 1) await age(testContext(), job.id);
  return await runJob(ctx, job.id, [callBackPickup]);
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

/** A callback in the short form (kiriminaja.md §4). */
export const callback = (sale: Sale, method: string, fields: Record<string, unknown> = {}) =>
  JSON.stringify({ method, data: [{ order_id: sale.number, ...fields }] });

/** Moves the parcel at the twin and takes in what its courier calls back. */
export async function news(sale: Sale, to: string, method: string, fields = {}) {
  await moveParcel(sale, to);
  return await takeIn("kiriminaja", callback(sale, method, fields));
}

/** A sale of a shop of its own, so that its wallet holds this sale alone, with its parcel asked for. */
export async function handedOver(): Promise<Sale> {
  const sale = await sell(await openShop());
  await handOver(sale);
  return sale;
}

/** The mails that the way of a parcel causes. */
export const parcelMails = async (sale: Sale) =>
  (await jobsOf(sale)).filter((key) => /order_(shipped|delivered|paid_out)|parcel_/.test(key));

/** Who has the money of a sale of `handedOver`. */
export const moneyOf = async ({ seller, store }: Sale) => ({
  seller: await balance("wallet", seller.userId),
  escrow: await balance("escrow", store.id),
});
export const PAID_OUT = { seller: 47_500, escrow: 0 };
export const HELD = { seller: 0, escrow: 68_000 };
