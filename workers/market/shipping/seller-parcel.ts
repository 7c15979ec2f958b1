import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call } from "../../../shared/db/statement.ts";
import { AppError, notFound } from "../../../shared/http/errors.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import type { ProviderError } from "../../../shared/providers/http.ts";
import { isUuid } from "../schemas/fields.ts";
import { followParcel } from "./courier-news.ts";
import { askAboutParcel } from "./parcel-news.ts";
import { askCourier } from "./rates.ts";

const Parcel = z.object({ number: z.string(), status: z.string(), tracking_code: z.string() });

async function ownParcel(ctx: Ctx, orderId: string) {
  if (!isUuid(orderId)) throw notFound("Order not found");
  const input = { seller_id: actorOf(ctx).userId, order_id: orderId };
  return await ctx.db.run(call("market_parcel_of_seller", input, Parcel));
}

/** Where the label of a parcel of the actor's store is printed from. Throws `conflict` before there is a waybill. */
export async function getLabel(ctx: Ctx, orderId: string) {
  const parcel = await ownParcel(ctx, orderId);
  const url = await askCourier(
    () => ctx.providers.kiriminaja.printLabel(parcel.tracking_code),
    clash,
  );
  return { url, tracking_code: parcel.tracking_code };
}

/**
 * The seller does not want the courier to come: only before it has fetched the parcel. Mostly the courier answers within
 * 48 hours, by callback; `final` where it has at once. Then the seller sends the goods himself or gives up the order.
 */
export async function cancelPickup(ctx: Ctx, orderId: string, reason: string) {
  const parcel = await ownParcel(ctx, orderId);
  if (parcel.status !== "pending") {
    const words =
      parcel.status === "cancelled"
        ? "Penjemputan sudah dibatalkan"
        : "Paket sudah diambil kurir, penjemputan tidak dapat dibatalkan";
    throw new AppError("conflict", words, { meta: { status: parcel.status } });
  }
  const { final } = await askCourier(async () => {
    // He refuses a second request: one whose answer was lost is found by asking.
    const found = await askAboutParcel(ctx, parcel.number);
    if (found?.cancelAsked) return { final: false };
    return await ctx.providers.kiriminaja.cancel(parcel.tracking_code, reason);
  }, clash);
  const Woken = z.object({ wake: wakeSchema });
  const told = await ctx.db.run(
    call("market_pickup_called_back", { order_id: orderId, final }, Woken),
  );
  wake(ctx, told.wake);
  if (final) await followParcel(ctx, parcel.number);
  return { order_id: orderId, tracking_code: parcel.tracking_code, final };
}

/** What the courier refuses is a clash with where the parcel is. */
const clash = (cause: ProviderError) =>
  new AppError("conflict", "Kurir menolak permintaan ini", { cause });
