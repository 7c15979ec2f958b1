import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { alertMail } from "../../../shared/mail/alert.ts";
import { api } from "../../testing/api.ts";
import { query } from "../testing/sales.ts";
import {
  attempt,
  dial,
  finish,
  ftpLogin,
  jobsOf,
  newDomain,
  onPanel,
  order,
  SILENCE_MS,
  subscribe,
  websitesOf,
} from "../testing/sites.ts";

/** A site that is live on the panel. */
async function live() {
  const { user, id: subscriptionId } = await subscribe();
  const domain = newDomain();
  const json = { subscriptionId, domain };
  const { body } = await api("/api/website/create", { method: "POST", token: user.token, json });
  expect(body.website?.status).toBe("ACTIVE");
  return { user, domain, ...body.website } as {
    user: typeof user;
    id: string;
    domain: string;
    ftpUsername: string;
    ftpPassword: string;
  };
}

/** Orders it and returns its job. */
async function ordered(id: string, action: string) {
  expect(await order(id, action)).not.toBeNull();
  const job = (await jobsOf(id)).at(-1);
  if (job?.kind !== `hosting.${action}-site`) throw new Error("no job was ordered");
  return job;
}

async function carryOut(id: string, action: string, timeoutMs?: number) {
  const job = await ordered(id, action);
  await attempt(job, timeoutMs === undefined ? {} : { timeoutMs });
  return await finish(job, 2);
}

const serves = async (domain: string) => (await onPanel(domain))?.running;
const mailsOf = (template: string, domain: string) =>
  query(
    sql`select 1 as one from jobs where kind = 'mail.send' and payload->>'template' = ${template}
      and payload->'data'->>'domain' = ${domain}`,
    z.unknown(),
  );

describe("a site", () => {
  test("that is suspended is not served and lets no FTP in; resumed it is and does", async () => {
    const { id, domain, ftpUsername, ftpPassword } = await live();
    await carryOut(id, "suspend");
    expect(await websitesOf(domain)).toMatchObject([{ status: "SUSPENDED" }]);
    expect(await serves(domain)).toBe(false);
    expect(await ftpLogin(ftpUsername, ftpPassword)).toEqual({ ok: false });

    const resume = await ordered(id, "resume");
    await finish(resume);
    expect(await websitesOf(domain)).toMatchObject([{ status: "ACTIVE" }]);
    expect(await serves(domain)).toBe(true);
    expect(await ftpLogin(ftpUsername, ftpPassword)).toMatchObject({ ok: true });
    // A delivery of the job that comes late says it to nobody again.
    await attempt(resume);
    expect(await mailsOf("hosting_resumed", domain)).toHaveLength(1);
  });

  test("that is deleted is gone with its accounts, and its domain may be had again", async () => {
    const { id, domain, ftpUsername, ftpPassword } = await live();
    await carryOut(id, "delete");
    expect(await onPanel(domain)).toBeNull();
    expect(await ftpLogin(ftpUsername, ftpPassword)).toEqual({ ok: false });
    expect(await websitesOf(domain)).toMatchObject([{ status: "DELETED" }]);
    const other = await subscribe();
    const json = { subscriptionId: other.id, domain };
    const { token } = other.user;
    const again = await api("/api/website/create", { method: "POST", token, json });
    expect(again.body.website?.status).toBe("ACTIVE");
  });

  test("that is resumed serves the release that it served before", async () => {
    const { id, domain } = await live();
    await query(
      sql`update hosting_websites set document_root = 'releases/7' where id = ${id}`,
      z.unknown(),
    );
    await carryOut(id, "suspend");
    await carryOut(id, "resume");
    expect(await onPanel(domain)).toMatchObject({ running: true, runPath: "/releases/7" });
  });

  test("tells its owner once when it is made", async () => {
    const { domain } = await live();
    expect(await mailsOf("hosting_website_created", domain)).toHaveLength(1);
  });
});

