import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";
import { execute, trailOf } from "../testing/operators.ts";
import { eventually, failure, success } from "../testing/scripted.ts";
import { asOperator, type BackupAgent, backupServer, DIR } from "./testing/backup-agent.ts";

let operator: TestUser;
beforeAll(async () => {
  operator = await createUser(["operator"]);
});

async function world() {
  const agent = await backupServer(operator);
  return { agent, call: asOperator(operator, agent) };
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

describe("POST /v1/backup/restore", () => {
  it("puts a database's backup back, in that database's turn, and answers as the contract does", async () => {
    const { agent, call } = await world();
    const { body } = await call("POST", "run", { kind: "database", database: "toko_uji" });
    const restored = await call("POST", "restore", { file: body.file });
    expect(restored).toMatchObject({
      status: 200,
      body: {
        status: "ok",
        file: body.file,
        note: "restart nusantara-panel service is recommended after restore",
      },
    });
    const given = agent.given.find(({ type }) => type === "backup.restore");
    expect(given).toMatchObject({
      subject: "db",
      input: { target: { kind: "database", database: "toko_uji" }, remote: false },
    });
    const trail = await trailOf(operator, { target_id: body.file });
    expect(trail.map(({ action }) => action)).toEqual(
      expect.arrayContaining(["backup.restored", "backup.restore"]),
    );
    agent.stop();
  });

  it.each([
    "/etc/passwd",
    "nusantara_state_20260226_230101.json",
    "/var/backups/nusantara-panel/../../etc/nusantara_state_20260226_230101.json",
    "/var/backups/nusantara-panel/./nusantara_state_20260226_230101.json",
    "/var/backups/nusantara-panel/nusantara_state_20260226_230101.json/x",
    "/etc/nusantara_state_20260226_230101.json",
    "/var/backups/nusantara-panel/nusantara_state_20260226_230101.json\n",
    "/var/backups/nusantara-panel/nusantara_site_;rm_20260226_230101.json",
    "",
    "\u0000",
  ])("refuses %j as a path outside the backup folder", async (file) => {
    const { agent, call } = await world();
    expect(await call("POST", "restore", { file })).toMatchObject({
      status: 400,
      body: { error: "invalid backup path" },
    });
    expect(agent.given.filter(({ type }) => type === "backup.restore")).toEqual([]);
    agent.stop();
  });

  it("answers 404 for a file that is not there, and for one of another server", async () => {
    const [one, other] = [await world(), await world()];
    const missing = `${DIR}/nusantara_state_20260226_230101.json`;
    expect(await one.call("POST", "restore", { file: missing })).toMatchObject({
      status: 404,
      body: { error: "backup not found" },
    });
    const { body } = await other.call("POST", "run", { kind: "database", database: "a" });
    expect(await one.call("POST", "restore", { file: body.file })).toMatchObject({
      status: 404,
      body: { error: "backup not found" },
    });
    one.agent.stop();
    other.agent.stop();
  });

  it("finds a backup by asking the server when the panel does not know it", async () => {
    const { agent, call } = await world();
    const { body } = await call("POST", "run", { kind: "database", database: "a" });
    await eventually(
      () => rowOf(agent, body.file),
      (seen) => seen?.last_proven_at != null,
      "the proof",
    );
    await execute(sql`delete from panel_backups where server_id = ${agent.server.id}`);
    expect(await call("POST", "restore", { file: body.file })).toMatchObject({ status: 200 });
    agent.stop();
  });

  it("never says ok where the server found a difference, and calls the backup unproven", async () => {
    const { agent, call } = await world();
    const { body } = await call("POST", "run", { kind: "database", database: "a" });
    await eventually(
      () => rowOf(agent, body.file),
      (seen) => seen?.last_proven_at != null,
      "the proof",
    );
    await execute(
      sql`update panel_backups set last_proven_at = now() - interval '2 days' where file = ${body.file} and server_id = ${agent.server.id}`,
    );
    agent.instead = (type) =>
      type === "backup.restore"
        ? failure("integrity", "the archive is damaged or was altered")
        : undefined;
    expect(await call("POST", "restore", { file: body.file })).toMatchObject({
      status: 409,
      body: { error: "the archive is damaged or was altered" },
    });
    expect((await call("GET", "list")).body.items).toMatchObject([{ unproven: true }]);
    agent.stop();
  });

  it("never says ok of the panel's state where the panel put nothing back, whatever the agent says", async () => {
    const { agent, call } = await world();
    const { body } = await call("POST", "run", { kind: "state" });
    const provenAt = new Date().toISOString();
    agent.instead = (type) =>
      type === "backup.restore"
        ? success({ restoreMs: 1, provenAt, counts: {}, healed: false })
        : undefined;
    expect(await call("POST", "restore", { file: body.file })).toMatchObject({
      status: 500,
      body: { error: "the server did not put the state back" },
    });
    agent.stop();
  });

  it("refuses a body without a file, with another field, or of another type", async () => {
    const { agent, call } = await world();
    for (const json of [
      {},
      { file: 1 },
      { file: `${DIR}/nusantara_state_20260226_230101.json`, force: true },
      [],
    ]) {
      expect(await call("POST", "restore", json)).toMatchObject({
        status: 400,
        body: { error: "invalid json body" },
      });
    }
    agent.stop();
  });
});
