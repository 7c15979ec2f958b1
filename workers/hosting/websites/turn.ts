import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { call, type Statement } from "../../../shared/db/statement.ts";
import type { Job, JobOutcome } from "../../../shared/jobs/jobs.ts";
import { driverOf, fenced, type HostDriver } from "../drivers/index.ts";
import { type Site, siteShape } from "./site.ts";

const BUSY_PAUSE_MS = 5_000;
/** How long a call may still be carried out after nobody waits for its answer. */
const ECHO_SECONDS = 30;
/**
 * A turn is kept by its holder, three times as often: so it outlives a holder that died by a call's echo at least, and
 * ends soon enough for a site that is paid for to return within a minute.
 */
const TURN_SECONDS = 45;

export type Purpose =
  /** `visit`: work on a site that is active and wanted so; `tidy`: on any that is on its server and stays. */
  { purpose: "create" | "visit" | "tidy" } | { purpose: "order"; order: number };

export interface TurnInput {
  websiteId: string;
  purpose: Purpose;
  seconds?: number;
}

/** The right of one run of a job to work on a site at its server: until the work ends, however long that takes. */
export interface Turn {
  site: Site;
  /** Changes nothing on the server any more once the turn is somebody else's. */
  driver: HostDriver;
  leaseId: string;
  /** False: the turn is somebody else's now, so stop. */
  hold(): Promise<boolean>;
  /** Counts that the server, being there, has failed at this job; how often it now has. 0: the turn is lost. */
  refused(): Promise<number>;
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
  { websiteId, purpose, seconds = TURN_SECONDS }: TurnInput,
  work: (turn: Turn) => Promise<JobOutcome>,
): Promise<JobOutcome> {
  const input = {
    website_id: websiteId,
    job_id: job.id,
    lease_id: job.leaseId,
    seconds,
    ...purpose,
  };
  let sureUntilMs = ctx.now().getTime() + seconds * 1000;
  const taken = await ctx.db.run(call("hosting_site_turn", input, Taken));
  if (taken.state === "over") return { state: "success", result: { nothing_to_do: true } };
  if (taken.state === "busy") {
    return { state: "retry", error: "another job has the turn", afterMs: BUSY_PAUSE_MS };
  }
  const { site } = taken;
  const { leaseId } = job;
  const hold = async () => {
    const askedMs = ctx.now().getTime();
    const params = [websiteId, leaseId, seconds];
    const isHeld = await ctx.db.run(scalar("hosting_turn_extend", params, z.boolean()));
    sureUntilMs = isHeld ? askedMs + seconds * 1000 : 0;
    return isHeld;
  };
  // A run that was held up asks before it goes on: others may have worked on the site meanwhile.
  const isOurs = async () => ctx.now().getTime() < sureUntilMs || (await hold());
  // One that fails says nothing: the next, or whatever is recorded, finds out whose turn it is.
  const keep = () => ctx.waitUntil(hold().catch(() => undefined));
  const keeping = setInterval(keep, (seconds * 1000) / 3);
  let echoSeconds = ECHO_SECONDS;
  try {
    const driver = fenced(await driverOf(ctx, site.server), isOurs);
    const refused = () =>
      ctx.db.run(scalar("hosting_turn_refused", [websiteId, leaseId], z.number()));
    const outcome = await work({ site, driver, leaseId, hold, refused });
    if (outcome.state !== "unknown") echoSeconds = 0;
    return paced(outcome, job);
  } finally {
    clearInterval(keeping);
    const params = [websiteId, leaseId, echoSeconds];
    await ctx.db.run(scalar("hosting_turn_release", params, z.unknown()));
  }
}

/** 5 s, 10 s, 20 s … 5 minutes: a server that is back after an hour is noticed soon. */
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 300_000;
/** With these some hours; from then on the pauses of all jobs, up to an hour. */
const SHORT_PAUSES = 60;

function paced(outcome: JobOutcome, { attempts }: Job): JobOutcome {
  if (attempts > SHORT_PAUSES) return outcome;
  const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempts - 1));
  switch (outcome.state) {
    case "retry":
      return { ...outcome, afterMs: outcome.afterMs ?? pauseMs };
    case "unknown":
      return { ...outcome, askAfterMs: outcome.askAfterMs ?? pauseMs };
    default:
      return outcome;
  }
}

/** Written down before a site's creation leaves. */
export const sending = (turn: Turn, moment: Date) =>
  scalar("hosting_turn_sending", [turn.site.id, turn.leaseId, moment.toISOString()], z.boolean());

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
