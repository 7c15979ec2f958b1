import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { call, type Statement } from "../../../shared/db/statement.ts";
import type { Job, JobOutcome } from "../../../shared/jobs/jobs.ts";
import { driverOf, type HostDriver } from "../drivers/index.ts";
import { type Site, siteShape } from "./site.ts";

const BUSY_PAUSE_MS = 5_000;
/** How long a call may still be carried out after nobody waits for its answer. */
const ECHO_SECONDS = 30;

export type Purpose = { purpose: "create" | "visit" } | { purpose: "order"; order: number };

export interface TurnInput {
  websiteId: string;
  /** For how long; longer than all the calls of the work together, or it asks for more with `extend`. */
  seconds: number;
  /** `visit`: work on a site that is active and wanted so (deploys, certificates). */
  purpose: Purpose;
}

/** The right to work on a site at its server, while it lasts. */
export interface Turn {
  site: Site;
  driver: HostDriver;
  jobId: string;
  /** Whether a call that takes up to so long still ends within the turn. */
  mayTake(ms: number): boolean;
  /** False: the turn is somebody else's now, so stop. */
  extend(seconds: number): Promise<boolean>;
}

const Taken = z.discriminatedUnion("state", [
  z.object({ state: z.literal("yours"), site: siteShape }),
  z.object({ state: z.literal("busy") }),
  z.object({ state: z.literal("over"), site: siteShape.optional() }),
]);

/**
 * Does a job's work on a site while no other job works on it. Where there is nothing to do any more (the site is gone, a
 * newer order is there) the job has succeeded without the work; while another has the turn it comes back later.
 */
export async function withTurn(
  ctx: Ctx,
  job: Job,
  { websiteId, seconds, purpose }: TurnInput,
  work: (turn: Turn) => Promise<JobOutcome>,
): Promise<JobOutcome> {
  const begun = ctx.now().getTime();
  const input = { website_id: websiteId, job_id: job.id, seconds, ...purpose };
  const taken = await ctx.db.run(call("hosting_site_turn", input, Taken));
  if (taken.state === "over") return { state: "success", result: { nothing_to_do: true } };
  if (taken.state === "busy") {
    return { state: "retry", error: "another job has the turn", afterMs: BUSY_PAUSE_MS };
  }
  let untilMs = begun + seconds * 1000;
  const turn: Turn = {
    site: taken.site,
    driver: await driverOf(ctx, taken.site.server),
    jobId: job.id,
    mayTake: (ms) => ctx.now().getTime() + ms < untilMs,
    async extend(more) {
      const asked = ctx.now().getTime();
      const held = await ctx.db.run(
        scalar("hosting_site_extend", [websiteId, job.id, more], z.boolean()),
      );
      if (held) untilMs = Math.max(untilMs, asked + more * 1000);
      return held;
    },
  };
  const outcome = await work(turn);
  if (outcome.state === "retry" || outcome.state === "unknown") {
    const echo = outcome.state === "unknown" ? ECHO_SECONDS : 0;
    await ctx.db.run(scalar("hosting_site_release", [websiteId, job.id, echo], z.unknown()));
  }
  return outcome;
}

/** Written down before a site's creation leaves. */
export const sending = (turn: Turn, moment: Date) =>
  scalar("hosting_site_sending", [turn.site.id, turn.jobId, moment.toISOString()], z.boolean());

/** Written down after a folder of the site is served. False: the turn is somebody else's now. */
export const switched = (turn: Turn, folder: string) =>
  scalar("hosting_site_switched", [turn.site.id, turn.jobId, folder], z.boolean());

function scalar<S extends z.ZodType>(
  name: string,
  params: unknown[],
  output: S,
): Statement<z.output<S>> {
  return {
    sql: `select ${name}(${params.map((_, index) => `$${index + 1}`).join(", ")})`,
    params,
    arrayMode: true,
    map: ({ rows: [row] }) => output.parse(Array.isArray(row) ? row[0] : undefined),
  };
}

/** A turn that was lost while the work went on: whoever has it now looks for himself. */
export const lostTurn = (): JobOutcome => ({ state: "unknown", error: "the turn was lost" });
