import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { call } from "../../../shared/db/statement.ts";
import type { Job, JobHandler, JobOutcome } from "../../../shared/jobs/jobs.ts";
import { ProviderError } from "../../../shared/providers/http.ts";
import { followParcel } from "./courier-news.ts";
import { askAboutParcel } from "./parcel-news.ts";

const Payload = z.object({ order_id: z.uuid() });
const Unneeded = z.object({ number: z.string(), instead_of: z.string().nullable() }).nullable();

const HOUR_MS = 3_600_000;
/** The courier decides within 48 hours of having been asked (kiriminaja.md §2). */
const WORD_AFTER_HOURS = 60;
/** By then he was to have come; a person has to call him. */
const ASKED_WITHIN_HOURS = 24;
/** A request that was not answered may take so long to be known there. */
const KNOWN_WITHIN_HOURS = 2;

/**
 * Tells the courier not to come for a parcel that nobody needs any more, and waits until he says that he does not. The
 * job is written with its cause (SQL function `market_call_pickup_back`); it looks before it asks, so that it asks once.
 * What the courier refuses, or leaves undecided, goes to the operator in the end.
 */
export const callBackPickup: JobHandler = {
  kind: "market.call_back",
  queue: "provisioning",
  async run(ctx, job): Promise<JobOutcome> {
    const { order_id } = Payload.parse(job.payload);
    const parcel = await ctx.db.run(call("market_pickup_to_call_back", { order_id }, Unneeded));
    if (!parcel) return { state: "success", result: { needed: false } };
    const { number, instead_of: insteadOf } = parcel;
    const again = againFor(ctx, job, number);
    try {
      const found = await askAboutParcel(ctx, number);
      if (!found) return again("unknown there", KNOWN_WITHIN_HOURS, HOUR_MS / 6);
      if (found.status !== "pending") return await ended(ctx, number, found.status);
      if (found.cancelAsked) return again("not decided", WORD_AFTER_HOURS, 6 * HOUR_MS);
      if (!found.awb) return again("no waybill", ASKED_WITHIN_HOURS, HOUR_MS / 6);
      if (found.awb === insteadOf) return { state: "success", result: { needed: false } };
      const { final } = await ctx.providers.kiriminaja.cancel(found.awb, WORDS);
      if (final) return await ended(ctx, number, "cancelled");
      return again("not decided", WORD_AFTER_HOURS, 6 * HOUR_MS);
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      const why = [error.kind, error.code].filter(Boolean).join(" ");
      return again(why, ASKED_WITHIN_HOURS, error.retryable ? error.retryAfterMs : HOUR_MS);
    }
  },
};

const WORDS = "Paket tidak perlu dijemput lagi";

/** Tries again after a while, and gives up where what should be so is not so after `mostHours`. */
const againFor =
  (ctx: Ctx, { createdAt }: Job, number: string) =>
  (why: string, mostHours: number, afterMs?: number): JobOutcome => {
    const error = `pickup of ${number}: ${why}`;
    const isOver = ctx.now().getTime() - createdAt.getTime() > mostHours * HOUR_MS;
    return isOver ? { state: "failed", error } : { state: "retry", error, afterMs };
  };

/** What became of it counts for the order like any other news of its parcel. */
async function ended(ctx: Ctx, number: string, status: string): Promise<JobOutcome> {
  await followParcel(ctx, number);
  return { state: "success", result: { parcel: status } };
}
