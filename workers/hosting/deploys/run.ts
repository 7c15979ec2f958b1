import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { call } from "../../../shared/db/statement.ts";
import {
  type Job,
  type JobOutcome,
  setProgress,
  wake,
  wakeSchema,
} from "../../../shared/jobs/jobs.ts";
import { type HostResult, jobOutcomeOf, type SiteRef } from "../drivers/index.ts";
import type { Turn } from "../websites/turn.ts";
import { lostTurn } from "../websites/turn.ts";
import type { DeployStep, DeployWork } from "./rows.ts";

/** So often the server, being there, may fail at a deploy before the old release has the word again. */
const PATIENT_REFUSALS = 6;
export const KEPT_RELEASES = 3;

/** One attempt at a deploy, with the site's turn. */
export interface Run {
  ctx: Ctx;
  job: Job;
  turn: Turn;
  site: SiteRef;
  deploy: DeployWork;
  /** Between looks at what the server serves; its configuration needs a moment to be read. */
  pausesMs: readonly number[];
}

/** The server did not do a step. `words` begin what its owner reads. */
export class StepFailed extends Error {
  readonly result: Exclude<HostResult<unknown>, { state: "done" }>;
  readonly words: string;

  constructor(result: Exclude<HostResult<unknown>, { state: "done" }>, words: string) {
    super(`${words}: ${result.detail}`);
    this.name = "StepFailed";
    this.result = result;
    this.words = words;
  }
}

/** The deploy is at its end, for a reason that no repeat changes; in its owner's words. */
export class GivenUp extends Error {
  override readonly name = "GivenUp";
}

/** The turn, the lease or the deploy is somebody else's now. */
export class Overtaken extends Error {
  override readonly name = "Overtaken";
}

/** The value of a call that was done. */
export async function need<T>(words: string, calling: Promise<HostResult<T>>): Promise<T> {
  const result = await calling;
  if (result.state !== "done") throw new StepFailed(result, words);
  return result.value;
}

/** Before every longer call: the site stays ours while it lasts, and its owner sees how far it is. */
export async function goOn({ ctx, job, turn }: Run, percent: number): Promise<void> {
  if (!(await turn.hold()) || !(await setProgress(ctx, job, percent))) {
    throw new Overtaken();
  }
}

/** What is to be known of a step after a kill. */
export type StepNotes = Partial<Pick<DeployWork, "failure" | "frontBefore">>;

/** Notes the step before it is made. */
export async function enter(run: Run, step: DeployStep, notes: StepNotes = {}): Promise<void> {
  const { failure, frontBefore } = notes;
  const input = { ...named(run), step, failure, front_before: frontBefore };
  const isOurs = await run.ctx.db.run(call("hosting_deploy_step", input, z.boolean()));
  if (!isOurs) throw new Overtaken();
  run.deploy = { ...run.deploy, step, ...notes };
}

const named = ({ deploy, turn }: Run) => ({
  deploy_id: deploy.id,
  website_id: turn.site.id,
  lease_id: turn.leaseId,
});

const Ended = z.object({ wake: wakeSchema }).nullable();

/** The release is seen to be served. `tidy` is done while the turn is still this job's. */
export async function endLive(run: Run, tidy: () => Promise<void>): Promise<JobOutcome> {
  const input = { ...named(run), keep: KEPT_RELEASES };
  return await ended(run, call("hosting_deploy_live", input, Ended), { live: true }, tidy);
}

/** The old release is served, and stays. */
export async function endFailed(
  run: Run,
  failure: string,
  tidy?: () => Promise<void>,
): Promise<JobOutcome> {
  const input = { ...named(run), failure };
  return await ended(run, call("hosting_deploy_failed", input, Ended), { live: false }, tidy);
}

async function ended(
  { ctx }: Run,
  statement: ReturnType<typeof call<typeof Ended>>,
  result: Record<string, unknown>,
  tidy?: () => Promise<void>,
): Promise<JobOutcome> {
  const done = await ctx.db.run(statement);
  if (!done) return lostTurn();
  // Before the next jobs are woken: they would find the turn taken.
  await tidy?.();
  wake(ctx, done.wake);
  return { state: "success", result };
}

/** Why a step failed, for the site's owner. */
export function failureWords({ words, result }: StepFailed): string {
  if (result.state === "unknown" || result.reason === "unavailable") {
    return `${words}: server hosting tidak dapat dihubungi`;
  }
  return `${words}: ditolak oleh server hosting`;
}

/**
 * What a failed step means for the job: null when it is not to be tried again. A server that does not even say whether
 * it has the site is away, and is waited for.
 */
export async function tryAgain(
  { turn, site }: Run,
  { result, words }: StepFailed,
): Promise<JobOutcome | null> {
  if (result.state === "refused" && result.reason === "stopped") return lostTurn();
  const outcome = jobOutcomeOf(result, words);
  if (outcome.state === "failed") return null;
  const isThere = (await turn.driver.findSite(site.domain)).state === "done";
  return isThere && (await turn.refused()) >= PATIENT_REFUSALS ? null : outcome;
}
