import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { api } from "../../testing/api.ts";
import { createUser } from "../../testing/factories.ts";
import { run } from "../testing/sales.ts";
import {
  attempt,
  bench,
  callsOf,
  dial,
  finish,
  ftpLogin,
  jobsOf,
  newDomain,
  onPanel,
  SILENCE_MS,
  subscribe,
  websitesOf,
} from "../testing/sites.ts";
import { createWebsite } from "./create.ts";

const create = (token: string, json: unknown) =>
  api("/api/website/create", { method: "POST", token, json });

describe("POST /api/website/create", () => {
  test("answers a quick panel's site as active, with an FTP account that lets its owner in", async () => {
    const { user, id: subscriptionId } = await subscribe();
    const domain = newDomain();
    const { status, body } = await create(user.token, { subscriptionId, domain });
    expect([status, body.error]).toEqual([200, undefined]);
    expect(body).toMatchObject({
      success: true,
      jobId: null,
      website: {
        domain,
        subscriptionId,
        userId: String(user.userId),
        status: "ACTIVE",
        ftpUsername: expect.stringMatching(/^[a-z][a-z0-9]{0,6}_[a-z0-9]{8}$/),
        ftpPassword: expect.stringMatching(/^[0-9A-Z]{20}$/),
        aaPanelSiteId: expect.stringMatching(/^\d+$/),
      },
    });
    const { ftpUsername, ftpPassword } = body.website;
    expect(await ftpLogin(ftpUsername, ftpPassword)).toEqual({
      ok: true,
      path: `/www/wwwroot/${domain}`,
    });
    expect(await onPanel(domain)).toMatchObject({ running: true, runPath: "/" });
    expect(await callsOf(domain, "AddSite")).toHaveLength(1);
  });

  test("answers a slow panel's site as pending with a job, which then makes it once", async () => {
    const { user, id: subscriptionId } = await subscribe();
    const domain = newDomain();
    await dial(domain, { path: "AddSite", delayMs: 120 });
    const { ctx, settle } = bench({ actor: user, waitMs: 20, timeoutMs: 2_000 });
    const made = await createWebsite(ctx, { subscriptionId, domain });
    expect(made).toMatchObject({ status: "PENDING", ftpPassword: null, jobId: expect.any(String) });
    await settle();
    const path = `/api/website/jobs/${made.jobId}`;
    expect((await api(path, { token: user.token })).body).toMatchObject({
      job: { status: "COMPLETED", progress: 100, websiteId: made.id, kind: "hosting.create-site" },
    });
    const shown = await api(`/api/website/${made.id}`, { token: user.token });
    expect(shown.body.website).toMatchObject({ status: "ACTIVE", domain });
    expect(shown.body.website).not.toHaveProperty("ftpPassword");
    expect(await callsOf(domain, "AddSite")).toHaveLength(1);
  });

  test("of two who want one domain at once gives it to one and tells the other so", async () => {
    const domain = newDomain();
    const people = await Promise.all(Array.from({ length: 4 }, () => subscribe()));
    const answers = await Promise.all(
      people.map(({ user, id }) => create(user.token, { subscriptionId: id, domain })),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, 409, 409, 409]);
    for (const { status, body } of answers) {
      if (status === 409) expect(body).toEqual({ error: "Domain sudah digunakan", status: 409 });
    }
    expect(await callsOf(domain, "AddSite")).toHaveLength(1);
    expect(await websitesOf(domain)).toHaveLength(1);
  });

  test("for one subscription at once makes one site, whatever the domains", async () => {
    const { user, id: subscriptionId } = await subscribe();
    const domains = [newDomain(), newDomain(), newDomain()];
    const answers = await Promise.all(
      domains.map((domain) => create(user.token, { subscriptionId, domain })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400]);
    const rows = await Promise.all(domains.map(websitesOf));
    expect(rows.flat()).toHaveLength(1);
  });

  test("repeated while the site is being made is the same site and job", async () => {
    const { user, id: subscriptionId } = await subscribe();
    const domain = newDomain();
    await dial(domain, { path: "AddSite", delayMs: 150 });
    const { ctx, settle } = bench({ actor: user, waitMs: 10, timeoutMs: 2_000 });
    const first = await createWebsite(ctx, { subscriptionId, domain });
    const second = await createWebsite(ctx, { subscriptionId, domain });
    expect([second.id, second.jobId]).toEqual([first.id, first.jobId]);
    await settle();
    expect(await callsOf(domain, "AddSite")).toHaveLength(1);
    const again = await create(user.token, { subscriptionId, domain });
    expect(again.body).toEqual({
      error: "Website sudah dibuat untuk subscription ini",
      status: 400,
    });
  });

  test("refuses another's, an unknown and a suspended subscription in the same words", async () => {
    const { user } = await subscribe();
    const other = await subscribe();
    const suspended = await subscribe(user, "SUSPENDED");
    const ids = [other.id, suspended.id, crypto.randomUUID(), "sub-1"];
    for (const subscriptionId of ids) {
      const answer = await create(user.token, { subscriptionId, domain: newDomain() });
      expect([answer.status, answer.body]).toEqual([
        404,
        { error: "Subscription tidak ditemukan atau tidak aktif", status: 404 },
      ]);
    }
  });

  test("refuses a call without its fields in the contract's words, and one without a token", async () => {
    const user = await createUser();
    const nothing = { subscriptionId: null, domain: null };
    for (const json of [{}, { domain: "a.web.id" }, { subscriptionId: "x" }, nothing]) {
      const { status, body } = await create(user.token, json);
      expect([status, body.error]).toEqual([400, "Subscription ID dan domain harus diisi"]);
    }
    const { status } = await api("/api/website/create", { method: "POST", json: {} });
    expect(status).toBe(401);
  });

  test("keeps what is below a customer's domain for that customer", async () => {
    const owner = await subscribe();
    const domain = newDomain();
    await create(owner.user.token, { subscriptionId: owner.id, domain });
    const stranger = await subscribe();
    const wish = { subscriptionId: stranger.id, domain: `kasir.${domain}` };
    expect(await create(stranger.user.token, wish)).toMatchObject({ status: 409 });
    const second = await subscribe(owner.user);
    const own = { subscriptionId: second.id, domain: `kasir.${domain}` };
    expect(await create(owner.user.token, own)).toMatchObject({ status: 200 });
  });

  test("does not take over a site that is on the panel already, and frees domain and subscription", async () => {
    const { user, id: subscriptionId } = await subscribe();
    const domain = newDomain();
    const { user: first, id } = await subscribe();
    await create(first.token, { subscriptionId: id, domain });
    // The panel knows a site that no row of ours speaks of any more.
    const [row] = await websitesOf(domain);
    await run(
      sql`update hosting_websites set status = 'DELETED', deleted_at = now() where id = ${row?.id}`,
    );
    const { status, body } = await create(user.token, { subscriptionId, domain });
    expect([status, body]).toEqual([409, { error: "Domain sudah digunakan", status: 409 }]);
    expect(await onPanel(domain)).toMatchObject({ ps: `lumbung ${row?.id}` });
    const elsewhere = await create(user.token, { subscriptionId, domain: newDomain() });
    expect([elsewhere.status, elsewhere.body.website?.status]).toEqual([200, "ACTIVE"]);
  });
});

