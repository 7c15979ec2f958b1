import { z } from "zod";
import { actorOf, type Ctx } from "../../shared/context.ts";
import { call } from "../../shared/db/statement.ts";
import { AppError } from "../../shared/http/errors.ts";
import { runJob, type Wake, wake, wakeSchema } from "../../shared/jobs/jobs.ts";
import { deployJob } from "./deploys/job.ts";
import { type Deploy, deployShape, type Release, releaseShape } from "./deploys/rows.ts";

export { deployJob, removeReleaseJob } from "./deploys/job.ts";
export type { Deploy, Release } from "./deploys/rows.ts";

/** The first attempt at a smaller archive runs here, behind the answer if need be; a larger one is the queue's. */
const SMALL_BYTES = 8 * 1024 * 1024;
/** The queue's turn comes when the attempt here is over: it would only find the job taken. */
const AFTER_ATTEMPT_SECONDS = 30;
const RESCUES = 3;
const RESCUED_AT_ONCE = 50;

const Opened = z.object({
  deploy: deployShape,
  wake: wakeSchema,
  stored_size: z.number().nullish(),
});
type Opened = z.output<typeof Opened>;

const ONE_AT_A_TIME = {
  hosting_deploys_one_at_a_time: () =>
    new AppError("conflict", "Deploy lain sedang berjalan untuk website ini"),
};

export interface DeployInput {
  websiteId: string;
  fileUploadId: string;
}

/**
 * Deploys an own archive to its website. Waits a little: a quick server is answered with the end, else the answer is the
 * deploy that goes on.
 */
export async function deployWebsite(ctx: Ctx, input: DeployInput): Promise<Deploy> {
  const { websiteId, fileUploadId } = input;
  if (websiteId.trim() === "" || fileUploadId.trim() === "") {
    throw new AppError("invalid_input", "Website ID dan File Upload ID harus diisi");
  }
  const asked = {
    user_id: actorOf(ctx).userId,
    website_id: websiteId,
    upload_id: fileUploadId,
    folder: `releases/${randomFolder()}`,
  };
  const opened = await ctx.db.run(call("hosting_deploy_open", asked, Opened), ONE_AT_A_TIME);
  return await startAndWait(ctx, opened, (opened.stored_size ?? 0) <= SMALL_BYTES);
}

/** Serves an earlier release again: the one before the present, or the one that is named. */
export async function rollbackWebsite(
  ctx: Ctx,
  websiteId: string,
  releaseId: string | null,
): Promise<Deploy> {
  const asked = { user_id: actorOf(ctx).userId, website_id: websiteId, release_id: releaseId };
  const opened = await ctx.db.run(call("hosting_rollback_open", asked, Opened), ONE_AT_A_TIME);
  return await startAndWait(ctx, opened, true);
}

async function startAndWait(ctx: Ctx, opened: Opened, isShort: boolean): Promise<Deploy> {
  const { deploy } = opened;
  const isNew = opened.wake.length > 0;
  if (!isNew || !isShort) {
    wake(ctx, opened.wake);
    return deploy;
  }
  const attempt = runJob(ctx, deploy.jobId, [deployJob()]);
  // What the platform cuts short behind the answer is taken up by the queue.
  ctx.waitUntil(attempt);
  wake(ctx, opened.wake.map(later));
  await waitFor(attempt, ctx.config.HOSTING_CREATE_WAIT_MS);
  const now = await getDeploy(ctx, deploy.websiteId, deploy.id);
  if (now.status === "FAILED") {
    throw new AppError("provider_failed", now.error ?? "Terjadi kesalahan saat deploy website");
  }
  return now;
}

const later = (one: Wake): Wake => ({
  ...one,
  delay_seconds: Math.max(one.delay_seconds ?? 0, AFTER_ATTEMPT_SECONDS),
});

async function waitFor(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  const over = work.then(
    () => undefined,
    () => undefined,
  );
  await Promise.race([over, late]);
  clearTimeout(timer);
}

/** One deploy of an own website. */
export async function getDeploy(ctx: Ctx, websiteId: string, deployId: string): Promise<Deploy> {
  const asked = { user_id: actorOf(ctx).userId, website_id: websiteId, deploy_id: deployId };
  return await ctx.db.run(call("hosting_deploy_of", asked, deployShape));
}

const Listed = z.object({ deploys: z.array(deployShape), releases: z.array(releaseShape) });

/** The last deploys of an own website and the releases that can be served, newest first. */
export async function listDeploys(
  ctx: Ctx,
  websiteId: string,
): Promise<{ deploys: Deploy[]; releases: Release[] }> {
  const asked = { user_id: actorOf(ctx).userId, website_id: websiteId };
  return await ctx.db.run(call("hosting_deploys_list", asked, Listed));
}

/** Ends a deploy that has not begun. */
export async function cancelDeploy(ctx: Ctx, websiteId: string, deployId: string): Promise<Deploy> {
  const asked = { user_id: actorOf(ctx).userId, website_id: websiteId, deploy_id: deployId };
  return await ctx.db.run(call("hosting_deploy_cancel", asked, deployShape));
}

/**
 * For the minute cron: a deploy whose job came to an end without it is taken up by another, and the operator is told
 * once of a deploy that comes to no end.
 */
export async function followDeploys(ctx: Ctx): Promise<void> {
  const rescue = { max: RESCUED_AT_ONCE, rescues: RESCUES };
  const alert = { max: RESCUED_AT_ONCE, alert_to: ctx.config.ALERT_EMAIL };
  const [rescued, alerts] = await ctx.db.batch([
    call("hosting_deploys_rescue", rescue, wakeSchema),
    call("hosting_deploys_alert", alert, wakeSchema),
  ]);
  if (rescued.length > 0) ctx.log.warn("deploys taken up again", { count: rescued.length });
  if (alerts.length > 0) ctx.log.error("deploys come to no end", { count: alerts.length });
  wake(ctx, [...rescued, ...alerts]);
}

/** Lower-case letters and digits: a part of a path on the server, and of its web server's configuration. */
function randomFolder(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
