import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { type JobHandler, type JobOutcome, wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { ProviderError } from "../../../shared/providers/http.ts";
import { fetchesByMap } from "../../../shared/providers/kiriminaja.ts";
import { askAboutParcel } from "./parcel-news.ts";
import { Parcel, parcelOf, pickupOf } from "./pickup-order.ts";

const Payload = z.object({ order_id: z.uuid() });
const Woken = z.object({ wake: wakeSchema });

/** A refusal waits for a person (the seller's address, the account's balance); 20 tries of it are two and a half days. */
const ASK_AGAIN_AFTER_REFUSAL_MS = 3 * 3_600_000;
const MINUTE_MS = 60_000;
const LONGEST_DOUBT_MS = 60 * MINUTE_MS;

const NOT_NEEDED: JobOutcome = { state: "success", result: { needed: false } };

/**
 * Asks the courier to fetch a paid order's parcel. The courier has no idempotency key (kiriminaja.md §1), so a second
 * attempt first looks the order's number up and asks again only when the courier does not know it. What the courier
 * refuses is told to the seller and tried again: he mends his address, or sends the parcel himself, which ends this.
 */
export const requestPickup: JobHandler = {
  kind: "market.shipment",
  queue: "provisioning",
  async run(ctx, job): Promise<JobOutcome> {
    const { order_id: orderId } = Payload.parse(job.payload);
    const [parcel] = await ctx.db.run(rows(parcelOf(orderId), Parcel));
    // An earlier attempt may have reached the courier for what nobody needs any more.
    const mayBeThere = job.attempts > 1 && parcel?.requested === false;
    if (!parcel || !(parcel.waits || mayBeThere)) return NOT_NEEDED;
    try {
      if (mayBeThere && (await askAboutParcel(ctx, parcel.number))) {
        return await record(ctx, orderId, { pickupNumber: null, paymentStatus: null });
      }
    } catch (error) {
      if (error instanceof ProviderError) return inDoubt(error, job.attempts);
      throw error;
    }
    if (!parcel.waits) return NOT_NEEDED;
    const lacking = lackingOf(parcel);
    if (lacking) return await refused(ctx, orderId, lacking);
    try {
      const order = pickupOf(parcel, ctx.now());
      return await record(ctx, orderId, await ctx.providers.kiriminaja.requestPickup(order));
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      if (error.outcome === "unknown") return inDoubt(error, job.attempts);
      if (error.retryable) return { state: "retry", error: nameOf(error) };
      return await refused(ctx, orderId, refusalOf(error));
    }
  },
};

const nameOf = ({ provider, kind, code }: ProviderError) =>
  [provider, kind, code].filter(Boolean).join(" ");

/** After a minute, two, four … an hour: a request that timed out may still be at work there. */
function inDoubt(error: ProviderError, attempts: number): JobOutcome {
  const askAfterMs = Math.min(MINUTE_MS * 2 ** (attempts - 1), LONGEST_DOUBT_MS);
  return { state: "unknown", error: nameOf(error), askAfterMs };
}

async function record(
  ctx: Ctx,
  orderId: string,
  pickup: { pickupNumber: string | null; paymentStatus: "paid" | "unpaid" | "pending" | null },
): Promise<JobOutcome> {
  const input = {
    order_id: orderId,
    pickup_number: pickup.pickupNumber,
    unpaid: pickup.paymentStatus === "unpaid",
    alert_to: ctx.config.ALERT_EMAIL,
  };
  const recorded = await ctx.db.run(call("market_shipment_requested", input, Woken));
  wake(ctx, recorded.wake);
  return { state: "success", result: { pickup_number: pickup.pickupNumber } };
}

/** Why a parcel cannot go: `reason` in the seller's words, `cause` in the operator's. */
interface Refusal {
  reason: string;
  cause: string;
}

function lackingOf({ sender, courier }: Parcel): Refusal | null {
  const isOnMap = sender.lat !== null && sender.lng !== null;
  const lacking = [
    ...(sender.phone ? [] : ["nomor telepon"]),
    ...(sender.address ? [] : ["alamat"]),
    ...(sender.area_id ? [] : ["kecamatan"]),
    ...(isOnMap || !fetchesByMap(courier.courier_code) ? [] : ["titik lokasi di peta"]),
  ];
  if (lacking.length === 0) return null;
  const words = lacking.join(", ");
  return { reason: `Profil toko belum lengkap: ${words}.`, cause: `toko tanpa ${words}` };
}

function refusalOf(error: ProviderError): Refusal {
  const reason =
    error.kind === "invalid"
      ? "Kurir menolak data paket. Periksa alamat dan nomor telepon toko."
      : "Kurir sedang tidak menerima permintaan penjemputan.";
  return { reason, cause: nameOf(error) };
}

async function refused(ctx: Ctx, orderId: string, refusal: Refusal): Promise<JobOutcome> {
  const input = { order_id: orderId, ...refusal, alert_to: ctx.config.ALERT_EMAIL };
  const told = await ctx.db.run(call("market_pickup_refused", input, Woken));
  wake(ctx, told.wake);
  return { state: "retry", error: refusal.cause, afterMs: ASK_AGAIN_AFTER_REFUSAL_MS };
}
