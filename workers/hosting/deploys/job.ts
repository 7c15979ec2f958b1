import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { call } from "../../../shared/db/statement.ts";
import {
  type Job,
  type JobHandler,
  type JobOutcome,
  wake,
  wakeSchema,
} from "../../../shared/jobs/jobs.ts";
import { type HostDriver, jobOutcomeOf, type SiteRef } from "../drivers/index.ts";
import { siteRef } from "../websites/site.ts";
import { lostTurn, type Turn, withTurn } from "../websites/turn.ts";
import { archivePath, prepareRelease, prepareRollback } from "./prepare.ts";
import { workShape } from "./rows.ts";
import {
  endFailed,
  failureWords,
  GivenUp,
  Overtaken,
  type Run,
  StepFailed,
  tryAgain,
} from "./run.ts";
import { bringLive, revert } from "./switch.ts";

const Payload = z.object({ deploy_id: z.uuid(), website_id: z.uuid() });

const PAUSES_MS = [200, 500, 1_000];
const ASK_AGAIN_MS = 1_000;

/** Brings a release live. A job that was killed anywhere is repeated and comes to the same end. */
export const deployJob = (pausesMs: readonly number[] = PAUSES_MS): JobHandler => ({
  kind: "hosting.deploy",
  queue: "provisioning",
  async run(ctx, job) {
    const { deploy_id: deployId, website_id: websiteId } = Payload.parse(job.payload);
    const input = { websiteId, purpose: { purpose: "visit" } } as const;
    let isActive = false;
    const outcome = await withTurn(ctx, job, input, async (turn) => {
      isActive = true;
      return await attempt(ctx, job, turn, deployId, pausesMs);
    });
    if (isActive || outcome.state !== "success") return outcome;
    return await overtake(ctx, deployId, outcome);
  },
});

async function attempt(
  ctx: Ctx,
  job: Job,
  turn: Turn,
  deployId: string,
  pausesMs: readonly number[],
): Promise<JobOutcome> {
  const marker = `lumbung-${randomName()}.txt`;
  const begun = { deploy_id: deployId, job_id: job.id, lease_id: job.leaseId, marker };
  const deploy = await ctx.db.run(call("hosting_deploy_begin", begun, workShape));
  if (deploy === null) return { state: "success", result: { nothing_to_do: true } };
  const site = siteRef(turn.site);
  if (site === null) throw new Error("an active site is nowhere");
  const run: Run = { ctx, job, turn, site, deploy, pausesMs };
  try {
    return await work(run);
  } catch (error) {
    return await mend(run, error);
  }
}

async function work(run: Run): Promise<JobOutcome> {
  const { deploy } = run;
  if (deploy.step === "reverting") return await revert(run, deploy.failure ?? "Deploy gagal");
  if (deploy.step !== "switching" && deploy.step !== "checking") {
    await (deploy.kind === "deploy" ? prepareRelease(run) : prepareRollback(run));
  }
  return await bringLive(run);
}

/** What an error means: another attempt; or the end, before the switch at once and after it by way of the old release. */
async function mend(run: Run, error: unknown): Promise<JobOutcome> {
  if (error instanceof Overtaken) return lostTurn();
  if (error instanceof GivenUp) return await endFailed(run, error.message);
  if (!(error instanceof StepFailed)) throw error;
  const again = await tryAgain(run, error);
  if (again) return again;
  switch (run.deploy.step) {
    case "reverting":
      return { state: "unknown", error: error.message };
    case "switching":
    case "checking":
      return await turnBack(run, error);
    default:
      return await endFailed(run, failureWords(error));
  }
}

async function turnBack(run: Run, cause: StepFailed): Promise<JobOutcome> {
  try {
    return await revert(run, failureWords(cause));
  } catch (error) {
    if (error instanceof Overtaken) return lostTurn();
    if (error instanceof StepFailed) return { state: "unknown", error: error.message };
    throw error;
  }
}

const Ended = z.object({ wake: wakeSchema }).nullable();

/** The site is suspended or going: a resumed site is served what is recorded, so the deploy may simply end. */
async function overtake(ctx: Ctx, deployId: string, outcome: JobOutcome): Promise<JobOutcome> {
  const input = { deploy_id: deployId };
  const ended = await ctx.db.run(call("hosting_deploy_overtaken", input, Ended));
  if (ended) {
    wake(ctx, ended.wake);
    return outcome;
  }
  // Active again a moment later, or over before: another attempt finds out which.
  return { state: "retry", error: "the site has changed", afterMs: ASK_AGAIN_MS };
}

const Removal = z.object({
  release_id: z.uuid(),
  website_id: z.uuid(),
  folder: z.string().regex(/^releases\/[a-z0-9]{16,64}$/),
});

/** Removes what is left of a release that nobody is served. */
export const removeReleaseJob: JobHandler = {
  kind: "hosting.remove-release",
  queue: "provisioning",
  async run(ctx, job) {
    const { release_id: releaseId, website_id: websiteId, folder } = Removal.parse(job.payload);
    const input = { websiteId, purpose: { purpose: "tidy" } } as const;
    return await withTurn(ctx, job, input, async (turn) => {
      const ref = siteRef(turn.site);
      const isWanted = ref === null || turn.site.documentRoot.startsWith(folder);
      const left = isWanted ? null : await removeFolder(turn.driver, ref, folder);
      if (left) return left;
      const end = { release_id: releaseId, website_id: websiteId, lease_id: turn.leaseId };
      await ctx.db.run(
        call("hosting_release_removed", { ...end, is_gone: !isWanted }, z.boolean()),
      );
      return isWanted ? { state: "failed", error: "the release is served" } : { state: "success" };
    });
  },
};

/** Null when nothing is left of it. */
async function removeFolder(
  driver: HostDriver,
  ref: SiteRef,
  folder: string,
): Promise<JobOutcome | null> {
  for (const path of [archivePath(folder, "zip"), archivePath(folder, "tar.gz")]) {
    const removed = await driver.removeFile(ref, path);
    if (removed.state !== "done") return jobOutcomeOf(removed, "remove an archive");
  }
  const removed = await driver.removeDirectory(ref, folder);
  if (removed.state !== "done") return jobOutcomeOf(removed, "remove a release");
  const seen = await driver.listDirectory(ref, folder);
  const isGone = seen.state === "refused" && seen.reason === "not_found";
  return isGone ? null : { state: "unknown", error: "a removed release may still be there" };
}

function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
