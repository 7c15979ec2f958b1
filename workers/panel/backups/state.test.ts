import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { sha256Hex } from "../../../shared/crypto/index.ts";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { execute } from "../testing/operators.ts";
import {
  archiveOf,
  asOperator,
  type BackupAgent,
  backupServer,
  signedCall,
} from "./testing/backup-agent.ts";

let operator: TestUser;
beforeAll(async () => {
  operator = await createUser(["operator"]);
});

/** A backup that its agent has made, not yet in R2; the agent is silent from here on. */
async function made(kind: "state" | "database" = "database") {
  const agent = await backupServer(operator);
  const json = kind === "state" ? {} : { kind, database: "toko" };
  const { body } = await asOperator(operator, agent)("POST", "run", json);
  const facts = [...agent.files.values()].at(-1);
  if (!facts || facts.file !== body.file) throw new Error("no backup was made");
  const path = (what: string) => `/v1/agent/backups/${facts.backupId}/${what}`;
  return { agent, facts, path, archive: archiveOf(facts.backupId) };
}

describe("the panel's state", () => {
  const readState = (agent: BackupAgent, id: string) => JSON.parse(agent.states.get(id) ?? "{}");

  it("holds no session, password, key or token, and counts what it holds", async () => {
    const { agent, facts } = await made("state");
    const state = readState(agent, facts.backupId);
    expect(Object.keys(state.parts).sort()).toEqual([
      "certificates",
      "operators",
      "policies",
      "site_names",
      "sites",
    ]);
    for (const [part, list] of Object.entries<unknown[]>(state.parts))
      expect(list.length).toBe(state.counts[part]);
    const text = JSON.stringify(state);
    expect(text).not.toMatch(/password|session|token|secret|public_key|sealed|hash/i);
    agent.stop();
  });

  it("is handed out only while it is backed up", async () => {
    const { agent, path } = await made("state");
    expect((await signedCall(agent.server, "GET", path("state"))).status).toBe(409);
    agent.stop();
  });

  it("is put back in one transaction; sign-ins end, none comes back, passwords stay as they are", async () => {
    const [owner, other] = [await createUser(["operator"]), await createUser(["operator"])];
    const { agent, facts } = await made("state");
    const word = unique("situs");
    await execute(sql`insert into panel_sites (id, server_id, domain, root_path, runtime, unix_user, status)
      values (${`site_1_${word.slice(-12)}`}, ${agent.server.id}, ${`${word}.example`}, ${`/var/www/${word}`}, 'static', ${word}, 'active')`);
    const run = await asOperator(owner, agent)("POST", "run");
    const before = readState(agent, [...agent.files.values()].at(-1)?.backupId ?? "");
    const revoked = await createUser(["operator"]);
    await execute(
      sql`update identity_sessions set revoked_at = now() where id = ${revoked.sessionId}`,
    );
    await execute(sql`update identity_users set password_hash = 'baru' where id = ${owner.userId}`);
    await execute(
      sql`update panel_sites set status = 'failed', error = 'rusak' where domain = ${`${word}.example`}`,
    );
    // Those of other tests, whose agents are gone.
    await execute(sql`update panel_jobs set outcome = 'failed', error = 'gone', finished_at = now()
      where outcome is null and subject like 'site/%'`);
    const restored = await asOperator(owner, agent)("POST", "restore", { file: run.body.file });
    expect(restored).toMatchObject({ status: 200, body: { status: "ok" } });

    const after = await asOperator(owner, agent)("POST", "run");
    expect(after.status).toBe(201);
    const now = readState(agent, [...agent.files.values()].at(-1)?.backupId ?? "");
    expect(now.parts.sites).toEqual(before.parts.sites);
    expect(now.parts.site_names).toEqual(before.parts.site_names);
    expect((await api("/v1/backup/policy", { token: other.token })).status).toBe(401);
    expect((await api("/v1/backup/policy", { token: revoked.token })).status).toBe(401);
    const [kept] = await testContext().db.run(
      rows(
        sql`select password_hash from identity_users where id = ${owner.userId}`,
        z.object({ password_hash: z.string() }),
      ),
    );
    expect(kept).toEqual({ password_hash: "baru" });
    operator = owner;

    // The same restore told again changes nothing any more.
    const order = agent.given.findLast(({ type }) => type === "backup.restore");
    await execute(
      sql`update panel_sites set status = 'failed', error = 'sesudahnya' where domain = ${`${word}.example`}`,
    );
    const { backupId, restoreId } = order?.input ?? {};
    const repeat = await signedCall(
      agent.server,
      "POST",
      `/v1/agent/backups/${backupId}/restore?restore=${restoreId}`,
      agent.states.get(String(backupId)) ?? "",
    );
    expect(repeat.status).toBe(200);
    const [site] = await testContext().db.run(
      rows(
        sql`select error from panel_sites where domain = ${`${word}.example`}`,
        z.object({ error: z.string().nullable() }),
      ),
    );
    expect(site).toEqual({ error: "sesudahnya" });
    expect(facts.kind).toBe("state");
    agent.stop();
  });

  it.each<[string, (text: string) => string, string]>([
    ["one byte more", (text) => `${text} `, "that is not the state that was backed up"],
    [
      "another row",
      (text) => text.replace('"schema": 1', '"schema": 2'),
      "that is not the state that was backed up",
    ],
    ["no JSON", () => "{", "that is no state of the panel"],
  ])("is neither proven nor put back with %s", async (_, change, error) => {
    const { agent, facts, path } = await made("state");
    const text = change(agent.states.get(facts.backupId) ?? "");
    const restoreId = crypto.randomUUID();
    await execute(
      sql`insert into panel_backup_restores (id, backup_id, server_id) values (${restoreId}, ${facts.backupId}, ${agent.server.id})`,
    );
    for (const what of ["prove", `restore?restore=${restoreId}`]) {
      const answer = await signedCall(agent.server, "POST", path(what), text);
      expect([what, answer.status >= 400, await answer.json()]).toMatchObject([
        what,
        true,
        { error },
      ]);
    }
    agent.stop();
  });

  it("of another format is refused by its version, whatever its digest", async () => {
    const { agent, facts, path } = await made("state");
    const text = (agent.states.get(facts.backupId) ?? "").replace('"schema": 1', '"schema": 2');
    await execute(
      sql`update panel_backups set state_sha256 = ${await sha256Hex(text)} where id = ${facts.backupId}`,
    );
    const answer = await signedCall(agent.server, "POST", path("prove"), text);
    expect([answer.status, await answer.json()]).toMatchObject([
      409,
      { error: "the state has format 2, this panel reads 1" },
    ]);
    agent.stop();
  });

  it("is put back only where an operator asked for it", async () => {
    const { agent, facts, path } = await made("state");
    const text = agent.states.get(facts.backupId) ?? "";
    const answer = await signedCall(
      agent.server,
      "POST",
      path(`restore?restore=${crypto.randomUUID()}`),
      text,
    );
    expect([answer.status, await answer.json()]).toMatchObject([
      404,
      { error: "restore not found" },
    ]);
    agent.stop();
  });
});
