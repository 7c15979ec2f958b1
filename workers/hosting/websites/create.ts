import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { randomBase32, seal } from "../../../shared/crypto/index.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { uuidv7 } from "../../../shared/db/uuid.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { runJob, wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { parseDomain } from "./domain.ts";
import { createSiteJob } from "./make.ts";
import { ownServer } from "./servers.ts";
import {
  noteOf,
  openSecrets,
  type Site,
  siteOwner,
  siteShape,
  type WebsiteView,
  websiteView,
} from "./site.ts";

const INCOMPLETE = "Subscription ID dan domain harus diisi";
const PASSWORD_LENGTH = 20;
/** Of a user name: the panel cuts a database's after sixteen. */
const NAME_HEAD = 7;
const NAME_TAIL = 8;

export interface CreateWebsiteInput {
  subscriptionId: string;
  domain: string;
}

/** With its password only here, and only when the site was made while the caller waited. */
export type CreatedWebsite = WebsiteView & { ftpPassword: string | null; jobId: string | null };

const Reserved = z.object({ site: siteShape, wake: wakeSchema });

/**
 * Reserves the domain and has the site made, the job's first attempt right here. Waits a little for it: a quick server
 * is answered with an active site and its credentials, a slow one with the job that goes on.
 */
export async function createWebsite(ctx: Ctx, input: CreateWebsiteInput): Promise<CreatedWebsite> {
  const { subscriptionId, domain: wished } = input;
  if (subscriptionId.trim() === "" || wished.trim() === "") {
    throw new AppError("invalid_input", INCOMPLETE);
  }
  const domain = parseDomain(ctx.config, wished);
  const isId = z.uuid().safeParse(subscriptionId).success;
  if (!isId) throw new AppError("not_found", "Subscription tidak ditemukan atau tidak aktif");
  const reserved = await ctx.db.run(
    call("hosting_site_reserve", await reservation(ctx, subscriptionId, domain), Reserved),
  );
  const jobId = reserved.site.createJobId;
  if (jobId === null) throw new Error("a reserved site has no job");
  const attempt = runJob(ctx, jobId, [createSiteJob]);
  // What the platform cuts short behind the answer is taken up by the queue.
  ctx.waitUntil(attempt);
  wake(ctx, later(reserved.wake));
  await waitFor(attempt, ctx.config.HOSTING_CREATE_WAIT_MS);
  const site = await readSite(ctx, reserved.site.id);
  return await answerOf(ctx, site, jobId);
}

async function reservation(ctx: Ctx, subscriptionId: string, domain: string) {
  const websiteId = uuidv7(ctx.now());
  const name = userNameOf(domain);
  const secret = (what: "ftp" | "database") =>
    seal(ctx.config, siteOwner(websiteId, what), randomBase32(PASSWORD_LENGTH));
  return {
    user_id: actorOf(ctx).userId,
    subscription_id: subscriptionId,
    domain,
    website_id: websiteId,
    ftp_username: name,
    sealed_ftp_password: await secret("ftp"),
    database_name: name,
    sealed_database_password: await secret("database"),
    own_server: ownServer(ctx.config),
  };
}

/** `tokobud_4k2m9q8x`: to be recognised, not to be guessed; begins with a letter, as databases ask for. */
function userNameOf(domain: string): string {
  const head = domain.replace(/[^a-z0-9]/g, "").slice(0, NAME_HEAD);
  const named = /^[a-z]/.test(head) ? head : `w${head.slice(0, NAME_HEAD - 1)}`;
  return `${named}_${randomBase32(NAME_TAIL).toLowerCase()}`;
}

/** The queue's turn comes when the attempt here is over: it would only find the job taken. */
const later = (wakes: z.output<typeof wakeSchema>) =>
  wakes.map((one) => ({ ...one, delay_seconds: Math.max(one.delay_seconds ?? 0, 30) }));

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

const Row = z.object({ site: siteShape });

async function readSite(ctx: Ctx, websiteId: string): Promise<Site> {
  const [row] = await ctx.db.run(rows(sql`select hosting_site_json(${websiteId}) as site`, Row));
  if (!row) throw new Error(`website ${noteOf(websiteId)} is gone`);
  return row.site;
}

const TAKEN = /on the server already/;

async function answerOf(ctx: Ctx, site: Site, jobId: string): Promise<CreatedWebsite> {
  if (site.status === "DELETED") {
    if (TAKEN.test(site.failure ?? "")) throw new AppError("conflict", "Domain sudah digunakan");
    throw new AppError("provider_failed", "Gagal membuat website");
  }
  const view = websiteView(site);
  if (site.status === "PENDING") return { ...view, ftpPassword: null, jobId };
  const { ftpPassword } = await openSecrets(ctx, site);
  return { ...view, ftpPassword, jobId: null };
}
