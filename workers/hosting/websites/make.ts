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
import type { HostResult, SiteRef } from "../drivers/index.ts";
import { jobOutcomeOf } from "../drivers/index.ts";
import { completeAccounts } from "./accounts.ts";
import { noteOf, openSecrets } from "./site.ts";
import { lostTurn, sending, type Turn, withTurn } from "./turn.ts";

const Payload = z.object({ website_id: z.uuid() });

/** So long after it was sent a creation that nobody answered may still appear on the server. */
const PATIENCE_MS = 90_000;
const ASK_AGAIN_MS = 5_000;
/** A step that the server refuses is tried so often before the rest of the site is removed. */
const PATIENT_REFUSALS = 3;
const REFUSED_PAUSE_MS = 10_000;

/**
 * Makes a reserved site. Whatever became of an earlier attempt is first asked of the server, where the site is known by
 * its note; a site that is half there is completed, or removed with its reservation when the server will not have it.
 */
export const createSiteJob: JobHandler = {
  kind: "hosting.create-site",
  queue: "provisioning",
  async run(ctx, job) {
    const { website_id: websiteId } = Payload.parse(job.payload);
    const input = { websiteId, purpose: { purpose: "create" } } as const;
    return await withTurn(ctx, job, input, (turn) => make(ctx, job, turn));
  },
};

/** Why the site will never be: an end for the job and for the reservation. */
interface Hopeless {
  state: "hopeless";
  reason: string;
  ref: SiteRef | null;
}
type Step<T> = { state: "done"; value: T } | Hopeless | JobOutcome;

async function make(ctx: Ctx, job: Job, turn: Turn): Promise<JobOutcome> {
  const placed = await place(ctx, job, turn);
  if (placed.state === "hopeless") return await giveUp(ctx, turn, placed);
  if (placed.state !== "done") return placed;
  const { ref } = placed.value;
  if (!placed.value.isWhole) {
    const secrets = await openSecrets(ctx, turn.site);
    const completed = await completeAccounts(turn, ref, secrets);
    if (completed.state === "refused" && !completed.retryable) {
      if ((await turn.refused()) < PATIENT_REFUSALS) {
        return { state: "retry", error: completed.detail, afterMs: REFUSED_PAUSE_MS };
      }
      const reason = `accounts refused: ${completed.detail}`;
      return await giveUp(ctx, turn, { state: "hopeless", reason, ref });
    }
    if (completed.state !== "done") return jobOutcomeOf(completed, "complete the site");
  }
  return await confirm(ctx, turn, ref);
}

/** Finds the site on its server or has it made. `isWhole`: its accounts are known to be there. */
async function place(
  ctx: Ctx,
  job: Job,
  turn: Turn,
): Promise<Step<{ ref: SiteRef; isWhole: boolean }>> {
  const { site, driver } = turn;
  const found = await driver.findSite(site.domain);
  if (found.state !== "done") return jobOutcomeOf(found, "look for the site");
  if (found.value) {
    if (found.value.note === noteOf(site.id)) return placedAt(found.value, false);
    return { state: "hopeless", reason: "the domain is on the server already", ref: null };
  }
  const now = ctx.now();
  const sentMs = site.createSentAt ? now.getTime() - site.createSentAt.getTime() : PATIENCE_MS;
  if (job.state === "unknown" && sentMs < PATIENCE_MS) {
    return { state: "unknown", error: "not there yet", askAfterMs: ASK_AGAIN_MS };
  }
  if (!(await ctx.db.run(sending(turn, now)))) return lostTurn();
  const made = await create(ctx, turn);
  switch (made.state) {
    case "done":
      return placedAt(made.value.site, made.value.ftpMade && made.value.databaseMade);
    case "unknown":
      return { state: "unknown", error: made.detail, askAfterMs: ASK_AGAIN_MS };
    case "refused": {
      const outcome = jobOutcomeOf(made, "create the site");
      if (outcome.state !== "failed") return outcome;
      if (made.reason !== "exists" && (await turn.refused()) < PATIENT_REFUSALS) {
        return { state: "retry", error: made.detail, afterMs: REFUSED_PAUSE_MS };
      }
      const taken = made.reason === "exists";
      const reason = taken ? "the domain is on the server already" : made.detail;
      return { state: "hopeless", reason, ref: null };
    }
    default:
      return made satisfies never;
  }
}

const placedAt = ({ hostSiteId, domain, root }: SiteRef, isWhole: boolean) => ({
  state: "done" as const,
  value: { ref: { hostSiteId, domain, root }, isWhole },
});

async function create(ctx: Ctx, { site, driver }: Turn) {
  const { ftpPassword, databasePassword } = await openSecrets(ctx, site);
  const { databaseName, server } = site;
  return await driver.createSite({
    domain: site.domain,
    root: `${server.sitesPath}/${site.domain}`,
    aliases: [],
    phpVersion: server.phpVersion,
    ftp: { username: site.ftpUsername, password: ftpPassword },
    database:
      databaseName !== null && databasePassword !== null
        ? { name: databaseName, password: databasePassword }
        : null,
    note: noteOf(site.id),
  });
}

const Wakes = z.union([wakeSchema, z.null()]);

/** Reads the site back, and only then calls it made. */
async function confirm(ctx: Ctx, turn: Turn, ref: SiteRef): Promise<JobOutcome> {
  const { site, driver } = turn;
  const seen = await driver.findSite(site.domain);
  if (seen.state !== "done") return jobOutcomeOf(seen, "read the site back");
  const account = await driver.findFtp(site.ftpUsername);
  if (account.state !== "done") return jobOutcomeOf(account, "read the FTP account back");
  const isThere = seen.value?.hostSiteId === ref.hostSiteId && seen.value.running;
  if (!isThere || !account.value?.enabled) {
    return { state: "unknown", error: "the site is not yet as it should be" };
  }
  const input = {
    website_id: site.id,
    lease_id: turn.leaseId,
    host_site_id: seen.value?.hostSiteId,
    root: seen.value?.root,
  };
  const wakes = await ctx.db.run(call("hosting_site_created", input, Wakes));
  if (wakes === null) return lostTurn();
  wake(ctx, wakes);
  return { state: "success", result: { website_id: site.id } };
}

/** Removes what is there of the site, and when nothing is left frees its domain and its subscription. */
async function giveUp(ctx: Ctx, turn: Turn, { reason, ref }: Hopeless): Promise<JobOutcome> {
  const { site, driver } = turn;
  if (ref) {
    const removed: HostResult<void> = await driver.deleteSite(ref);
    if (removed.state !== "done") return stillThere(removed);
    const seen = await driver.findSite(site.domain);
    if (seen.state !== "done") return stillThere(seen);
    if (seen.value?.note === noteOf(site.id)) {
      return { state: "unknown", error: "the rest of the site is still there" };
    }
  }
  const input = { website_id: site.id, lease_id: turn.leaseId, reason };
  const freed = await ctx.db.run(call("hosting_site_failed", input, z.unknown()));
  if (freed === null) return lostTurn();
  return { state: "failed", error: reason };
}

/** A rest that will not go must not be forgotten: the job goes on until somebody has seen to it. */
function stillThere(result: Exclude<HostResult<unknown>, { state: "done" }>): JobOutcome {
  const outcome = jobOutcomeOf(result, "remove the rest of the site");
  return outcome.state === "failed" ? { state: "unknown", error: outcome.error } : outcome;
}
