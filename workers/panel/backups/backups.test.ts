import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { execute, trailOf } from "../testing/operators.ts";
import { eventually, failure } from "../testing/scripted.ts";
import { asOperator, type BackupAgent, backupServer, DIR } from "./testing/backup-agent.ts";

let operator: TestUser;
beforeAll(async () => {
  operator = await createUser(["operator"]);
});

const STATE_FILE = /^\/var\/backups\/nusantara-panel\/nusantara_state_\d{8}_\d{6}\.json$/;

async function world() {
  const agent = await backupServer(operator);
  return { agent, call: asOperator(operator, agent) };
}

/** A row of a site that nobody provisioned. */
async function siteOn({ server }: BackupAgent): Promise<{ id: string; domain: string }> {
  const word = unique("situs");
  const site = { id: `site_1_${word.slice(-12)}`, domain: `${word}.example` };
  await execute(sql`insert into panel_sites (id, server_id, domain, root_path, runtime, unix_user, status)
    values (${site.id}, ${server.id}, ${site.domain}, ${`/var/www/${word}`}, 'static', ${word}, 'active')`);
  return site;
}

const rowOf = async ({ server }: BackupAgent, file: string) =>
  (
    await testContext().db.run(
      rows(
        sql`select state, is_unproven, last_proven_at, prove_error, on_disk, r2_state from panel_backups where server_id = ${server.id} and file = ${file}`,
        z.object({
          ...{ state: z.string(), is_unproven: z.boolean(), last_proven_at: z.string().nullable() },
          ...{ prove_error: z.string().nullable(), on_disk: z.boolean(), r2_state: z.string() },
        }),
      ),
    )
  )[0];

describe("POST /v1/backup/run", () => {
  it("answers 201 with file and moment as the contract shows them, also for a JSON call without a body", async () => {
    const { agent, call } = await world();
    const first = await call("POST", "run");
    expect(first.status).toBe(201);
    expect(first.body).toEqual({
      file: expect.stringMatching(STATE_FILE),
      created_at: expect.any(String),
    });
    const headers = { "content-type": "application/json" };
    const second = await api(`/v1/backup/run?server=${agent.server.id}`, {
      method: "POST",
      token: operator.token,
      headers,
    });
    expect([second.status, second.body.file]).toEqual([201, expect.stringMatching(STATE_FILE)]);
    expect(second.body.file).not.toBe(first.body.file);
    expect(
      await trailOf(operator, { target_id: first.body.file.slice(DIR.length + 1) }),
    ).toMatchObject([
      { action: "backup.run", target_type: "backup", actor_user: `usr_${operator.userId}` },
    ]);
    agent.stop();
  });

  it("proves a new backup soon after by itself", async () => {
    const { agent, call } = await world();
    const { body } = await call("POST", "run");
    const row = await eventually(
      () => rowOf(agent, body.file),
      (seen) => seen?.last_proven_at != null,
      "the proof",
    );
    expect(row).toMatchObject({ state: "stored", is_unproven: false, prove_error: null });
    agent.stop();
  });

  it("takes a site and a database, and gives the agent where they are", async () => {
    const { agent, call } = await world();
    const site = await siteOn(agent);
    expect(await call("POST", "run", { kind: "site", site: site.id })).toMatchObject({
      status: 201,
    });
    expect(await call("POST", "run", { kind: "database", database: "toko_uji" })).toMatchObject({
      status: 201,
    });
    const targets = agent.given
      .filter(({ type }) => type === "backup.run")
      .map(({ input }) => input.target);
    expect(targets).toMatchObject([
      { kind: "site", siteId: site.id, domain: site.domain },
      { kind: "database", database: "toko_uji" },
    ]);
    agent.stop();
  });

  it.each<[string, unknown, number, string]>([
    ["an unknown field", { kind: "state", extra: 1 }, 400, "invalid json body"],
    ["an unknown kind", { kind: "everything" }, 400, "invalid json body"],
    [
      "a database's name with a quote",
      { kind: "database", database: "a`b" },
      400,
      "invalid database name",
    ],
    ["a system database", { kind: "database", database: "mysql" }, 400, "invalid database name"],
    [
      "a site that is not there",
      { kind: "site", site: "site_1_000000000000" },
      404,
      "site not found",
    ],
  ])("refuses %s", async (_, json, status, error) => {
    const { agent, call } = await world();
    expect(await call("POST", "run", json)).toMatchObject({ status, body: { error } });
    agent.stop();
  });

  it("does not take another server's site", async () => {
    const [one, other] = [await world(), await world()];
    const site = await siteOn(other.agent);
    const refused = await one.call("POST", "run", { kind: "site", site: site.id });
    expect(refused).toMatchObject({ status: 404, body: { error: "site not found" } });
    one.agent.stop();
    other.agent.stop();
  });

  it("tells of a failure in the agent's own words, and lists no such backup", async () => {
    const { agent, call } = await world();
    agent.instead = (type) =>
      type === "backup.run" ? failure("disk_full", "not enough space on the disk") : undefined;
    expect(await call("POST", "run")).toMatchObject({
      status: 503,
      body: { error: "not enough space on the disk" },
    });
    expect((await call("GET", "list")).body).toEqual({ items: [] });
    agent.stop();
  });
});