describe("a server that goes on saying no", () => {
  test("is told to the operator once, and who has paid gets his site back when it is mended", async () => {
    const { id, domain } = await live();
    await carryOut(id, "suspend");
    const resume = await ordered(id, "resume");
    await dial(domain, { path: "SiteStart", say: "The panel is being upgraded" });
    expect((await attempt(resume)).outcome).toMatchObject({ state: "retry", afterMs: 5_000 });
    await query(
      sql`update jobs set payload = payload || '{"refusals": 9}' where id = ${resume.id}`,
      z.unknown(),
    );
    for (const attempts of [10, 11, 12]) {
      const { outcome } = await attempt(resume, { attempts });
      expect(outcome).toMatchObject({ state: "retry", afterMs: 1_800_000 });
    }
    const alerts = await query(
      sql`select payload->'data' as data from jobs
        where dedupe_key like ${`mail/alert/hosting-site-order/${id}/%`}`,
      z.object({ data: alertMail.schema }),
    );
    expect(alerts).toMatchObject([
      { data: { facts: { domain, pekerjaan: "hosting.resume-site" } } },
    ]);
    await dial(domain, { path: "SiteStart" });
    expect((await attempt(resume, { attempts: 13 })).outcome).toMatchObject({ state: "success" });
    expect(await serves(domain)).toBe(true);
  });
});

describe("orders of a site", () => {
  test("that are overtaken by a newer one do nothing, in whatever order they are carried out", async () => {
    const { id, domain } = await live();
    const suspend = await ordered(id, "suspend");
    const resume = await ordered(id, "resume");
    await finish(resume);
    expect(await attempt(suspend)).toMatchObject({
      outcome: { state: "success", result: { nothing_to_do: true } },
    });
    expect(await serves(domain)).toBe(true);
    expect(await websitesOf(domain)).toMatchObject([{ status: "ACTIVE", wanted: "active" }]);
  });

  test("never bring back what is to be deleted", async () => {
    const { id, domain } = await live();
    const suspend = await ordered(id, "suspend");
    const remove = await ordered(id, "delete");
    expect([
      await order(id, "resume"),
      await order(id, "suspend"),
      await order(id, "delete"),
    ]).toEqual([null, null, null]);
    await finish(remove);
    await finish(suspend);
    expect(await onPanel(domain)).toBeNull();
    expect(await websitesOf(domain)).toMatchObject([{ status: "DELETED" }]);
    expect(await order(id, "resume")).toBeNull();
  });

  test("for what is so already, or on its way, are none", async () => {
    const { id } = await live();
    expect(await order(id, "resume")).toBeNull();
    const suspend = await ordered(id, "suspend");
    expect(await order(id, "suspend")).toBeNull();
    await finish(suspend);
    expect(await order(id, "suspend")).toBeNull();
    const shown = (await jobsOf(id)).filter(({ kind }) => kind === "hosting.suspend-site");
    expect(shown).toHaveLength(1);
  });

  test("given from many sides at once are numbered, and the last one stands", async () => {
    const { id, domain } = await live();
    const actions = ["suspend", "resume", "suspend", "resume", "suspend"];
    await Promise.all(actions.map((action) => order(id, action)));
    const [site] = await websitesOf(domain);
    const jobs = (await jobsOf(id)).filter(({ kind }) => /(suspend|resume)-site/.test(kind));
    await Promise.all(jobs.map((job) => attempt(job)));
    for (const job of jobs) await finish(job);
    expect(await serves(domain)).toBe(site?.wanted === "active");
    expect((await websitesOf(domain))[0]).toMatchObject({
      status: site?.wanted === "active" ? "ACTIVE" : "SUSPENDED",
    });
  });

  test("wait while another job has the site's turn", async () => {
    const { id, domain } = await live();
    const suspend = await ordered(id, "suspend");
    await attempt(suspend, { killAt: 2 });
    const resume = await ordered(id, "resume");
    expect(await attempt(resume)).toMatchObject({ outcome: { state: "retry", afterMs: 5_000 } });
    await query(sql`update hosting_websites set turn_until = now() where id = ${id}`, z.unknown());
    expect(await attempt(resume)).toMatchObject({ outcome: { state: "success" } });
    expect(await serves(domain)).toBe(true);
  });

  test("while the site is being made are carried out once it is there", async () => {
    const { user, id: subscriptionId } = await subscribe();
    const domain = newDomain();
    await dial(domain, { path: "AddSite", down: { count: 1 } });
    const json = { subscriptionId, domain };
    const made = await api("/api/website/create", { method: "POST", token: user.token, json });
    expect(made.body.website?.status).toBe("PENDING");
    const { id } = made.body.website;
    expect(await order(id, "suspend")).toBeNull();
    const [create] = await jobsOf(id);
    if (!create) throw new Error("no job");
    await finish(create, 2);
    const suspend = (await jobsOf(id)).find(({ kind }) => kind === "hosting.suspend-site");
    if (!suspend) throw new Error("the suspension was forgotten");
    await finish(suspend);
    expect(await serves(domain)).toBe(false);
  });
});

