import { sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { z } from "zod";
import type { SiteFacts } from "../../../shared/agent-protocol/sites.ts";
import { rows } from "../../../shared/db/statement.ts";
import { linkOf, sitesRootOf } from "../../panel/index.ts";
import {
  connected,
  enrolledServer,
  type TestServer,
  testFacts,
} from "../../panel/testing/agents.ts";
import { createOperator } from "../../panel/testing/operators.ts";
import { eventually, failure, ScriptedAgent, success } from "../../panel/testing/scripted.ts";
import { api, testContext } from "../../testing/api.ts";
import { createUser, unique } from "../../testing/factories.ts";
import { agentDriver } from "./agent.ts";
import { agentLine, type LinePauses } from "./agent-line.ts";
import { driverOf } from "./index.ts";

type Outcome = ReturnType<typeof success>;

const QUICK: LinePauses = { commandMs: 300, longMs: 300, askMs: 300 };

async function newServer(): Promise<TestServer> {
  return await enrolledServer(await createOperator());
}

/** The driver as hosting has it, with less patience. */
function driverFor(server: TestServer, pauses: LinePauses = QUICK) {
  const line = agentLine(linkOf(testContext(), server.id), () => new Date(), pauses);
  return agentDriver(line, { email: "ops@lumbung.example", hasDatabases: true });
}

const siteRef = () => {
  const name = unique("toko").slice(0, 12);
  const hostSiteId = `site_1795272182856000000_0123456789ab/${name}`;
  return { hostSiteId, domain: `${name}.web.id`, root: `/var/www/${name}.web.id` };
};

const newSite = () => ({
  ...{ domain: `${unique("toko-")}.web.id`, root: `/var/www/${unique("toko-")}`, aliases: [] },
  ...{ phpVersion: "82", ftp: { username: "toko_4k2m9q8x", password: "rahasia12345" } },
  database: { name: "toko_4k2m9q8x", password: "rahasia12345" },
  note: "lumbung 01930000-0000-7000-8000-0123456789ab",
});

function factsOf(given: Record<string, unknown>): SiteFacts {
  return {
    ...{ siteId: String(given.siteId), domain: String(given.domain), aliases: [] },
    ...{ rootPath: String(given.rootPath), documentRoot: "", runtime: "php", phpVersion: "8.2" },
    ...{ unixUser: String(given.unixUser), suspended: false, note: "", lastDay: null },
  };
}

test("passwords go to the server as what it keeps of them, never as themselves", async () => {
  const server = await newServer();
  const agent = new ScriptedAgent(await connected(server), ({ type, input }) => {
    const given = input as Record<string, unknown>;
    if (type === "site.provision") return success({ site: factsOf(given), httpStatus: 200 });
    if (type === "sftp.set") return success({ enabled: true });
    if (type === "db.create") return success({ database: given.database, created: true });
    return success({ username: given.username, host: given.host, created: true });
  });
  const given = newSite();
  const made = await driverFor(server, { ...QUICK, commandMs: 10_000 }).createSite(given);
  expect(made).toMatchObject({ state: "done", value: { ftpMade: true, databaseMade: true } });
  expect(agent.given("site.provision")[0]?.input).toMatchObject({
    siteId: `${SITE_MOMENT}_0123456789ab`,
    ...{ unixUser: "toko_4k2m9q8x", runtime: "php", phpVersion: "8.2", note: given.note },
  });
  expect(agent.given("sftp.set")[0]?.input).toMatchObject({
    passwordHash: expect.stringMatching(/^\$2[aby]\$10\$/),
  });
  expect(agent.given("db.create-user")[0]?.input).toMatchObject({
    passwordHash: expect.stringMatching(/^\*[0-9A-F]{40}$/),
  });
  expect(JSON.stringify(agent.agent.frames)).not.toContain("rahasia12345");
  agent.stop();
});

/** Of the version 7 UUID in the note. */
const SITE_MOMENT = `site_${BigInt(0x019300000000) * 1_000_000n}`;

test("a server that is offline is not asked behind hosting's back later on", async () => {
  const server = await newServer();
  const driver = driverFor(server);
  const away = { state: "refused", reason: "unavailable", retryable: true };
  expect(await driver.stopSite(siteRef())).toMatchObject(away);
  expect(await driver.findSite("toko.web.id")).toMatchObject(away);
  const agent = await connected(server);
  const status = await linkOf(testContext(), server.id).status();
  expect(status.waiting).toBe(0);
  expect(agent.commands).toEqual([]);
  agent.close();
});

test("a command that was taken and not answered is in doubt", async () => {
  const server = await newServer();
  const agent = new ScriptedAgent(await connected(server), () => null);
  const driver = driverFor(server);
  expect(await driver.stopSite(siteRef())).toMatchObject({ state: "unknown" });
  expect(await driver.findSite("toko.web.id")).toMatchObject({ state: "unknown" });
  expect(agent.given("site.suspend")).toHaveLength(1);
  agent.stop();
});

test.each([
  ["conflict", { state: "refused", reason: "exists", retryable: false }],
  ["not_found", { state: "refused", reason: "not_found", retryable: false }],
  ["invalid", { state: "refused", reason: "invalid", retryable: false }],
  ["disk_full", { state: "refused", reason: "unavailable", retryable: true }],
  ["broken_config", { state: "refused", reason: "unavailable", retryable: true }],
  ["timeout", { state: "unknown" }],
] as const)("the agent's %s is told in hosting's words", async (code, wanted) => {
  const server = await newServer();
  const agent = new ScriptedAgent(await connected(server), () => failure(code));
  const driver = driverFor(server, { ...QUICK, commandMs: 10_000, askMs: 10_000 });
  expect(await driver.startSite(siteRef())).toMatchObject(wanted);
  expect(await driver.findSite("toko.web.id")).toMatchObject(wanted);
  agent.stop();
});

test("paths and names that no agent takes are refused before anything is sent", async () => {
  const server = await newServer();
  const agent = new ScriptedAgent(await connected(server), (): Outcome => success({}));
  const driver = driverFor(server);
  const site = siteRef();
  const invalid = { state: "refused", reason: "invalid" };
  expect(await driver.removeDirectory(site, "")).toMatchObject(invalid);
  expect(await driver.move(site, "a", "../b")).toMatchObject(invalid);
  expect(await driver.setPermissions(site, "a", "4755")).toMatchObject(invalid);
  expect(await driver.setDocumentRoot(site, "a b")).toMatchObject(invalid);
  expect(await driver.addFtp(site, { username: "root", password: "x" })).toMatchObject(invalid);
  expect(await driver.listDirectory({ ...site, root: "/" }, "")).toMatchObject(invalid);
  expect(agent.agent.frames).toEqual([]);
  agent.stop();
});

test("a server of the panel becomes one of hosting's when its agent answers", async () => {
  const server = await newServer();
  const admin = await createUser(["admin"]);
  const add = async (json: object) =>
    await api("/api/website/servers", { method: "POST", token: admin.token, json });
  const baseUrl = `agent:${server.id}`;
  // No room on it: no other test's site is put there.
  const body = { name: "Agen", baseUrl, webAddress: "203.0.113.7", capacity: 0 };
  expect(await add(body)).toMatchObject({ status: 400 });
  const agent = new ScriptedAgent(await connected(server), () => success({ site: null }));
  expect((await add({ ...body, webAddress: undefined })).status).toBe(400);
  const added = await add(body);
  expect(added).toMatchObject({ status: 200, body: { server: { driver: "agent", baseUrl } } });
  const { id } = added.body.server;
  const access = { id, driver: "agent" as const, baseUrl, sealedKey: null, webAddress: "x" };
  const driver = await driverOf(testContext(), access);
  expect(await driver.findSite("toko.web.id")).toEqual({ state: "done", value: null });
  agent.stop();
});

test("sites of a server of the panel lie where its agent has them, and nowhere else", async () => {
  const server = await newServer();
  const admin = await createUser(["admin"]);
  const greeting = await connected(server, { greet: false });
  const agent = new ScriptedAgent(greeting, () => success({ site: null }));
  greeting.hello([], { facts: { ...testFacts(), sitesRoot: "/srv/sites" } });
  const told = () => sitesRootOf(testContext(), server.id);
  await eventually(told, (root) => root === "/srv/sites", "the agent's root");
  const add = async (more: object) => {
    const json = {
      name: "Agen",
      baseUrl: `agent:${server.id}`,
      webAddress: "203.0.113.7",
      capacity: 0,
      ...more,
    };
    return await api("/api/website/servers", { method: "POST", token: admin.token, json });
  };
  for (const sitesPath of ["/var/www", "/srv/sites-of-others", "/srv"]) {
    expect(await add({ sitesPath })).toMatchObject({ status: 400 });
  }
  const { id } = (await add({})).body.server;
  const placed = await testContext().db.run(
    rows(sql`select sites_path from hosting_servers where id = ${id}`, z.unknown()),
  );
  expect(placed).toEqual([{ sites_path: "/srv/sites" }]);
  agent.stop();
});