describe("GET /v1/backup/list", () => {
  it("shows what lies there newest first, with its proof, and takes up what only the server knows", async () => {
    const { agent, call } = await world();
    const [first, second] = [await call("POST", "run"), await call("POST", "run")];
    await eventually(
      () => rowOf(agent, second.body.file),
      (seen) => seen?.last_proven_at != null,
      "the proof",
    );
    const found = [...agent.files.values()][0];
    if (!found) throw new Error("no backup was made");
    const name = "nusantara_state_20200101_000000.json";
    agent.files.set(name, {
      ...found,
      name,
      file: `${DIR}/${name}`,
      backupId: crypto.randomUUID(),
      createdAt: "2020-01-01T00:00:00Z",
    });
    const list = await call("GET", "list");
    expect(list.status).toBe(200);
    expect(list.body.items.map(({ file }: { file: string }) => file)).toEqual([
      second.body.file,
      first.body.file,
      `${DIR}/${name}`,
    ]);
    expect(list.body.items[0]).toMatchObject({
      ...{
        size: expect.any(Number),
        kind: "state",
        subject: "",
        origin: "manual",
        unproven: false,
      },
      ...{ restore_ms: 7, last_proven_at: expect.any(String), stored: { disk: true, r2: false } },
    });
    expect(list.body.items[2]).toMatchObject({ origin: "found", last_proven_at: null });
    expect((await call("GET", "list?limit=1")).body.items).toHaveLength(1);
    agent.stop();
  });

  it("answers 202 with its job and what is known while the server is away, and asks only once", async () => {
    const { agent, call } = await world();
    const { body } = await call("POST", "run");
    agent.stop();
    const [one, two] = [await call("GET", "list"), await call("GET", "list")];
    expect(one).toMatchObject({
      status: 202,
      body: { status: "pending", items: [{ file: body.file }] },
    });
    expect(two.body.job.id).toBe(one.body.job.id);
  });

  it("says of a file that is gone from the disk that it is", async () => {
    const { agent, call } = await world();
    const { body } = await call("POST", "run");
    await eventually(
      () => rowOf(agent, body.file),
      (seen) => seen?.last_proven_at != null,
      "the proof",
    );
    agent.files.clear();
    expect((await call("GET", "list")).body.items).toMatchObject([
      { file: body.file, stored: { disk: false, r2: false } },
    ]);
    agent.stop();
  });
});

describe("POST /v1/backup/prove", () => {
  it("proves on request, and tells what it found", async () => {
    const { agent, call } = await world();
    const { body } = await call("POST", "run");
    const proven = await call("POST", "prove", { file: body.file });
    expect(proven).toMatchObject({
      status: 200,
      body: { status: "ok", backup: { file: body.file, restore_ms: 7, unproven: false } },
    });
    agent.instead = (type) =>
      type === "backup.prove"
        ? failure("integrity", "the archive is damaged or was altered")
        : undefined;
    expect(await call("POST", "prove", { file: body.file })).toMatchObject({ status: 409 });
    expect((await call("GET", "list")).body.items).toMatchObject([
      { unproven: true, prove_error: "the archive is damaged or was altered" },
    ]);
    agent.stop();
  });
});

describe("every route of backups", () => {
  const routes: [string, string][] = [
    ["POST", "run"],
    ["POST", "restore"],
    ["GET", "list"],
    ["POST", "prove"],
    ["GET", "policy"],
    ["PUT", "policy"],
  ];
  it.each(routes)(
    "%s %s is for operators alone, also not for a platform's admin",
    async (method, path) => {
      const admin = await createUser(["admin", "seller"]);
      const json =
        method === "GET" ? {} : { json: { file: `${DIR}/nusantara_state_20260226_230101.json` } };
      expect(await api(`/v1/backup/${path}`, { method, ...json })).toMatchObject({
        status: 401,
        body: { error: "unauthorized" },
      });
      expect(
        await api(`/v1/backup/${path}`, { method, token: admin.token, ...json }),
      ).toMatchObject({ status: 403, body: { error: "forbidden" } });
    },
  );

  it.each(routes)("%s %s answers 404 for a server that is not there", async (method, path) => {
    const json =
      path === "run"
        ? {}
        : path === "policy"
          ? { json: { hour: 3 } }
          : { json: { file: `${DIR}/nusantara_state_20260226_230101.json` } };
    const body = method === "GET" ? {} : json;
    const answer = await api(`/v1/backup/${path}?server=srv_none`, {
      method,
      token: operator.token,
      ...body,
    });
    expect(answer).toMatchObject({ status: 404, body: { error: "server not found" } });
  });
});
