import { sql } from "drizzle-orm";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import type { Job, JobOutcome } from "../../../shared/jobs/jobs.ts";
import {
  bringLive,
  createLiveSite,
  type LiveSite,
  queued,
  removeOld,
  siteZip,
  visit,
} from "../testing/deploys.ts";
import { one, query, run } from "../testing/sales.ts";
import { attempt, bench, jobsOf, onPanel, order, siteOn } from "../testing/sites.ts";
import { type Turn, type TurnInput, withTurn } from "./turn.ts";

interface WorkOptions {
  seconds?: number;
  /** Another run of that job. */
  jobId?: string;
  now?: () => Date;
}

/** Any work on a site, as a job of its own. */
function work(
  site: LiveSite,
  act: (turn: Turn) => Promise<JobOutcome>,
  { seconds, jobId = crypto.randomUUID(), now }: WorkOptions = {},
) {
  const { ctx: base, settle } = bench();
  const ctx = now ? { ...base, now } : base;
  const job: Job = {
    id: jobId,
    kind: "hosting.deploy",
    payload: {},
    state: "queued",
    attempts: 1,
    leaseId: crypto.randomUUID(),
    createdAt: new Date(),
  };
  const visit: TurnInput = { websiteId: site.id, purpose: { purpose: "visit" } };
  return withTurn(ctx, job, seconds ? { ...visit, seconds } : visit, act).finally(settle);
}

const done = async (): Promise<JobOutcome> => ({ state: "success", result: { worked: true } });
const WORKED = { state: "success", result: { worked: true } };
const BUSY = { state: "retry", error: "another job has the turn" };

const secondsLeft = async ({ id }: LiveSite) =>
  (
    await one(
      sql`select extract(epoch from turn_until - clock_timestamp())::float8 as s from hosting_websites where id = ${id}`,
      z.object({ s: z.number() }),
    )
  ).s;

async function jobOf(site: LiveSite, kind: string) {
  const job = (await jobsOf(site.id)).find((one) => one.kind === kind);
  if (!job) throw new Error(`no job ${kind}`);
  return job;
}

describe("the turn of a site", () => {
  test.each<[string, JobOutcome]>([
    ["done", { state: "success" }],
    ["to be tried again", { state: "retry", error: "later" }],
    ["given up", { state: "failed", error: "no" }],
  ])("ends with work that is %s: the next job goes on at once", async (_, outcome) => {
    const site = await createLiveSite();
    expect(await work(site, async () => outcome)).toMatchObject(outcome);
    expect(await work(site, done)).toEqual(WORKED);
  });

  test.each<[string, () => Promise<JobOutcome>]>([
    ["in doubt", async () => ({ state: "unknown", error: "who knows" })],
    ["broken off by an error", () => Promise.reject(new Error("broken"))],
  ])("outlives work that is %s, for as long as its last call may echo", async (_, act) => {
    const site = await createLiveSite();
    await work(site, act).catch(() => undefined);
    expect(await work(site, done)).toMatchObject(BUSY);
    expect(await secondsLeft(site)).toBeLessThan(30);
  });

  test("stays with work that takes longer than it", async () => {
    const site = await createLiveSite();
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const long = async (): Promise<JobOutcome> => {
      // Nearly all of it has gone by.
      await run(
        sql`update hosting_websites set turn_until = now() + interval '5 seconds' where id = ${site.id}`,
      );
      vi.advanceTimersByTime(15_000);
      vi.useRealTimers();
      await vi.waitFor(async () => expect(await secondsLeft(site)).toBeGreaterThan(30));
      expect(await work(site, done)).toMatchObject(BUSY);
      return await done();
    };
    try {
      expect(await work(site, long)).toEqual(WORKED);
    } finally {
      vi.useRealTimers();
    }
  });

  test("counts refusals for each job by itself, whatever the site's others meet meanwhile", async () => {
    const site = await createLiveSite();
    const [first, second] = await jobsOf(site.id);
    const counts: number[] = [];
    const refused = async (turn: Turn): Promise<JobOutcome> => {
      counts.push(await turn.refused());
      return { state: "retry", error: "no" };
    };
    for (const job of [first, second, first, second, first]) {
      await work(site, refused, { jobId: job?.id ?? "" });
    }
    expect(counts).toEqual([1, 1, 2, 2, 3]);
  });

  test("that was lost meanwhile does not end a certificate's tries", async () => {
    const site = await createLiveSite();
    const { outcome } = await attempt(await jobOf(site, "hosting.issue-certificate"), {
      panel: async (url, init) => {
        if (!url.includes("apply_cert")) return await fetch(url, init);
        await run(
          sql`update hosting_websites set turn_lease = gen_random_uuid() where id = ${site.id}`,
        );
        return Response.json({ status: false, msg: "no" });
      },
    });
    expect(outcome).toEqual({ state: "unknown", error: "the turn was lost", askAfterMs: 5_000 });
  });

  test("is free again after a certificate was issued", async () => {
    const site = await createLiveSite();
    const { outcome } = await attempt(await jobOf(site, "hosting.issue-certificate"));
    expect(outcome).toMatchObject({ state: "success", result: { certificate: true } });
    await bringLive(site, "Sesudah");
  });

  test("of a suspension that was killed lets a site that is paid for return within a minute", async () => {
    const site = await createLiveSite();
    await order(site.id, "suspend");
    await attempt(await jobOf(site, "hosting.suspend-site"), { killAt: 3, kill: "after" });
    await order(site.id, "resume");
    const resume = await jobOf(site, "hosting.resume-site");
    const { outcome } = await attempt(resume);
    expect(outcome).toMatchObject({ ...BUSY, afterMs: 5_000 });
    expect(await secondsLeft(site)).toBeLessThanOrEqual(45);
    await run(sql`update hosting_websites set turn_until = now() where id = ${site.id}`);
    expect((await attempt(resume)).outcome).toMatchObject({ state: "success" });
    expect((await visit(site)).status).toBe(200);
  });
});