/** A reservation whose job has not run yet. */
async function reserve(domain = newDomain()) {
  const { user, id: subscriptionId } = await subscribe();
  const { ctx, killed } = bench({ actor: user, waitMs: 0, killAt: 1 });
  await Promise.race([createWebsite(ctx, { subscriptionId, domain }), killed]);
  const [site] = await websitesOf(domain);
  const [job] = await jobsOf(site?.id ?? "");
  if (!site || !job) throw new Error("nothing was reserved");
  return { user, subscriptionId, domain, site, job };
}

/** What goes wrong once, and how often the site is asked for in the end. */
const faults: [string, Record<string, unknown>, number][] = [
  ["does it and never answers", { path: "AddSite", timeOut: { count: 1 } }, 1],
  ["does it and its answer is lost", { path: "AddSite", down: { acts: true, count: 1 } }, 1],
  ["does it and answers with a page", { path: "AddSite", rubbish: { acts: true, count: 1 } }, 1],
  ["does it and dies over it", { path: "AddSite", raise: { acts: true, count: 1 } }, 1],
  ["answers with a page instead", { path: "AddSite", rubbish: { count: 1 } }, 2],
  ["dies before it does it", { path: "AddSite", raise: { count: 1 } }, 2],
  ["loses the call", { path: "AddSite", down: { count: 1 } }, 2],
  ["is busy", { path: "AddSite", refuse: { count: 1 } }, 2],
  ["says no once", { path: "AddSite", say: { value: "The system is busy", count: 1 } }, 2],
  ["refuses the FTP account once", { ftpRefused: { count: 1 } }, 1],
  ["refuses the database once", { databaseRefused: { count: 1 } }, 1],
];

