import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { call } from "../../../shared/db/statement.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { type NoticeApplier, receiveNotice } from "../../../shared/inbox/inbox.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { describeError } from "../../../shared/log.ts";
import type { CourierEvent } from "../../../shared/providers/kiriminaja.ts";
import { askAboutParcel, bearsOut, type ParcelNews, type ParcelStatus } from "./parcel-news.ts";

const Advanced = z.object({
  known: z.boolean(),
  moved: z.boolean(),
  superseded: z.boolean(),
  overtaken: z.boolean().default(false),
  wake: wakeSchema,
});

/** News that may be older than what another caller recorded meanwhile is asked for again; then it counts. */
const MOST_QUESTIONS = 3;

/** `unknown`: neither side knows the order. `superseded`: its seller has sent the goods otherwise, or nothing is to be sent. */
export type Followed =
  | { kind: "followed"; status: ParcelStatus }
  | { kind: "superseded" }
  | { kind: "unknown" };

/**
 * Asks the courier where a parcel is and records it. Callbacks and the minute's check both end here: a callback carries
 * no signature (kiriminaja.md §4), so it is only a hint.
 */
export async function followParcel(ctx: Ctx, number: string, question = 1): Promise<Followed> {
  const askedAt = question < MOST_QUESTIONS ? ctx.now().toISOString() : null;
  const found = await askAboutParcel(ctx, number);
  if (!found) return { kind: "unknown" };
  const result = await record(ctx, number, found, askedAt);
  if (result.overtaken) return await followParcel(ctx, number, question + 1);
  if (!result.known) return { kind: "unknown" };
  return result.superseded ? { kind: "superseded" } : { kind: "followed", status: found.status };
}

async function record(ctx: Ctx, number: string, found: ParcelNews, askedAt: string | null) {
  const { status, step, awb, occurredAt, shippedAt, description } = found;
  const input = {
    number,
    status,
    step,
    tracking_code: awb,
    description,
    occurred_at: occurredAt?.toISOString() ?? null,
    asked_at: askedAt,
    shipped_at: shippedAt?.toISOString() ?? null,
    alert_to: ctx.config.ALERT_EMAIL,
  };
  const result = await ctx.db.run(call("market_shipment_advance", input, Advanced));
  wake(ctx, result.wake);
  return result;
}

const PROVIDER = "kiriminaja";

/**
 * Takes a callback in: the bearer key is checked in constant time, the body goes on the queue, one of many parcels in
 * pieces.
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
  for (const piece of kiriminaja.splitCallback(body)) {
    await receiveNotice(ctx, { provider: PROVIDER, body: piece });
  }
}

/** Applies a callback by asking the courier about each of its parcels. */
export const courierApplier: NoticeApplier = {
  provider: PROVIDER,
  eventKey(ctx, body) {
    const events = eventsOf(ctx, body);
    // What cannot be read has no name but itself: two of the kind are not one.
    const isReadable = events.length > 0 && events.every((event) => event.orderRef !== null);
    return isReadable ? events.map((event) => event.eventKey).join(",") : body;
  },
  async apply(ctx, body) {
    const events = eventsOf(ctx, body);
    const notes = events
      .filter((event) => event.orderRef === null)
      .map((event) => `unreadable event ${event.method}`);
    for (const number of new Set(events.map((event) => event.orderRef))) {
      if (number === null) continue;
      const claims = events.filter((event) => event.orderRef === number);
      notes.push(...(await applyTo(ctx, number, claims)));
    }
    return notes.length === 0 ? "applied" : { parked: notes.join(", ") };
  },
};

function eventsOf(ctx: Ctx, body: string): CourierEvent[] {
  return ctx.providers.kiriminaja.parseCallback(body) ?? [];
}

/** What is left to do about one parcel: a claim that the courier's own answer does not bear out yet is tried again. */
async function applyTo(ctx: Ctx, number: string, claims: CourierEvent[]): Promise<string[]> {
  const followed = await followParcel(ctx, number);
  switch (followed.kind) {
    case "unknown":
      return [`unknown parcel ${number}`];
    case "superseded":
      return [];
    case "followed":
      return claims
        .filter(({ kind }) => !bearsOut(kind, followed.status))
        .map(({ method }) => `${method} of ${number} is not confirmed, it is ${followed.status}`);
    default:
      return followed satisfies never;
  }
}

const QUIET_AT_ONCE = 10;
/** Within the minute, with room for what is slow; what is left comes first in the next one. */
const LONGEST_RUN_MS = 40_000;

/**
 * For the minute's cron: asks about all parcels that nobody has told us about for a while, because callbacks are not
 * repeated (kiriminaja.md §4). Each is marked first, so that one that fails is asked again later and blocks no other.
 */
export async function followQuietParcels(ctx: Ctx): Promise<void> {
  const begin = ctx.now().getTime();
  for (;;) {
    const most = { most: QUIET_AT_ONCE };
    const numbers = await ctx.db.run(call("market_parcels_quiet", most, z.array(z.string())));
    await Promise.all(numbers.map((number) => hearCourier(ctx, number)));
    if (numbers.length < QUIET_AT_ONCE || ctx.now().getTime() - begin > LONGEST_RUN_MS) return;
  }
}

/** Asks about a parcel as far as the courier answers. Never fails. */
export async function hearCourier(ctx: Ctx, number: string): Promise<void> {
  try {
    await followParcel(ctx, number);
  } catch (error) {
    ctx.log.warn("courier not heard", { number, ...describeError(error) });
  }
}

/** A parcel without news for so long is a matter for people. */
const GIVE_UP_DAYS = 30;

/** For the hourly cron: hands those parcels over to people of which nothing is heard any more. */
export async function giveUpQuietParcels(ctx: Ctx): Promise<void> {
  const given = { days: GIVE_UP_DAYS, alert_to: ctx.config.ALERT_EMAIL };
  const told = z.object({ wake: wakeSchema });
  wake(ctx, (await ctx.db.run(call("market_parcels_give_up", given, told))).wake);
}
