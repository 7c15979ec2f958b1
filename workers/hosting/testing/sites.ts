import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { clientOf } from "../../../shared/db/client.ts";
import { Database } from "../../../shared/db/database.ts";
import type { ConstraintErrors } from "../../../shared/db/errors.ts";
import { rows, type Statement } from "../../../shared/db/statement.ts";
import type { Job, JobHandler } from "../../../shared/jobs/jobs.ts";
import { contextWithQueues, type SentMessage } from "../../../shared/jobs/test-queues.ts";
import { createAapanel } from "../../../shared/providers/aapanel.ts";
import type { Fetch } from "../../../shared/providers/http.ts";
import { settleBackground, standIns, testContext } from "../../testing/api.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { twin } from "../../testing/orders.ts";
import { driverOf, type HostDriver, type SiteRef } from "../drivers/index.ts";
import { siteRef, siteShape } from "../websites/site.ts";
import { websiteJobs } from "../websites.ts";

/** A domain that no other test has. */
export const newDomain = () => `${unique("toko-")}.web.id`;

export interface TestSubscription {
  user: TestUser;
  id: string;
}

/** A paid subscription of its own. */
export async function subscribe(given?: TestUser, status = "ACTIVE"): Promise<TestSubscription> {
  const user = given ?? (await createUser());
  const name = unique("paket-");
  const [made] = await testContext().db.run(
    rows(
      sql`with p as (insert into hosting_plans (name, display_name, type, price)
            values (${name}, ${name}, 'HOSTING', 30000) returning id)
        , o as (insert into hosting_orders (user_id, plan_id, plan_name, plan_type, monthly_price, duration, price,
              status, paid_at, terms, pay_key)
            select ${user.userId}, id, ${name}, 'HOSTING', 30000, 1, 30000, 'COMPLETED', now(),
              '{"ppn_percent": 0, "seller": {"name": "", "address": "", "tax_id": ""}}', ${name} from p
            returning id, plan_id)
        insert into hosting_subscriptions (user_id, order_id, plan_id, plan_name, plan_type, status, start_date, end_date,
          anchor_day, duration, price)
        select ${user.userId}, id, plan_id, ${name}, 'HOSTING', ${status}, now(), now() + interval '30 days', 1, 1, 30000
        from o returning id`,
      z.object({ id: z.string() }),
    ),
  );
  if (!made) throw new Error("no subscription was made");
  return { user, id: made.id };
}

/** What a test may take away, and when it is. */
export interface BenchOptions {
  actor?: TestUser;
  laterMs?: number;
  /** The process dies at this call of the database or the panel (from 0), before or after it acts. */
  killAt?: number;
  kill?: "before" | "after";
  /** Long, as a busy machine must not be taken for a silent panel; short where the panel is told to be silent. */
  timeoutMs?: number;
  waitMs?: number;
  /** The network to the panel. */
  panel?: Fetch;
}

export interface Bench {
  ctx: Ctx;
  sent: SentMessage[];
  /** How many calls of the database and of the panel there were. */
  steps: () => number;
  /** Resolves when the process was killed. */
  killed: Promise<"killed">;
  /** Waits for what is left running behind the answer; a killed process leaves nothing. */
  settle: () => Promise<void>;
}

/** A context of its own on the panel's twin, whose process can be killed at any of its calls. */
export function bench(options: BenchOptions = {}): Bench {
  const { actor = null, laterMs = 0, killAt = -1, kill = "before", timeoutMs = 5_000 } = options;
  const { ctx: base, sent } = contextWithQueues();
  const background: Promise<unknown>[] = [];
  const never = new Promise<never>(() => undefined);
  const { promise: killed, resolve: die } = Promise.withResolvers<"killed">();
  let steps = 0;
  let dead = false;
  const end = (): Promise<never> => {
    dead = true;
    die("killed");
    return never;
  };
  async function step<T>(act: () => Promise<T>): Promise<T> {
    if (dead) return await never;
    const dies = steps === killAt;
    steps += 1;
    if (dies && kill === "before") return await end();
    const result = await act();
    return dies ? await end() : dead ? await never : result;
  }

  const ctx: Ctx = {
    ...base,
    config: { ...base.config, HOSTING_CREATE_WAIT_MS: options.waitMs ?? 3_000 },
    db: new SteppedDatabase(base, step),
    actor,
    providers: {
      ...base.providers,
      aapanel: (server) =>
        createAapanel({
          ...server,
          timeoutMs,
          sleep: async () => undefined,
          fetch: (url, init) => step(() => (options.panel ?? fetch)(url, init)),
        }),
    },
    now: () => new Date(Date.now() + laterMs),
    waitUntil: (work) => void background.push(work.catch(() => undefined)),
  };
  const settle = async () => {
    while (background.length > 0) await Promise.race([background.shift(), killed]);
    await settleBackground();
  };
  return { ctx, sent, steps: () => steps, killed, settle };
}

class SteppedDatabase extends Database {
  readonly #step: <T>(act: () => Promise<T>) => Promise<T>;

  constructor(ctx: Ctx, step: <T>(act: () => Promise<T>) => Promise<T>) {
    const { DATABASE_URL: databaseUrl, DATABASE_HTTP_URL: databaseHttpUrl } = ctx.config;
    super(clientOf({ databaseUrl, databaseHttpUrl }), ctx.requestId);
    this.#step = step;
  }

  override batch<const Q extends readonly Statement<unknown>[]>(
    queries: Q,
    constraints?: ConstraintErrors,
  ) {
    return this.#step(() => super.batch(queries, constraints));
  }
}