describe("a run whose lease has passed on to the next run of its job", () => {
  const lapse = ({ id }: LiveSite) =>
    run(sql`update hosting_websites set turn_until = now() - interval '1 second' where id = ${id}`);

  test("has lost the turn, and its end takes it from nobody", async () => {
    const site = await createLiveSite();
    const jobId = crypto.randomUUID();
    const [begun, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let next: Promise<JobOutcome> | null = null;
    await work(
      site,
      async (turn) => {
        await lapse(site);
        const act = async (): Promise<JobOutcome> => {
          begun.resolve();
          await ended.promise;
          return await done();
        };
        next = work(site, act, { jobId });
        await begun.promise;
        expect(await turn.hold()).toBe(false);
        return await done();
      },
      { jobId },
    );
    expect(await work(site, done)).toMatchObject(BUSY);
    ended.resolve();
    expect(await next).toEqual(WORKED);
    expect(await work(site, done)).toEqual(WORKED);
  });

  test("changes nothing at the server when it goes on, and may look", async () => {
    const site = await createLiveSite();
    const { site: ref } = await siteOn(site.id);
    let lateMs = 0;
    const now = () => new Date(Date.now() + lateMs);
    const outcome = await work(
      site,
      async ({ driver }) => {
        expect(await driver.setDocumentRoot(ref, "")).toMatchObject({ state: "done" });
        lateMs = 60_000;
        await lapse(site);
        expect(await work(site, done)).toEqual(WORKED);
        expect(await driver.findSite(site.domain)).toMatchObject({ state: "done" });
        expect(await driver.stopSite(ref)).toMatchObject({ state: "refused", reason: "stopped" });
        expect(await driver.deleteSite(ref)).toMatchObject({ state: "refused" });
        return await done();
      },
      { now },
    );
    expect(outcome).toEqual(WORKED);
    expect((await onPanel(site.domain))?.running).toBe(true);
  });

  test("takes no turn either, when it comes to it only now", async () => {
    const site = await createLiveSite();
    const open = await queued(site, siteZip("Terlambat"));
    await run(
      sql`update jobs set state = 'running', lease_id = gen_random_uuid() where id = ${open.jobId}`,
    );
    expect(await work(site, done, { jobId: open.jobId })).toMatchObject(BUSY);
  });
});

describe("a release that is to be removed", () => {
  const states = async ({ id }: LiveSite) =>
    (
      await query(
        sql`select state from hosting_releases where website_id = ${id} order by id`,
        z.object({ state: z.string() }),
      )
    ).map(({ state }) => state);

  /** The first of four releases, whose removal was not carried out before the site was suspended. */
  async function forgotten() {
    const site = await createLiveSite();
    for (const words of ["1", "2", "3"]) await bringLive(site, words);
    await run(sql`update hosting_releases set state = 'removing'
      where website_id = ${site.id} and id = (select min(id::text)::uuid from hosting_releases where website_id = ${site.id})`);
    await run(sql`select hosting_releases_remove(${site.id}::uuid, ${crypto.randomUUID()}::uuid)`);
    return site;
  }

  test("is removed from a suspended site as well", async () => {
    const site = await forgotten();
    await order(site.id, "suspend");
    await attempt(await jobOf(site, "hosting.suspend-site"));
    await removeOld(site);
    expect(await states(site)).toEqual(["removed", "ready", "live"]);
  });

  test("goes with its site", async () => {
    const site = await forgotten();
    await order(site.id, "delete");
    await attempt(await jobOf(site, "hosting.delete-site"));
    expect(await states(site)).toEqual(["removed", "ready", "live"]);
  });
});
