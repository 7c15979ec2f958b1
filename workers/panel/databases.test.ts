import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../shared/db/statement.ts";
import { api, testContext } from "../testing/api.ts";
import { createUser, type TestUser, unique } from "../testing/factories.ts";
import { mysqlNativePassword } from "./databases.ts";
import { enrolledServer, type TestServer } from "./testing/agents.ts";
import { trailOf } from "./testing/operators.ts";
import { failure, getOf, goodAnswer, type ScriptedAgent, scripted } from "./testing/scripted.ts";

let operator: TestUser;
let server: TestServer;
let away: TestServer;
let agent: ScriptedAgent;
beforeAll(async () => {
  operator = await createUser(["operator"]);
  server = await enrolledServer(operator);
  away = await enrolledServer(operator);
  agent = await scripted(server, (command) => {
    const { database } = command.input as { database?: string };
    if (database?.startsWith("missing")) return failure("not_found", "database not found");
    if (database?.startsWith("broken")) return failure("tool_failed", "mariadb refused");
    return goodAnswer(command);
  });
});

const send = async (method: string, path: string, json?: unknown, on = server) =>
  await api(`${path}${path.includes("?") ? "&" : "?"}server=${on.id}`, {
    ...{ method, token: operator.token, ...(json === undefined ? {} : { json }) },
  });

describe("databases", () => {
  it("are listed as the server has them this moment, and not at all while it is away", async () => {
    expect(await send("GET", "/v1/db/databases")).toMatchObject({
      status: 200,
      body: {
        items: [
          { name: "mysql", system: true },
          { name: "sys", system: true },
          { name: "toko", system: false },
        ],
      },
    });
    const offline = await send("GET", "/v1/db/databases", undefined, away);
    expect(offline).toMatchObject({ status: 503, body: { error: "server is offline" } });
  });

  it("are made within the request, told in the trail, and dropped", async () => {
    const name = unique("db_");
    expect(await send("POST", "/v1/db/databases", { name })).toMatchObject({
      ...{ status: 201, body: { status: "ok", database: name } },
    });
    expect(agent.given("db.create").at(-1)?.input).toEqual({ database: name });
    expect(await send("DELETE", `/v1/db/databases/${name}`)).toMatchObject({
      ...{ status: 200, body: { status: "ok" } },
    });
    expect((await trailOf(operator, { target_id: name })).map(({ action }) => action)).toEqual([
      ...["db.drop_database", "db.create_database"],
    ]);
  });

  it("wait for a server that is away: 202 with the job, at once", async () => {
    const answer = await send("POST", "/v1/db/databases", { name: unique("db_") }, away);
    expect(answer).toMatchObject({
      ...{ status: 202, body: { status: "pending", job: { status: "queued" } } },
    });
    expect((await getOf(operator, `/v1/jobs/${answer.body.job.id}`)).status).toBe(200);
  });

  it.each([
    [404, "database not found", "missing_db"],
    [500, "mariadb refused", "broken_db"],
  ])("answer %i with safe words when the server could not", async (status, error, database) => {
    const user = { database, username: "u1", password: "rahasia-sekali" };
    expect(await send("POST", "/v1/db/users", user)).toMatchObject({ status, body: { error } });
  });

  it.each([
    ["invalid database name", "/v1/db/databases", {}],
    ["invalid database name", "/v1/db/databases", { name: "" }],
    ["invalid database name", "/v1/db/databases", { name: "a-b" }],
    ["invalid database name", "/v1/db/databases", { name: "a".repeat(65) }],
    ["invalid database name", "/v1/db/databases", { name: "MySQL" }],
    ["invalid database name", "/v1/db/databases", { name: "performance_schema" }],
    ["invalid json body", "/v1/db/databases", { name: "a", extra: 1 }],
    ["invalid database name", "/v1/db/users", {}],
    ["invalid username", "/v1/db/users", { database: "a" }],
    ["invalid username", "/v1/db/users", { database: "a", username: "Root" }],
    ["invalid username", "/v1/db/users", { database: "a", username: "a' or '1" }],
    ["invalid password", "/v1/db/users", { database: "a", username: "b" }],
    ["invalid password", "/v1/db/users", { database: "a", username: "b", password: "1234567 \t " }],
    [
      "invalid password",
      "/v1/db/users",
      { database: "a", username: "b", password: "12345678\u0000" },
    ],
    [
      "invalid host",
      "/v1/db/users",
      { database: "a", username: "b", password: "12345678", host: "a b" },
    ],
    [
      "invalid host",
      "/v1/db/users",
      { database: "a", username: "b", password: "12345678", host: "" },
    ],
    [
      "invalid host",
      "/v1/db/users",
      { database: "a", username: "b", password: "12345678", host: "-h" },
    ],
  ])("answer 400 %j at %s to %j", async (error, path, json) => {
    expect(await send("POST", path, json)).toMatchObject({ status: 400, body: { error } });
  });
});