const CALLS = { suspend: 9, resume: 10, delete: 7 };
const deaths = (["suspend", "resume", "delete"] as const).flatMap((action) =>
  Array.from({ length: CALLS[action] }, (_, at) => at).flatMap((at) => [
    [action, at, "before"] as const,
    [action, at, "after"] as const,
  ]),
);

describe("a Worker that dies while it carries out an order", () => {
  test.each(["suspend", "resume", "delete"] as const)(
    "to %s makes as many calls as it is killed at",
    async (action) => {
      const { id } = await live();
      if (action === "resume") await carryOut(id, "suspend");
      const { outcome, steps } = await attempt(await ordered(id, action));
      expect([outcome, steps]).toMatchObject([{ state: "success" }, CALLS[action]]);
    },
  );

  test.each(deaths)(
    "to %s at call %i, %s it acts, has it carried out in the end",
    async (action, at, kill) => {
      const { id, domain } = await live();
      if (action === "resume") await carryOut(id, "suspend");
      const job = await ordered(id, action);
      expect(await attempt(job, { killAt: at, kill })).toMatchObject({ outcome: "killed" });
      expect(await finish(job, 2)).toMatchObject({ state: "success" });
      const ends = { suspend: "SUSPENDED", resume: "ACTIVE", delete: "DELETED" };
      const shown = { suspend: false, resume: true, delete: undefined };
      expect([(await websitesOf(domain))[0]?.status, await serves(domain)]).toEqual([
        ends[action],
        shown[action],
      ]);
    },
  );
});

const mishaps: [string, Record<string, unknown>][] = [
  ["never answers", { timeOut: { count: 1 } }],
  ["loses its answer", { down: { acts: true, count: 3 } }],
  ["answers with a page", { rubbish: { count: 3 } }],
  ["says no", { say: { value: "nginx failed", count: 2 } }],
  ["dies over it", { raise: { acts: true, count: 2 } }],
];

describe("a panel that is asked to stop, start or delete a site and", () => {
  test.each(mishaps)("%s has done it in the end, and was read back", async (_, fault) => {
    const { id, domain } = await live();
    await dial(domain, { path: "SiteStop", ...fault });
    expect(await carryOut(id, "suspend", SILENCE_MS)).toMatchObject({ state: "success" });
    expect(await serves(domain)).toBe(false);
    await dial(domain, { path: "SiteStart", ...fault });
    expect(await carryOut(id, "resume", SILENCE_MS)).toMatchObject({ state: "success" });
    expect(await serves(domain)).toBe(true);
    await dial(domain, { path: "DeleteSite", ...fault });
    expect(await carryOut(id, "delete", SILENCE_MS)).toMatchObject({ state: "success" });
    expect(await onPanel(domain)).toBeNull();
  });

  test("refuses our address is asked again after a while, and the reason names the address", async () => {
    const { id, domain } = await live();
    const value = "IP validation failed, your access IP is[198.51.100.7]";
    await dial(domain, { path: "getData", say: { value, count: 1 } });
    const { outcome } = await attempt(await ordered(id, "suspend"));
    expect(outcome).toMatchObject({
      state: "retry",
      afterMs: 600_000,
      error: expect.stringContaining("saw 198.51.100.7"),
    });
  });
});