describe("a panel that is asked to make a site and", () => {
  test.each(faults)("%s: the site is made once and whole", async (_, fault, asked) => {
    const { domain, site, job } = await reserve();
    await dial(domain, fault);
    await attempt(job, { timeoutMs: SILENCE_MS });
    await finish(job, 2);
    expect(await websitesOf(domain)).toMatchObject([{ status: "ACTIVE", failure: null }]);
    const made = await onPanel(domain);
    expect(made).toMatchObject({ running: true, ps: `lumbung ${site.id}` });
    expect(made?.ftps.map(({ name }) => name)).toEqual([site.ftp_username]);
    expect(made?.databases.map(({ name }) => name)).toEqual([site.database_name]);
    expect((await callsOf(domain, "AddSite")).length).toBeLessThanOrEqual(asked);
  });

  test("says no for good: nothing is left of it, and its domain is free", async () => {
    const { domain, site, job } = await reserve();
    await dial(domain, { path: "AddSite", say: "The specified PHP version does NOT exist!" });
    expect(await finish(job)).toMatchObject({ state: "failed" });
    expect(await websitesOf(domain)).toMatchObject([{ id: site.id, status: "DELETED" }]);
    await dial(domain, { path: "AddSite" });
    const other = await subscribe();
    const wish = { subscriptionId: other.id, domain };
    expect((await create(other.user.token, wish)).body.website?.status).toBe("ACTIVE");
  });

  test("never accepts the FTP account: the half-made site is removed with its reservation", async () => {
    const { domain, job } = await reserve();
    await dial(domain, { ftpRefused: true });
    expect(await finish(job)).toMatchObject({
      state: "failed",
      error: expect.stringContaining("accounts"),
    });
    expect(await onPanel(domain)).toBeNull();
    expect(await websitesOf(domain)).toMatchObject([{ status: "DELETED" }]);
    expect(await callsOf(domain, "AddSite")).toHaveLength(1);
  });
});

describe("a Worker that dies while a site is made", () => {
  /** A calm attempt makes as many calls; the table below must reach each. */
  const CALLS = 8;
  const deaths = Array.from({ length: CALLS }, (_, at) => at).flatMap((at) => [
    [at, "before"] as const,
    [at, "after"] as const,
  ]);

  test("makes as many calls as it is killed at", async () => {
    const { job } = await reserve();
    expect(await attempt(job)).toMatchObject({ outcome: { state: "success" }, steps: CALLS });
  });

  test.each(deaths)(
    "at call %i, %s it acts, leaves one whole site in the end",
    async (at, kill) => {
      const { domain, site, job } = await reserve();
      expect(await attempt(job, { killAt: at, kill })).toMatchObject({ outcome: "killed" });
      await finish(job, 2);
      expect(await websitesOf(domain)).toMatchObject([{ id: site.id, status: "ACTIVE" }]);
      const made = await onPanel(domain);
      expect(made).toMatchObject({ running: true, ps: `lumbung ${site.id}` });
      expect([made?.ftps.length, made?.databases.length]).toEqual([1, 1]);
      expect(await callsOf(domain, "AddSite")).toHaveLength(1);
    },
  );

  test("and whose job is delivered many times at once, makes it once", async () => {
    const { domain, job } = await reserve();
    await Promise.all([1, 2, 3].map(() => attempt({ ...job, id: crypto.randomUUID() })));
    await finish(job);
    expect(await callsOf(domain, "AddSite")).toHaveLength(1);
    expect(await websitesOf(domain)).toMatchObject([{ status: "ACTIVE" }]);
  });

  const ROUTE_CALLS = 11;
  const routeDeaths = Array.from({ length: ROUTE_CALLS }, (_, at) => at).flatMap((at) => [
    [at, "before"] as const,
    [at, "after"] as const,
  ]);

  test.each(routeDeaths)(
    "in the caller's own request, at call %i, %s it acts, leaves a site or nothing",
    async (at, kill) => {
      const { user, id: subscriptionId } = await subscribe();
      const domain = newDomain();
      const { ctx, killed } = bench({ actor: user, killAt: at, kill });
      const answer = await Promise.race([createWebsite(ctx, { subscriptionId, domain }), killed]);
      expect(answer).toBe("killed");
      const [site, ...others] = await websitesOf(domain);
      expect([others, site === undefined]).toEqual([[], at === 0 && kill === "before"]);
      const [job] = await jobsOf(site?.id ?? crypto.randomUUID());
      if (job) await finish(job, 2);
      expect((await callsOf(domain, "AddSite")).length).toBe(site ? 1 : 0);
      expect((await websitesOf(domain)).map(({ status }) => status)).toEqual(
        site ? ["ACTIVE"] : [],
      );
    },
  );
});