describe("a database user", () => {
  it("is made with what MariaDB keeps of the password, which itself is stored and sent nowhere", async () => {
    const database = unique("db_");
    const password = `\\' or 1=1; -- ${unique("rahasia")} "$(id)`;
    const answer = await send("POST", "/v1/db/users", { database, username: "toko", password });
    expect(answer).toMatchObject({ status: 201 });
    expect(answer.body).toEqual({ status: "ok", database, username: "toko", host: "localhost" });
    const given = agent.given("db.create-user").at(-1);
    expect(given?.input).toEqual({
      ...{ database, username: "toko", host: "localhost" },
      passwordHash: await mysqlNativePassword(password),
    });
    const hash = await mysqlNativePassword(password);
    const [kept] = await testContext().db.run(
      rows(
        sql`select (select json_agg(p)::text from panel_jobs p where p.payload->>'database' = ${database})
            || (select json_agg(j)::text from jobs j join panel_jobs p on p.job_id = j.id
              where p.payload->>'database' = ${database})
            || (select json_agg(a)::text from audit_entries a where a.subject_id = ${database}) as everything`,
        z.object({ everything: z.string() }),
      ),
    );
    for (const secret of [hash, JSON.stringify(password).slice(1, -1)]) {
      expect(kept?.everything).not.toContain(secret);
      expect(JSON.stringify(answer.body)).not.toContain(secret);
    }
    expect(await trailOf(operator, { target_id: database })).toMatchObject([
      { action: "db.create_user", metadata: expect.stringContaining('"username": "toko"') },
    ]);
  });

  it("waiting for a server that is away has its hash sealed, and given to it later", async () => {
    const late = await enrolledServer(operator);
    const database = unique("db_");
    const user = { database, username: "toko", password: "rahasia-sekali", host: "%" };
    const answer = await send("POST", "/v1/db/users", user, late);
    expect(answer.status).toBe(202);
    const [kept] = await testContext().db.run(
      rows(
        sql`select to_json(p)::text as job from panel_jobs p where p.id = ${answer.body.job.id}`,
        z.object({ job: z.string() }),
      ),
    );
    const hash = await mysqlNativePassword(user.password);
    expect(kept?.job).not.toContain(hash);
    const there = await scripted(late);
    await there.agent.until(({ commands }) => commands.length === 1, "the command");
    expect(there.agent.commands[0]?.input).toMatchObject({ passwordHash: hash, host: "%" });
    there.stop();
  });

  it("is hashed as MariaDB hashes", async () => {
    // The documented example: select password('mariadb').
    expect(await mysqlNativePassword("mariadb")).toBe("*54958E764CE10E50764C2EECBB71D01F08549980");
  });

  it("is dropped by name and host", async () => {
    expect((await send("DELETE", "/v1/db/users/toko?host=%25")).body).toEqual({ status: "ok" });
    expect(agent.given("db.drop-user").at(-1)?.input).toEqual({ username: "toko", host: "%" });
    expect((await send("DELETE", "/v1/db/users/root")).body.error).toBe("invalid username");
  });
});
