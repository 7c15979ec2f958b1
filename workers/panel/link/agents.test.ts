import { sql } from "drizzle-orm";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { CLOSE } from "../../../shared/agent-protocol/index.ts";
import { sha256Hex } from "../../../shared/crypto/index.ts";
import { rows } from "../../../shared/db/statement.ts";
import { runJob } from "../../../shared/jobs/jobs.ts";
import { api, settleBackground, testContext } from "../../testing/api.ts";
import { failureBody } from "../../testing/envelopes.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";
import {
  callHeaders,
  closeAgents,
  connected,
  connectHeaders,
  enrolledServer,
  enrolWith,
  knock,
  newKey,
  newServer,
  testFacts,
} from "../testing/agents.ts";
import { enrolAgent, revokeJob } from "./agents.ts";
import { linkOf } from "./link-client.ts";

let operator: TestUser;
beforeAll(async () => {
  operator = await createUser(["operator"]);
});
afterEach(closeAgents);

const query = <S extends z.ZodType>(text: ReturnType<typeof sql>, row: S) =>
  testContext().db.run(rows(text, row));

const execute = (text: ReturnType<typeof sql>) => query(text, z.unknown());

/** Alerts to the operator that speak of this server, by its name. */
async function alertsOf({ id }: { id: string }): Promise<string[]> {
  await settleBackground();
  const found = await query(
    sql`select j.payload->'data'->>'what' as what from jobs j
      join panel_servers s on s.name = j.payload->'data'->'facts'->>'server'
      where s.id = ${id} and j.kind = 'mail.send' and j.payload->>'template' = 'alert'`,
    z.object({ what: z.string() }),
  );
  return found.map(({ what }) => what);
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  const late = Date.now() + 5_000;
  while (!(await holds())) {
    if (Date.now() > late) throw new Error("it never came to hold");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const unauthorized = (message = "unauthorized") => ({
  status: 401,
  body: failureBody("panel", 401, message),
});

async function refused(headers: Record<string, string>): Promise<void> {
  const answer = await knock(headers);
  expect([answer.status, await answer.json()]).toMatchObject([401, { error: "unauthorized" }]);
}

describe("an enrolment token", () => {
  const invalid = unauthorized("enrolment token is not valid");

  it("makes one agent; a second use is refused, told to the operator, and changes no key", async () => {
    const [{ id, token }, own, thief] = [await newServer(operator), await newKey(), await newKey()];
    expect((await enrolWith(token, own)).status).toBe(201);
    expect(await enrolWith(token, thief)).toMatchObject(invalid);
    expect(await enrolWith(token, thief)).toMatchObject(invalid);
    await eventually(async () => (await alertsOf({ id })).length > 0);
    expect(await alertsOf({ id })).toEqual(["Token pendaftaran server dipakai dua kali"]);
    await refused(await connectHeaders({ id, key: thief }));
    (await connected({ id, key: own })).close();
  });

  it("taken by many at once makes one agent", async () => {
    const { token } = await newServer(operator);
    const keys = await Promise.all(Array.from({ length: 8 }, () => newKey()));
    const answers = await Promise.all(keys.map((key) => enrolWith(token, key)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(7).fill(401)]);
  });

  it("is worth nothing after its hour, or once another one was made", async () => {
    const late = await newServer(operator);
    await execute(sql`update panel_enrolments set expires_at = now() where server_id = ${late.id}`);
    expect(await enrolWith(late.token, await newKey())).toMatchObject(invalid);
    const other = await newServer(operator);
    const path = `/v1/servers/${other.id}/enrolment`;
    const again = await api(path, { method: "POST", token: operator.token });
    expect(await enrolWith(other.token, await newKey())).toMatchObject(invalid);
    expect((await enrolWith(again.body.token, await newKey())).status).toBe(201);
  });

  it("that nobody made is refused, and so is a body with more or less than it should have", async () => {
    const key = await newKey();
    expect(await enrolWith("x".repeat(43), key)).toMatchObject(invalid);
    for (const changes of [{ more: 1 }, { facts: undefined }, { facts: { hostname: "m" } }]) {
      expect(await enrolWith("x".repeat(43), key, changes)).toMatchObject({
        status: 400,
        body: failureBody("panel", 400, "invalid json body"),
      });
    }
    expect((await enrolWith("kurang", key)).status).toBe(400);
    expect((await enrolWith("x".repeat(43), { ...key, publicKey: "AA" })).status).toBe(400);
  });

  it("lies nowhere as it is", async () => {
    const { id, token } = await newServer(operator);
    const [row] = await query(
      sql`select token_hash from panel_enrolments where server_id = ${id}`,
      z.object({ token_hash: z.string() }),
    );
    expect(row?.token_hash).toBe(await sha256Hex(token));
    expect(token).toMatch(/^[\w-]{43}$/);
  });

  it("used for a server that has an agent cuts that agent off, for good", async () => {
    const server = await enrolledServer(operator);
    const agent = await connected(server);
    const path = `/v1/servers/${server.id}/enrolment`;
    const { body } = await api(path, { method: "POST", token: operator.token });
    expect((await enrolWith(body.token, await newKey())).status).toBe(201);
    await agent.until(({ closed }) => closed !== null, "the end of its connection");
    expect(agent.closed).toMatchObject({ code: CLOSE.revoked });
    await refused(await connectHeaders(server));
  });
});

describe("an earlier agent", () => {
  it("that could not be cut off when its server got another key is cut off by a job", async () => {
    const server = await enrolledServer(operator);
    const agent = await connected(server);
    const path = `/v1/servers/${server.id}/enrolment`;
    const { body } = await api(path, { method: "POST", token: operator.token });
    const ctx = testContext();
    const away = { revoke: () => Promise.reject(new Error("the object is away")) };
    const serverLinks = new Proxy(ctx.serverLinks, {
      get: (links, name) => (name === "getByName" ? () => away : Reflect.get(links, name)),
    });
    const { publicKey } = await newKey();
    const who = { token: body.token, publicKey, agentVersion: "1.0.0", address: "-" };
    await enrolAgent({ ...ctx, serverLinks }, { ...who, facts: testFacts() });
    const [job] = await query(
      sql`select id from jobs where kind = 'panel.revoke' and payload->>'server_id' = ${server.id} order by created_at desc, id desc limit 1`,
      z.object({ id: z.uuid() }),
    );
    await runJob(testContext(), job?.id ?? "", [revokeJob]);
    await agent.until(({ closed }) => closed !== null, "the end of its connection");
    expect(agent.closed).toMatchObject({ code: CLOSE.revoked });
  });
});

describe("a connection", () => {
  it("is made by a signature of the server's key, and told to Postgres", async () => {
    const server = await enrolledServer(operator);
    await connected(server);
    await eventually(async () => (await linkOf(testContext(), server.id).status()).connected);
    const shown = () => api(`/v1/servers/${server.id}`, { token: operator.token });
    await eventually(async () => (await shown()).body.online === true);
    expect((await shown()).body).toMatchObject({
      ...{ id: server.id, enrolled: true, agent_version: "1.0.0", sites_root: "/var/www" },
      link: { connected: true, agentVersion: "1.0.0", waiting: 0 },
    });
  });

  it("is refused when its signature was made for, by or of anything else", async () => {
    const [server, other] = [await enrolledServer(operator), await enrolledServer(operator)];
    const strange = await newKey();
    const now = Date.now();
    const signed = await connectHeaders(server);
    const forgeries: [string, Promise<Record<string, string>> | Record<string, string>][] = [
      ["nothing signed", {}],
      ["another key", connectHeaders({ ...server, key: strange })],
      ["another server's key", connectHeaders({ ...server, key: other.key })],
      ["another host", connectHeaders(server, { host: "panel.example" })],
      ["an old time", connectHeaders(server, { time: now - 61_000 })],
      ["a time to come", connectHeaders(server, { time: now + 120_000 })],
      ["no server of ours", connectHeaders({ ...server, id: "srv_1_000000000000" })],
      [
        "a server without an agent",
        connectHeaders({ ...server, id: (await newServer(operator)).id }),
      ],
      ["no signature", { ...signed, "x-agent-signature": "A".repeat(86) }],
      ["a changed time", { ...signed, "x-agent-time": String(Number(signed["x-agent-time"]) + 1) }],
      ["a changed nonce", { ...signed, "x-agent-nonce": "n".repeat(22) }],
      ["words that are none", { ...signed, "x-agent-time": "besok", "x-agent-nonce": "'; --" }],
      ["the headers of a link", { "x-link-nonce": "n".repeat(22), "x-link-address": "-" }],
    ];
    for (const [what, headers] of forgeries) {
      const answer = await knock(await headers);
      expect([what, answer.status]).toEqual([what, 401]);
    }
    const call = await callHeaders(server, { method: "GET", path: "/v1/agent", body: "stream" });
    await refused(call);
  });

  it("is refused when its headers were used before, also while the first stands", async () => {
    const server = await enrolledServer(operator);
    const headers = await connectHeaders(server);
    const first = await knock(headers);
    expect(first.status).toBe(101);
    first.webSocket?.accept();
    await refused(headers);
    expect(first.webSocket?.readyState).toBe(WebSocket.OPEN);
  });

  it("is a WebSocket or nothing", async () => {
    const server = await enrolledServer(operator);
    const headers = await connectHeaders(server);
    expect(await api("/v1/agent", { headers })).toMatchObject({ status: 400 });
    const posted = await api("/v1/agent", { method: "POST", headers, json: {} });
    expect(posted).toMatchObject({ status: 405, body: failureBody("panel", 405) });
  });
});

describe("two agents with one key", () => {
  it("of two installations: the newest stays, and the operator is told once", async () => {
    const server = await enrolledServer(operator);
    const first = await connected(server);
    await eventually(async () => (await linkOf(testContext(), server.id).status()).connected);
    const second = await connected(server);
    await first.until(({ closed }) => closed !== null, "its end");
    expect(first.closed).toMatchObject({ code: CLOSE.replaced });
    await eventually(async () => (await alertsOf(server)).length > 0);
    await connected(server);
    await second.until(({ closed }) => closed !== null, "its end");
    await settleBackground();
    expect(new Set(await alertsOf(server))).toEqual(
      new Set(["Dua agen memakai satu kunci server"]),
    );
  });

  it("of which one says that it was pushed out are told about, too", async () => {
    const server = await enrolledServer(operator);
    const agent = await connected(server, { greet: false });
    agent.hello([], { displaced: true });
    await eventually(async () => (await alertsOf(server)).length > 0);
  });

  it("are not what an agent that comes back is", async () => {
    const server = await enrolledServer(operator);
    const first = await connected(server);
    await eventually(async () => (await linkOf(testContext(), server.id).status()).connected);
    const again = await connected(server, { instance: first.instance });
    await first.until(({ closed }) => closed !== null, "its end");
    const asked = linkOf(testContext(), server.id).ask("db.list", {}, 5_000);
    await again.until(({ frames }) => frames.length > 0, "a question");
    again.close();
    await asked;
    expect(await alertsOf(server)).toEqual([]);
  });
});
