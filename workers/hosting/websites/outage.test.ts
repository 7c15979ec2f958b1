import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { runJob } from "../../../shared/jobs/jobs.ts";
import type { Fetch } from "../../../shared/providers/http.ts";
import { api } from "../../testing/api.ts";
import { deployJob } from "../deploys.ts";
import {
  bringLive,
  createLiveSite,
  type LiveSite,
  listed,
  queued,
  readDeploy,
  siteZip,
  visit,
} from "../testing/deploys.ts";
import { one, query, run } from "../testing/sales.ts";
import {
  bench,
  callsOf,
  newDomain,
  onPanel,
  order,
  subscribe,
  websitesOf,
} from "../testing/sites.ts";
import { websiteJobs } from "../websites.ts";
import { createWebsite } from "./create.ts";

const HOUR_S = 3_600;
/** How long after its return a server's work may wait. */
const LATE_S = 330;
const HANDLERS = [...websiteJobs, deployJob([0, 0])];

/** What a panel that is away looks like from here. */
const WAYS: Fetch[] = [
  async () => await Promise.reject(new TypeError("fetch failed")),
  async () => await Promise.reject(new DOMException("The operation timed out", "TimeoutError")),
  async () => new Response("<html>502</html>", { status: 502 }),
  async () => new Response("<html>Maintenance</html>"),
];

interface Waiting {
  id: string;
  kind: string;
  wait: number;
}

/** The jobs of these sites that are not over, the next one first; certificates wait for their owners' DNS. */
const waitingOf = (sites: readonly string[]) =>
  query(
    sql`select id, kind, greatest(0, extract(epoch from run_at - now()))::float8 as wait from jobs
      where payload->>'website_id' = any(string_to_array(${sites.join(",")}, ','))
        and kind like 'hosting.%' and kind <> 'hosting.issue-certificate' and finished_at is null
      order by run_at`,
    z.object({ id: z.string(), kind: z.string(), wait: z.number() }),
  );

/** Lets time go by for these sites: everything that is dated moves back by so much. */
async function pass(sites: readonly string[], seconds: number): Promise<void> {
  const ids = sites.join(",");
  const by = sql`make_interval(secs => ${seconds}::float8)`;
  await run(sql`update jobs set run_at = run_at - ${by}, updated_at = updated_at - ${by}
    where payload->>'website_id' = any(string_to_array(${ids}, ',')) and finished_at is null`);
  await run(sql`update hosting_websites set turn_until = turn_until - ${by}, create_sent_at = create_sent_at - ${by}
    where id::text = any(string_to_array(${ids}, ','))`);
  await run(sql`update hosting_deploys set started_at = started_at - ${by}, updated_at = updated_at - ${by}
    where website_id::text = any(string_to_array(${ids}, ','))`);
}

/** A panel that goes away and comes back, and a clock that runs from one job to the next. */
class Outage {
  readonly sites: string[] = [];
  readonly pauses = new Map<string, number[]>();
  isAway = true;
  seconds = 0;
  /** While it is there. */
  answers: Fetch = (url, init) => fetch(url, init);
  #calls = 0;

