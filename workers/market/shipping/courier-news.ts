import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { type NoticeApplier, receiveNotice } from "../../../shared/inbox/inbox.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { ProviderError } from "../../../shared/providers/http.ts";

const Advanced = z.object({ known: z.boolean(), moved: z.boolean(), wake: wakeSchema });

const WORDS: Record<string, string> = {
  pending: "Paket disiapkan",
  picked_up: "Paket diambil kurir",
  in_transit: "Paket dalam perjalanan",
  delivered: "Paket diterima",
  failed: "Pengiriman gagal",
  cancelled: "Penjemputan dibatalkan kurir",
  returned: "Paket dikembalikan ke penjual",
};

/** The courier's states in the market's words; a state that only the courier minds changes nothing. */
function statusOf(courierStatus: string): string {
  if (courierStatus === "returning") return "in_transit";
  if (courierStatus === "lost" || courierStatus === "problem") return "failed";
  return courierStatus;
}

/**
 * Asks the courier where a parcel is and records it. Callbacks and the hourly check both end here: a callback carries
 * no signature (kiriminaja.md §4), so it is only a hint. False where neither side knows the order.
 */
export async function followParcel(ctx: Ctx, number: string): Promise<boolean> {
  const found = await track(ctx, number);
  if (!found) return false;
  const status = statusOf(found.status);
  const input = {
    number,
    status,
    tracking_code: found.awb,
    description: WORDS[status] ?? "Kabar dari kurir",
    occurred_at: happenedAt(found, status)?.toISOString() ?? null,
  };
  const result = await ctx.db.run(call("market_shipment_advance", input, Advanced));
  wake(ctx, result.wake);
  return result.known;
}

type Tracked = Awaited<ReturnType<Ctx["providers"]["kiriminaja"]["track"]>>;

async function track(ctx: Ctx, number: string): Promise<Tracked | null> {
  try {
    return await ctx.providers.kiriminaja.track(number);
  } catch (error) {
    if (error instanceof ProviderError && error.kind === "refused") return null;
    throw error;
  }
}

function happenedAt(found: Tracked, status: string): Date | null {
  if (status === "delivered") return found.deliveredAt;
  if (status === "picked_up" || status === "in_transit") return found.shippedAt;
  return null;
}

const PROVIDER = "kiriminaja";

/**
 * Takes a callback in: the bearer key is checked in constant time, the body goes on the queue as it came.
 * Throws `unauthenticated` for another key, `invalid_input` for a body that is no callback.
 */
export async function receiveCourierCallback(
  ctx: Ctx,
  authorization: string | undefined,
  body: string,
) {
  const { kiriminaja } = ctx.providers;
  if (!(await kiriminaja.verifyCallback(authorization))) throw new AppError("unauthenticated", "");
  if (!kiriminaja.parseCallback(body)) {
    throw new AppError("invalid_input", "body: bukan pemberitahuan kurir");
  }
  await receiveNotice(ctx, { provider: PROVIDER, body });
}

/** Applies a callback by asking the courier about each of its parcels. */
export const courierApplier: NoticeApplier = {
  provider: PROVIDER,
  eventKey: (ctx, body) =>
    eventsOf(ctx, body)
      .map((event) => event.eventKey)
      .join(","),
  async apply(ctx, body) {
    const events = eventsOf(ctx, body);
    const unread = events.filter((event) => event.orderRef === null).map((event) => event.method);
    const unknown: string[] = [];
    for (const number of new Set(events.map((event) => event.orderRef))) {
      if (number !== null && !(await followParcel(ctx, number))) unknown.push(number);
    }
    if (unread.length > 0) return { parked: `unreadable event ${unread.join(", ")}` };
    return unknown.length === 0 ? "applied" : { parked: `unknown parcel ${unknown.join(", ")}` };
  },
};

function eventsOf(ctx: Ctx, body: string) {
  return ctx.providers.kiriminaja.parseCallback(body) ?? [];
}

const QUIET_BATCH = 50;

/** Asks about parcels that nobody has told us about for six hours: callbacks are not repeated (kiriminaja.md §4). */
export async function followQuietParcels(ctx: Ctx): Promise<void> {
  const quiet = await ctx.db.run(
    rows(
      sql`select kiriminaja_order_id as number from market_shipments
        where requested_at is not null and status in ('pending', 'picked_up', 'in_transit')
          and updated_at < now() - interval '6 hours'
        order by updated_at limit ${QUIET_BATCH}`,
      z.object({ number: z.string() }),
    ),
  );
  for (const { number } of quiet) {
    try {
      await followParcel(ctx, number);
    } catch (error) {
      ctx.log.warn("parcel check failed", {
        number,
        error: error instanceof Error ? error.name : "",
      });
    }
  }
}