const jobRow = z.object({
  id: z.string(),
  kind: z.string(),
  payload: z.record(z.string(), z.unknown()),
  state: z.string(),
  error: z.string().nullable(),
});

/** The jobs about a website, oldest first. */
export async function jobsOf(websiteId: string): Promise<z.output<typeof jobRow>[]> {
  return await testContext().db.run(
    rows(
      sql`select id, kind, payload, state, error from jobs
        where kind like 'hosting.%' and payload->>'website_id' = ${websiteId} order by id`,
      jobRow,
    ),
  );
}

/** One attempt of a job, as a queue would have it run after `attempts - 1` others. */
export async function attempt(
  given: { id: string; kind: string; payload: Record<string, unknown> },
  options: BenchOptions & { attempts?: number; state?: Job["state"] } = {},
) {
  const handler = websiteJobs.find(({ kind }) => kind === given.kind);
  if (!handler) throw new Error(`no handler of ${given.kind}`);
  const { ctx, killed, settle, steps } = bench(options);
  const outcome = await Promise.race([runOnce(ctx, handler, given, options), killed]);
  await settle();
  return { outcome, steps: steps() };
}

async function runOnce(
  ctx: Ctx,
  handler: JobHandler,
  { id, kind, payload }: { id: string; kind: string; payload: Record<string, unknown> },
  { attempts = 1, state = "queued" }: { attempts?: number; state?: Job["state"] },
) {
  const leaseId = crypto.randomUUID();
  // The lease of a run that was killed has run out, and passes on.
  await testContext().db.run(
    rows(
      sql`update jobs set lease_id = ${leaseId} where id = ${id} and state = 'running'`,
      z.unknown(),
    ),
  );
  return await handler.run(ctx, {
    ...{ id, kind, payload, state, attempts, leaseId },
    createdAt: new Date(),
  });
}

/** How long a call waits for a panel that is told not to answer it. */
export const SILENCE_MS = 300;

/** Attempts so far apart that every doubt is over, until the job has ended; the last outcome. */
export async function finish(
  given: { id: string; kind: string; payload: Record<string, unknown> },
  first = 1,
) {
  for (let made = 0; made < 8; made += 1) {
    const laterMs = (made + 1) * 100_000;
    const { outcome } = await attempt(given, { laterMs, attempts: first + made, state: "unknown" });
    if (outcome !== "killed" && ["success", "failed"].includes(outcome.state)) return outcome;
  }
  throw new Error(`${given.kind} comes to no end`);
}

const websiteRow = z.object({
  id: z.string(),
  status: z.string(),
  wanted: z.string(),
  host_site_id: z.string().nullable(),
  ftp_username: z.string(),
  database_name: z.string().nullable(),
  failure: z.string().nullable(),
  order_number: z.number(),
  order_done: z.number(),
});

/** The rows of a domain, oldest first. */
export async function websitesOf(domain: string) {
  return await testContext().db.run(
    rows(
      sql`select id, status, wanted, host_site_id, ftp_username, database_name, failure, order_number, order_done
        from hosting_websites where domain = ${domain} order by id`,
      websiteRow,
    ),
  );
}

/** Orders something of a site as the renewals do. */
export async function order(websiteId: string, action: string): Promise<unknown> {
  const [row] = await testContext().db.run(
    rows(
      sql`select hosting_site_order(${websiteId}::uuid, ${action}) as wake`,
      z.object({ wake: z.object({ id: z.string() }).loose().nullable() }),
    ),
  );
  return row?.wake ?? null;
}

const panelSite = z.object({
  id: z.number(),
  name: z.string(),
  ps: z.string(),
  running: z.boolean(),
  runPath: z.string(),
  ftps: z.array(z.looseObject({ name: z.string(), enabled: z.boolean() })),
  databases: z.array(z.looseObject({ name: z.string() })),
});

const panelUrl = () => standIns().aapanel;

/** What the panel has of a domain; null: nothing. */
export async function onPanel(domain: string) {
  const response = await fetch(`${panelUrl()}/_sites/${domain}`);
  const body = await response.json();
  return response.ok ? panelSite.parse(body) : null;
}

const panelCall = z.looseObject({ action: z.string(), status: z.number() });

/** The calls of an action that the panel got about a domain. */
export async function callsOf(domain: string, action: string) {
  const query = new URLSearchParams({ match: domain, action });
  const response = await fetch(`${panelUrl()}/_calls?${query}`);
  return z.array(panelCall).parse(await response.json());
}

/** Tells the panel what to do wrong with the calls that hold a text. */
export const dial = (match: string, faults: Record<string, unknown>) =>
  twin(panelUrl(), "/_dials", { match, ...faults }, "PUT");

/** Whether an FTP program gets in. */
export const ftpLogin = (username: string, password: string) =>
  twin(panelUrl(), "/_ftp-login", { username, password }, "POST");

export interface LiveSite {
  driver: HostDriver;
  site: SiteRef;
  ftpUsername: string;
}

/** A live website's place on the panel, and its driver. */
export async function siteOn(websiteId: string): Promise<LiveSite> {
  const { ctx } = bench();
  const [row] = await ctx.db.run(
    rows(sql`select hosting_site_json(${websiteId}) as site`, z.object({ site: siteShape })),
  );
  const site = row && siteRef(row.site);
  if (!row || !site) throw new Error("the website is nowhere");
  const driver = await driverOf(ctx, row.site.server);
  return { driver, site, ftpUsername: row.site.ftpUsername };
}
