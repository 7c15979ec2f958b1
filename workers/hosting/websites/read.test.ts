import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { api, standIns } from "../../testing/api.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { query, run } from "../testing/sales.ts";
import { attempt, dial, ftpLogin, jobsOf, newDomain, subscribe } from "../testing/sites.ts";

let owner: TestUser;
let site: Record<string, string>;
let stranger: TestUser;

beforeAll(async () => {
  const { user, id: subscriptionId } = await subscribe();
  const json = { subscriptionId, domain: newDomain() };
  const made = await api("/api/website/create", { method: "POST", token: user.token, json });
  [owner, site, stranger] = [user, made.body.website, await createUser()];
});

const post = (path: string, user: TestUser) => api(path, { method: "POST", token: user.token });

describe("a website", () => {
  test("is listed and shown to its owner without any password", async () => {
    const list = await api("/api/website", { token: owner.token });
    const one = await api(`/api/website/${site.id}`, { token: owner.token });
    expect(list.body).toMatchObject({
      success: true,
      websites: [{ id: site.id, domain: site.domain }],
    });
    expect(one.body).toMatchObject({ success: true, website: { id: site.id, status: "ACTIVE" } });
    for (const { body } of [list, one]) {
      expect(JSON.stringify(body)).not.toMatch(/password|sealed|key/i);
      expect(JSON.stringify(body)).not.toContain(site.ftpPassword);
    }
  });

  test("is as good as missing for anybody else, as is what has no id of ours", async () => {
    const job = (await jobsOf(site.id ?? ""))[0];
    const paths = [`/api/website/${site.id}`, `/api/website/jobs/${job?.id}`];
    for (const path of [...paths, "/api/website/1", "/api/website/jobs/x"]) {
      const { status, body } = await api(path, { token: stranger.token });
      expect([status, body.status]).toEqual([404, 404]);
      expect((await api(path)).status).toBe(401);
    }
    for (const act of ["credentials", "certificate"]) {
      const answer = await post(`/api/website/${site.id}/${act}`, stranger);
      expect([answer.status, answer.body]).toEqual([
        404,
        { error: "Website tidak ditemukan", status: 404 },
      ]);
    }
    expect((await api("/api/website", { token: stranger.token })).body.websites).toEqual([]);
  });

  test("keeps its passwords sealed in the database", async () => {
    const [row] = await query(
      sql`select to_jsonb(w)::text as text from hosting_websites w where id = ${site.id}`,
      z.object({ text: z.string() }),
    );
    expect(row?.text).toContain(site.ftpUsername);
    expect(row?.text).not.toContain(site.ftpPassword);
  });
});

describe("a website's credentials", () => {
  test("are shown to its owner on request, each time recorded, and not all day long", async () => {
    const path = `/api/website/${site.id}/credentials`;
    const first = await post(path, owner);
    expect(first.body).toMatchObject({
      success: true,
      credentials: {
        ftpUsername: site.ftpUsername,
        ftpPassword: site.ftpPassword,
        databaseHost: "127.0.0.1",
        databaseName: site.databaseName,
        databasePassword: expect.stringMatching(/^[0-9A-Z]{20}$/),
      },
    });
    const { ftpUsername, ftpPassword } = first.body.credentials;
    expect(await ftpLogin(ftpUsername, ftpPassword)).toMatchObject({ ok: true });
    const more = await Promise.all(Array.from({ length: 12 }, () => post(path, owner)));
    expect(more.filter(({ status }) => status === 200)).toHaveLength(9);
    expect(more.find(({ status }) => status !== 200)).toMatchObject({ status: 429 });
    const shown = await query(
      sql`select actor_id::float8 as actor from audit_entries
        where subject_kind = 'hosting_website' and subject_id = ${site.id}`,
      z.object({ actor: z.number() }),
    );
    expect(shown).toEqual(Array.from({ length: 10 }, () => ({ actor: owner.userId })));
  });
});