  /** While it is away: one call cannot reach it, the next is not answered, the next gets a page … */
  readonly panel: Fetch = async (url, init) => {
    if (!this.isAway) return await this.answers(url, init);
    this.#calls += 1;
    const away = WAYS[this.#calls % WAYS.length];
    if (!away) throw new Error("no way to be away");
    return await away(url, init);
  };

  /** Runs whatever is due until then, or until nothing is left to do. */
  async until(end: number): Promise<Waiting[]> {
    for (;;) {
      const waiting = await waitingOf(this.sites);
      const [next] = waiting;
      if (!next || this.seconds + next.wait > end) return waiting;
      // A moment more, so that what is due is due in the database's eyes too.
      if (next.wait > 0) await pass(this.sites, next.wait + 0.05);
      this.seconds += next.wait;
      this.pauses.set(next.id, [...(this.pauses.get(next.id) ?? []), next.wait]);
      const { ctx, settle } = bench({ panel: this.panel });
      await runJob(ctx, next.id, HANDLERS);
      await settle();
    }
  }
}

/** A website that is ordered while the panel is away. */
async function orderSite(outage: Outage) {
  const { user, id: subscriptionId } = await subscribe();
  const domain = newDomain();
  const { ctx, settle } = bench({ actor: user, panel: outage.panel });
  const answer = await createWebsite(ctx, { subscriptionId, domain });
  await settle();
  outage.sites.push(answer.id);
  return { ...answer, user, domain };
}

const jobsLeft = ({ id }: { id: string }) =>
  query(
    sql`select kind, state from jobs where payload->>'website_id' = ${id} and state = 'failed'`,
    z.object({ kind: z.string(), state: z.string() }),
  );

const statusOf = async ({ user, id }: Pick<LiveSite, "user" | "id">) =>
  (await api(`/api/website/${id}`, { token: user.token })).body.website.status;

describe("a panel that is away for an hour", () => {
  test("does all that was asked of it meanwhile when it is back, soon and once", async () => {
    const outage = new Outage();
    const [live, late] = [await createLiveSite(), await createLiveSite()];
    await bringLive(live, "Lama");
    const deploy = await queued(live, siteZip("Baru"));
    outage.sites.push(live.id, late.id);
    const wanted = await orderSite(outage);
    await order(late.id, "suspend");

    await outage.until(HOUR_S / 2);
    expect([await statusOf(wanted), await statusOf(live)]).toEqual(["PENDING", "ACTIVE"]);
    expect((await listed(live)).deploys[0]).toMatchObject({ status: "RUNNING", error: null });
    // Half an hour on, the customer pays.
    await order(late.id, "resume");
    const waiting = await outage.until(HOUR_S);
    expect(waiting).toHaveLength(3);
    expect((await visit(live)).body).toBe("<h1>Lama</h1>");
    for (const { id } of waiting) {
      const pauses = (outage.pauses.get(id) ?? []).slice(1);
      expect(pauses.length).toBeGreaterThan(5);
      expect(pauses.length).toBeLessThan(30);
      expect(Math.max(...pauses)).toBeLessThanOrEqual(301);
    }

    outage.isAway = false;
    outage.seconds = HOUR_S;
    expect(await outage.until(2 * HOUR_S)).toEqual([]);
    expect(outage.seconds).toBeLessThan(HOUR_S + LATE_S);
    expect(await websitesOf(wanted.domain)).toMatchObject([{ status: "ACTIVE", failure: null }]);
    expect(await callsOf(wanted.domain, "AddSite")).toHaveLength(1);
    expect((await onPanel(wanted.domain))?.ftps).toHaveLength(1);
    expect((await readDeploy(deploy.id)).state).toBe("success");
    expect((await visit(live)).body).toBe("<h1>Baru</h1>");
    expect(await websitesOf(late.domain)).toMatchObject([{ status: "ACTIVE", wanted: "active" }]);
    expect((await onPanel(late.domain))?.running).toBe(true);
    for (const site of [wanted, live, late]) expect(await jobsLeft(site)).toEqual([]);
    const { mails } = await one(
      sql`select count(*)::int as mails from jobs
        where dedupe_key = ${`mail/hosting_website_created/${wanted.id}`}`,
      z.object({ mails: z.number() }),
    );
    expect(mails).toBe(1);
  });

  test("and says no when it is back has said no for the first time: nothing is given up for it", async () => {
    const outage = new Outage();
    const wanted = await orderSite(outage);
    await outage.until(HOUR_S);
    outage.isAway = false;
    let noes = 2;
    outage.answers = async (url, init) => {
      if (!url.includes("AddSite") || noes === 0) return await fetch(url, init);
      noes -= 1;
      return Response.json({ status: false, msg: "The system is starting" });
    };
    expect(await outage.until(2 * HOUR_S)).toEqual([]);
    expect(noes).toBe(0);
    expect(await websitesOf(wanted.domain)).toMatchObject([{ status: "ACTIVE" }]);
  });
});
