import { beforeAll, describe, expect, it } from "vitest";
import { api } from "../testing/api.ts";
import { createUser, type TestUser, unique } from "../testing/factories.ts";
import { enrolledServer, type TestServer } from "./testing/agents.ts";
import { trailOf } from "./testing/operators.ts";
import { eventually, getOf, newSiteBody } from "./testing/scripted.ts";

let operator: TestUser;
/** Nobody is connected to it, so that what is asked of it stays where it is. */
let away: TestServer;
beforeAll(async () => {
  operator = await createUser(["operator"]);
  away = await enrolledServer(operator);
});

const post = async (json: unknown, server = away) =>
  await api(`/v1/sites?server=${server.id}`, { method: "POST", token: operator.token, json });

const statusOf = async (id: string) => {
  const { status, body } = await getOf(operator, `/v1/sites/${id}`);
  return status === 404 ? "gone" : body.status;
};

describe("POST /v1/sites", () => {
  it("answers with the site and the job in the contract's shapes, under clean values", async () => {
    const name = unique("situs");
    const made = await post({
      domain: `  WWW.${name.toUpperCase()}.Example. `,
      root_path: ` /var/www//${name}/./web/ `,
      runtime: "PHP",
    });
    expect(made.status).toBe(201);
    const { site, job } = made.body;
    expect(site).toMatchObject({
      id: expect.stringMatching(/^site_\d{19}_[0-9a-f]{12}$/),
      domain: `www.${name}.example`,
      root_path: `/var/www/${name}/web`,
      ...{ runtime: "php", status: "provisioning", created_by: `usr_${operator.userId}` },
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/),
    });
    expect(job).toMatchObject({
      id: expect.stringMatching(/^job_\d{19}_[0-9a-f]{12}$/),
      ...{ type: "provision_site", status: "queued", error: "" },
      triggered_by: `usr_${operator.userId}`,
    });
    expect(job).not.toHaveProperty("started_at");
    expect(job).not.toHaveProperty("finished_at");
    expect(JSON.parse(job.payload)).toEqual({
      ...{ site_id: site.id, domain: site.domain, runtime: "php", rootPath: site.root_path },
    });
    expect((await getOf(operator, `/v1/sites/${site.id}`)).body).toEqual(site);
    expect((await getOf(operator, `/v1/jobs/${job.id}`)).body).toMatchObject({ ...job, lines: [] });
    expect(await trailOf(operator, { target_id: site.id })).toMatchObject([
      {
        ...{ action: "site.create", target_type: "site", actor_user: `usr_${operator.userId}` },
        metadata: expect.stringContaining(job.id),
      },
    ]);
  });

  it.each([
    ["invalid domain", {}],
    ["invalid domain", { domain: "contoh" }],
    ["invalid domain", { domain: "a..b" }],
    ["invalid domain", { domain: ".contoh.id" }],
    ["invalid domain", { domain: "contoh.id.." }],
    ["invalid domain", { domain: "-a.contoh.id" }],
    ["invalid domain", { domain: "a-.contoh.id" }],
    ["invalid domain", { domain: "a_b.contoh.id" }],
    ["invalid domain", { domain: `${"a".repeat(64)}.id` }],
    ["invalid domain", { domain: `${"a.".repeat(130)}id` }],
    ["invalid domain", { domain: "\u212aopi.contoh.id" }],
    ["invalid domain", { domain: "contоh.id" }],
    ["invalid domain", { domain: "contoh.id\nserver_name *" }],
    ["invalid root_path", { domain: "a.id" }],
    ["invalid root_path", { domain: "a.id", root_path: "var/www/a" }],
    ["invalid root_path", { domain: "a.id", root_path: "/" }],
    ["invalid root_path", { domain: "a.id", root_path: "/var/www", runtime: "php" }],
    ["invalid root_path", { domain: "a.id", root_path: "/etc/nginx", runtime: "php" }],
    ["invalid root_path", { domain: "a.id", root_path: "/var/wwwx/a", runtime: "php" }],
    ["invalid root_path", { domain: "a.id", root_path: "/var/www/../etc" }],
    ["invalid root_path", { domain: "a.id", root_path: "/var/www/a/.." }],
    ["invalid root_path", { domain: "a.id", root_path: "/var/www/a;}" }],
    ["invalid root_path", { domain: "a.id", root_path: "/var/www/a b" }],
    ["invalid root_path", { domain: "a.id", root_path: "/var/www/a\n" + "x" }],
    ["invalid root_path", { domain: "a.id", root_path: "/var/www/-rf" }],
    ["invalid runtime", { domain: "a.id", root_path: "/var/www/a" }],
    ["invalid runtime", { domain: "a.id", root_path: "/var/www/a", runtime: "ruby" }],
    ["invalid json body", { domain: "a.id", root_path: "/var/www/a", runtime: "php", x: 1 }],
    ["invalid json body", { domain: 7 }],
    ["invalid json body", []],
    ["invalid json body", null],
  ])("answers 400 %j to %j", async (error, json) => {
    const answer = await post(json);
    expect(answer).toMatchObject({ status: 400, body: { error } });
  });

  it("makes one site of 30 posts of one domain at once, and one of 30 posts of one folder", async () => {
    const same = newSiteBody();
    const byDomain = await Promise.all(
      Array.from({ length: 30 }, () => post({ ...newSiteBody(), domain: same.domain })),
    );
    const byRoot = await Promise.all(
      Array.from({ length: 30 }, () => post({ ...newSiteBody(), root_path: same.root_path })),
    );
    const told = (answers: typeof byRoot) =>
      answers.map(({ status, body }) => `${status} ${body.error ?? ""}`).sort();
    expect(told(byDomain)).toEqual(["201 ", ...Array(29).fill("409 domain already exists")]);
    expect(told(byRoot)).toEqual(["201 ", ...Array(29).fill("409 root_path already in use")]);
  });

  it("refuses a folder within another site's, and one that another site's is within", async () => {
    const first = newSiteBody();
    expect((await post({ ...first, root_path: `${first.root_path}/web` })).status).toBe(201);
    for (const root_path of [first.root_path, `${first.root_path}/web/app`]) {
      expect(await post({ ...newSiteBody(), root_path })).toMatchObject({
        status: 409,
        body: { error: "root_path already in use" },
      });
    }
    expect((await post({ ...newSiteBody(), root_path: `${first.root_path}/webs` })).status).toBe(
      201,
    );
  });

  it("refuses a name that is another site's alias, and an alias that is another's name", async () => {
    const [one, two] = [newSiteBody(), newSiteBody()];
    const alias = `www.${one.domain}`;
    expect((await post({ ...one, aliases: [alias, alias, one.domain] })).body.site.aliases).toEqual(
      [alias],
    );
    expect((await post({ ...two, domain: alias })).body.error).toBe("domain already exists");
    expect((await post({ ...two, aliases: [one.domain] })).body.error).toBe(
      "domain already exists",
    );
  });

  it("answers 404 for a server that there is not, by query and by header", async () => {
    const json = newSiteBody();
    const query = await post(json, { ...away, id: "srv_0_0" });
    expect(query).toMatchObject({ status: 404, body: { error: "server not found" } });
    const header = await api("/v1/sites", {
      ...{ method: "POST", token: operator.token, json, headers: { "x-server": "srv_0_0" } },
    });
    expect(header).toMatchObject({ status: 404, body: { error: "server not found" } });
  });
});

