import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { api, testContext } from "../testing/api.ts";
import { createUser, type TestUser } from "../testing/factories.ts";
import { renewDueCertificates } from "./certificates.ts";
import { enrolledServer, type TestServer } from "./testing/agents.ts";
import { execute, trailOf } from "./testing/operators.ts";
import {
  failure,
  getOf,
  goodAnswer,
  newSiteBody,
  ran,
  type ScriptedAgent,
  scripted,
} from "./testing/scripted.ts";

let operator: TestUser;
let server: TestServer;
let agent: ScriptedAgent;
beforeAll(async () => {
  operator = await createUser(["operator"]);
  server = await enrolledServer(operator);
  agent = await scripted(server, (command) => {
    const { email } = command.input as { email?: string };
    return email?.startsWith("limit")
      ? failure("unavailable", "budget used up")
      : goodAnswer(command);
  });
});

const send = async (path: string, json?: unknown) =>
  await api(`${path}?server=${server.id}`, {
    ...{ method: "POST", token: operator.token, ...(json === undefined ? {} : { json }) },
  });

async function activeSite(changes: object = {}) {
  const { site, job } = (await send("/v1/sites", newSiteBody({ ...changes }))).body;
  expect((await ran(job.id)).status).toBe("success");
  return site;
}

describe("POST /v1/ssl/issue", () => {
  it("answers when the certificate is in use, for all names of the site, and keeps what it is", async () => {
    const site = await activeSite();
    const json = { domain: site.domain.toUpperCase(), email: "admin@contoh.id" };
    expect(await send("/v1/ssl/issue", json)).toMatchObject({ status: 200 });
    expect(agent.given("ssl.issue").at(-1)?.input).toEqual({
      ...{ siteId: site.id, domain: site.domain, aliases: [], email: "admin@contoh.id" },
      staging: false,
    });
    const listed = await getOf(operator, `/v1/ssl/certificates?server=${server.id}`);
    expect(listed.body.items).toContainEqual(
      expect.objectContaining({
        ...{ domain: site.domain, site_id: site.id, staging: false },
        not_after: expect.stringContaining("2027-01-30T00:00:00"),
      }),
    );
    expect(await trailOf(operator, { target_id: site.domain, action: "ssl.issue" })).toMatchObject([
      { metadata: expect.stringContaining("admin@contoh.id") },
    ]);
  });

  it("is for names of served sites alone, an alias among them", async () => {
    const { domain } = newSiteBody();
    const email = "admin@contoh.id";
    expect(await send("/v1/ssl/issue", { domain, email })).toMatchObject({
      ...{ status: 404, body: { error: "site not found" } },
    });
    const making = (await send("/v1/sites", newSiteBody())).body.site;
    await execute(sql`update panel_sites set status = 'failed' where id = ${making.id}`);
    expect(await send("/v1/ssl/issue", { domain: making.domain, email })).toMatchObject({
      ...{ status: 409, body: { error: "site is failed" } },
    });
    const site = await activeSite({ aliases: [`www.${domain}`] });
    expect((await send("/v1/ssl/issue", { domain: `www.${domain}`, email })).status).toBe(200);
    expect(agent.given("ssl.issue").at(-1)?.input).toMatchObject({
      ...{ domain: site.domain, aliases: [`www.${domain}`] },
    });
  });

  it("tells that the authority's budget is used up, in words of ours", async () => {
    const site = await activeSite();
    expect(
      await send("/v1/ssl/issue", { domain: site.domain, email: "limit@contoh.id" }),
    ).toMatchObject({ status: 503, body: { error: "budget used up" } });
  });

  it.each([
    ["invalid domain", {}],
    ["invalid domain", { domain: "*.contoh.id", email: "a@b.co" }],
    ["invalid email", { domain: "a.id" }],
    ["invalid email", { domain: "a.id", email: "a@b" }],
    ["invalid email", { domain: "a.id", email: "a b@c.id" }],
    ["invalid email", { domain: "a.id", email: "a@b.id\n--staging" }],
    ["invalid email", { domain: "a.id", email: "-a@b.id" }],
    ["invalid json body", { domain: "a.id", email: "a@b.id", staging: "yes" }],
  ])("answers 400 %j to %j", async (error, json) => {
    expect(await send("/v1/ssl/issue", json)).toMatchObject({ status: 400, body: { error } });
  });
});

describe("POST /v1/ssl/renew", () => {
  it("answers when it is done, one renewal at a time", async () => {
    const before = agent.given("ssl.renew").length;
    const answers = await Promise.all([send("/v1/ssl/renew"), send("/v1/ssl/renew")]);
    expect(answers.map(({ status, body }) => [status, body])).toEqual(
      Array(2).fill([200, { status: "ok" }]),
    );
    expect(agent.given("ssl.renew").length - before).toBe(2);
  });

  it("happens by itself once a day where a certificate ends within 30 days", async () => {
    const own = await enrolledServer(operator);
    const heard = (minutes: number) =>
      execute(
        sql`update panel_servers set seen_at = now() - make_interval(mins => ${minutes}) where id = ${own.id}`,
      );
    const keep = (domain: string, days: number, staging: boolean) =>
      execute(sql`insert into panel_certificates
          (server_id, domain, issuer, serial, not_before, not_after, staging)
        values (${own.id}, ${domain}, 'Uji', '1', now(), now() + make_interval(days => ${days}), ${staging})`);
    const renewals = async () =>
      (await getOf(operator, `/v1/jobs?server=${own.id}&type=renew_certificates`)).body.items
        .length;
    await heard(0);
    await keep("jauh.example", 40, false);
    await keep("uji.example", 3, true);
    await renewDueCertificates(testContext());
    expect(await renewals()).toBe(0);
    await keep("dekat.example", 20, false);
    // Nothing is ordered of a server that is away.
    await heard(6);
    await renewDueCertificates(testContext());
    expect(await renewals()).toBe(0);
    await heard(1);
    await renewDueCertificates(testContext());
    await renewDueCertificates(testContext());
    expect(await renewals()).toBe(1);
  });
});