describe("a website's certificate", () => {
  test("is issued by its job once the domain points here, and asked for again until then", async () => {
    const job = (await jobsOf(site.id ?? "")).find(({ kind }) => kind.includes("certificate"));
    if (!job) throw new Error("no certificate was ordered");
    await dial(site.domain ?? "", { noDns: { count: 1 } });
    expect(await attempt(job)).toMatchObject({ outcome: { state: "retry", afterMs: 300_000 } });
    expect(await attempt(job, { attempts: 2 })).toMatchObject({
      outcome: { state: "success", result: { certificate: true } },
    });
    const { body } = await api(`/api/website/${site.id}`, { token: owner.token });
    expect(Date.parse(body.website.httpsUntil)).toBeGreaterThan(Date.now());
    expect(await attempt(job, { attempts: 3 })).toMatchObject({ outcome: { state: "success" } });
  });

  test("that is never to be had is no failure after a week of tries", async () => {
    const { user, id: subscriptionId } = await subscribe();
    const json = { subscriptionId, domain: newDomain() };
    const made = await api("/api/website/create", { method: "POST", token: user.token, json });
    const { id, domain } = made.body.website;
    await dial(domain, { noDns: true });
    const job = (await jobsOf(id)).find(({ kind }) => kind.includes("certificate"));
    if (!job) throw new Error("no certificate was ordered");
    await run(sql`update jobs set payload = payload || '{"refusals": 11}' where id = ${job.id}`);
    expect(await attempt(job, { attempts: 12 })).toMatchObject({
      outcome: { state: "success", result: { certificate: false } },
    });
  });

  test("is asked for again only after a while, by its waiting job", async () => {
    const { user, id: subscriptionId } = await subscribe();
    const json = { subscriptionId, domain: newDomain() };
    const made = await api("/api/website/create", { method: "POST", token: user.token, json });
    const { id } = made.body.website;
    const ask = async () => (await post(`/api/website/${id}/certificate`, user)).body.jobId;
    expect(await Promise.all([ask(), ask()])).toEqual([null, null]);
    const job = (await jobsOf(id)).find(({ kind }) => kind.includes("certificate"));
    const age = (state: string) =>
      run(sql`update jobs set state = ${state}, updated_at = now() - interval '1 hour',
        finished_at = case when ${state} = 'success' then now() end where id = ${job?.id}`);
    await age("queued");
    expect((await Promise.all([ask(), ask()])).sort()).toEqual([job?.id, null]);
    await age("success");
    const [next, ...none] = (await Promise.all([ask(), ask()])).sort();
    expect(none).toEqual([null]);
    expect([next, next === job?.id]).toEqual([expect.any(String), false]);
  });
});

describe("hosting servers", () => {
  const wish = () => ({
    name: unique("server-"),
    // Another address of the same twin.
    baseUrl: `${standIns().aapanel.replace("127.0.0.1", "localhost")}/`,
    apiKey: "local-aapanel-key-0001",
    capacity: 0,
  });

  test("are added by an admin once, after the panel has taken the key, which nobody sees again", async () => {
    const admin = await createUser(["admin"]);
    const add = (json: object) =>
      api("/api/website/servers", { method: "POST", token: admin.token, json });
    const refused = await add({ ...wish(), apiKey: "another-key-of-32-letters-000000" });
    expect([refused.status, refused.body.error]).toEqual([400, expect.stringContaining("bad_key")]);
    const added = await add(wish());
    expect([added.status, added.body.server]).toMatchObject([200, { capacity: 0, sites: 0 }]);
    expect(JSON.stringify(added.body)).not.toMatch(/key/i);
    expect((await add(wish())).status).toBe(409);
    const list = await api("/api/website/servers", { token: admin.token });
    expect(list.body.servers).toContainEqual(added.body.server);
    const [row] = await query(
      sql`select sealed_key from hosting_servers where id = ${added.body.server.id}`,
      z.object({ sealed_key: z.string() }),
    );
    expect(row?.sealed_key).not.toContain("local-aapanel-key");
  });

  test("are nobody else's business", async () => {
    const user = await createUser();
    const post = await api("/api/website/servers", {
      method: "POST",
      token: user.token,
      json: wish(),
    });
    const get = await api("/api/website/servers", { token: user.token });
    expect([post.status, get.status]).toEqual([403, 403]);
  });
});