describe("GET /v1/sites", () => {
  it("is newest first, 200 unless another limit is given, filtered, and turned by a cursor", async () => {
    const server = await enrolledServer(operator);
    const ids: string[] = [];
    for (let i = 0; i < 5; i += 1) {
      const runtime = i === 2 ? "static" : "php";
      ids.unshift((await post(newSiteBody({ runtime }), server)).body.site.id);
    }
    const list = async (query: string) => {
      const answer = await getOf(operator, `/v1/sites?server=${server.id}&${query}`);
      expect(answer.status).toBe(200);
      return answer.body.items.map(({ id }: { id: string }) => id);
    };
    for (const query of ["", "limit=abc", "limit=0", "limit=-3", "limit=9999", "limit=1.5"]) {
      expect(await list(query)).toEqual(ids);
    }
    expect(await list("limit=2")).toEqual(ids.slice(0, 2));
    expect(await list(`limit=2&cursor=${ids[1]}`)).toEqual(ids.slice(2, 4));
    expect(await list(`cursor=${ids[4]}`)).toEqual([]);
    expect(await list("runtime=static")).toEqual([ids[2]]);
    expect(await list("status=active")).toEqual([]);
    expect(await list("search=%25")).toEqual([]);
    expect((await getOf(operator, "/v1/sites?status=x")).body.error).toBe("invalid status");
  });
});

describe("who may", () => {
  it("is the operator alone; a refused change is kept in the trail", async () => {
    const { site } = (await post(newSiteBody())).body;
    const admin = await createUser(["admin", "seller", "buyer"]);
    const path = `/v1/sites/${site.id}`;
    for (const method of ["GET", "DELETE"]) {
      expect(await api(path, { method })).toMatchObject({
        ...{ status: 401, body: { error: "unauthorized", timestamp: expect.any(String) } },
      });
      expect(await api(path, { method, token: admin.token })).toMatchObject({
        ...{ status: 403, body: { error: "forbidden" } },
      });
    }
    const trail = await eventually(
      () => trailOf(operator, { target_id: site.id, action: "site.delete.refused" }),
      (entries) => entries.length > 0,
      "the refusal",
    );
    expect(trail).toMatchObject([
      { actor_user: `usr_${admin.userId}`, metadata: expect.stringContaining("forbidden") },
    ]);
    expect(await statusOf(site.id)).toBe("provisioning");
  });
});
