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
import { type HostResult, type HostSite, jobOutcomeOf, type SiteRef } from "../drivers/index.ts";
import { switchFtp } from "./accounts.ts";
import { noteOf } from "./site.ts";
import { lostTurn, type Turn, withTurn } from "./turn.ts";

const Payload = z.object({ website_id: z.uuid(), order: z.number().int() });

/** With their growing pauses twenty minutes of a server that is there and says no; then the operator is told. */
const PATIENT_REFUSALS = 10;
/** From then on, for some days: who has paid for his site, or nobody pays for, waits for the server to be mended. */
const LATER_MS = 1_800_000;
/** As for a creation: it may still appear, and would then be there after its deletion. */
const PATIENCE_MS = 90_000;

type Act = (turn: Turn, ctx: Ctx, order: number) => Promise<JobOutcome>;

/** A job that carries out one numbered order; see migrations/functions/hosting_websites_orders.sql. */
const orderJob = (kind: string, act: Act): JobHandler => ({
  kind,
  queue: "provisioning",
  async run(ctx, job: Job) {
    const { website_id: websiteId, order } = Payload.parse(job.payload);
    const purpose = { purpose: "order", order } as const;
    return await withTurn(ctx, job, { websiteId, purpose }, async (turn) => {
      const outcome = await act(turn, ctx, order);
      if (outcome.state !== "failed") return outcome;
      const { error } = outcome;
      if ((await turn.refused()) < PATIENT_REFUSALS) return { state: "retry", error };
      const told = { website_id: websiteId, order, kind, error, alert_to: ctx.config.ALERT_EMAIL };
      wake(ctx, await ctx.db.run(call("hosting_site_order_alert", told, wakeSchema)));
      return { state: "retry", error, afterMs: LATER_MS };
    });
  },
});

/** Its visitors get the stop page and FTP is closed; files and database stay. */
export const suspendSiteJob = orderJob("hosting.suspend-site", (turn, ctx, order) =>
  setServed(turn, ctx, order, false),
);

export const resumeSiteJob = orderJob("hosting.resume-site", (turn, ctx, order) =>
  setServed(turn, ctx, order, true),
);

async function setServed(turn: Turn, ctx: Ctx, order: number, serve: boolean): Promise<JobOutcome> {
  const { driver, site } = turn;
  const what = serve ? "resume the site" : "suspend the site";
  const found = await driver.findSite(site.domain);
  if (found.state !== "done") return jobOutcomeOf(found, what);
  const ref = found.value;
  if (ref?.note !== noteOf(site.id))
    return { state: "failed", error: "the site is not on its server" };

  for (const step of serve ? startSteps(turn, ref) : [() => driver.stopSite(ref)]) {
    const result = await step();
    if (result.state !== "done") return jobOutcomeOf(result, what);
  }
  const ftp = await switchFtp(turn, serve);
  if (ftp.state !== "done") return jobOutcomeOf(ftp, what);
  const seen = await driver.findSite(site.domain);
  if (seen.state !== "done") return jobOutcomeOf(seen, what);
  if (seen.value?.running !== serve || !ftp.value.isSo) {
    return { state: "unknown", error: `${what}: the server says yes and shows something else` };
  }
  return await confirmed(ctx, turn, order, serve ? "ACTIVE" : "SUSPENDED");
}

/** A site whose last day has passed would be stopped again by the panel; its release is served again after its stop. */
function startSteps({ driver, site }: Turn, ref: HostSite): (() => Promise<HostResult<void>>)[] {
  return [
    ...(ref.lastDay === null ? [] : [() => driver.setLastDay(ref, null)]),
    () => driver.startSite(ref),
    () => driver.setDocumentRoot(ref, site.documentRoot),
  ];
}

/** Its files, database and FTP account go with it. */
export const deleteSiteJob = orderJob("hosting.delete-site", async (turn, ctx, order) => {
  const { driver, site } = turn;
  const what = "delete the site";
  const found = await driver.findSite(site.domain);
  if (found.state !== "done") return jobOutcomeOf(found, what);
  if (found.value?.note === noteOf(site.id)) {
    const gone = await remove(turn, found.value);
    if (gone.state !== "done") return jobOutcomeOf(gone, what);
    if (!gone.value) return { state: "unknown", error: "the site is still on its server" };
  } else if (isUnderWay(ctx, turn)) {
    return { state: "unknown", error: "its creation may still be carried out" };
  }
  return await confirmed(ctx, turn, order, "DELETED");
});

/** Deletes and reads back, the FTP account too: it must not outlive its folder. */
async function remove({ driver, site }: Turn, ref: SiteRef): Promise<HostResult<boolean>> {
  const deleted = await driver.deleteSite(ref);
  if (deleted.state !== "done") return deleted;
  const account = await driver.findFtp(site.ftpUsername);
  if (account.state !== "done") return account;
  if (account.value) {
    const removed = await driver.removeFtp(account.value);
    if (removed.state !== "done") return removed;
  }
  const seen = await driver.findSite(site.domain);
  if (seen.state !== "done") return seen;
  return { state: "done", value: seen.value?.note !== noteOf(site.id) };
}

function isUnderWay(ctx: Ctx, { site }: Turn): boolean {
  const sent = site.status === "PENDING" ? site.createSentAt : null;
  return sent !== null && ctx.now().getTime() - sent.getTime() < PATIENCE_MS;
}

const Confirmed = z.object({ wake: wakeSchema }).nullable();

async function confirmed(
  ctx: Ctx,
  { site, leaseId }: Turn,
  order: number,
  status: "ACTIVE" | "SUSPENDED" | "DELETED",
): Promise<JobOutcome> {
  const input = { website_id: site.id, lease_id: leaseId, order, status };
  const done = await ctx.db.run(call("hosting_site_confirmed", input, Confirmed));
  if (!done) return lostTurn();
  wake(ctx, done.wake);
  return { state: "success", result: { status } };
}
