import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { BackupFacts } from "../../../shared/agent-protocol/backups.ts";
import { sha256Hex } from "../../../shared/crypto/index.ts";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";
import { execute } from "../testing/operators.ts";
import { createServer } from "../testing/servers.ts";
import {
  asOperator,
  type BackupAgent,
  backupServer,
  DIR,
  signedCall,
} from "./testing/backup-agent.ts";

let operator: TestUser;
beforeAll(async () => {
  operator = await createUser(["operator"]);
});

/** A server with a backup of the panel's rows, which the panel has forgotten. */
async function forgotten(): Promise<{ agent: BackupAgent; facts: BackupFacts; text: string }> {
  const agent = await backupServer(operator);
  const { status } = await asOperator(operator, agent)("POST", "run", { kind: "state" });
  const facts = [...agent.files.values()].at(-1);
  if (status !== 201 || !facts) throw new Error("no backup was made");
  await execute(sql`delete from panel_backups where id = ${facts.backupId}`);
  return { agent, facts, text: agent.states.get(facts.backupId) ?? "" };
}

const rowOf = async (id: string) =>
  await testContext().db.run(
    rows(
      sql`select b.state_sha256 as known from panel_backups b where b.id = ${id}`,
      z.object({ known: z.string().nullable() }),
    ),
  );

describe("the panel's rows that a server is found to have", () => {
  it("are known again by the panel's own signature, and can be proven and put back", async () => {
    const { agent, facts } = await forgotten();
    const call = asOperator(operator, agent);
    const { body } = await call("GET", "list");
    expect(body.items).toMatchObject([{ file: facts.file, origin: "found" }]);
    expect(await rowOf(facts.backupId)).toEqual([{ known: facts.plainSha256 }]);
    const proven = await call("POST", "prove", { file: facts.file });
    expect(proven).toMatchObject({ status: 200, body: { status: "ok" } });
    agent.stop();
  });

  it("are known again by who asks for them by name", async () => {
    const { agent, facts } = await forgotten();
    const proven = await asOperator(operator, agent)("POST", "prove", { file: facts.file });
    expect(proven).toMatchObject({ status: 200, body: { status: "ok" } });
    agent.stop();
  });

  it.each<[string, (facts: BackupFacts, text: string) => Promise<Partial<BackupFacts>>]>([
    [
      "other rows",
      async (_, text) => ({ plainSha256: await sha256Hex(text.replace("srv_", "srw_")) }),
    ],
    ["another backup's number", async () => ({ backupId: crypto.randomUUID() })],
    ["another moment", async () => ({ createdAt: "2030-01-01T00:00:00Z" })],
    [
      "another name",
      async () => ({
        name: "nusantara_state_20300101_000000.json",
        file: `${DIR}/nusantara_state_20300101_000000.json`,
      }),
    ],
    ["a signature of its own", async () => ({ stateSignature: "0".repeat(64) })],
    ["no signature", async () => ({ stateSignature: null })],
  ])("with %s are neither proven nor put back", async (_, change) => {
    const { agent, facts, text } = await forgotten();
    const forged = { ...facts, ...(await change(facts, text)) };
    agent.files.clear();
    agent.files.set(forged.name, forged);
    const call = asOperator(operator, agent);
    const { body } = await call("GET", "list");
    expect(body.items).toMatchObject([
      { file: forged.file, prove_error: "the panel did not sign this backup" },
    ]);
    for (const what of ["prove", "restore"]) {
      const answer = await call("POST", what, { file: forged.file });
      expect([what, answer.status, answer.body]).toMatchObject([
        what,
        409,
        { error: "the panel did not sign this backup" },
      ]);
    }
    const path = `/v1/agent/backups/${forged.backupId}/prove`;
    expect((await signedCall(agent.server, "POST", path, text)).status).toBe(409);
    agent.stop();
  });

  it("of another server are not this one's, signed or not", async () => {
    const [one, other] = [await forgotten(), await backupServer(operator)];
    other.files.set(one.facts.name, one.facts);
    const call = asOperator(operator, other);
    const answer = await call("POST", "restore", { file: one.facts.file });
    expect(answer).toMatchObject({
      status: 409,
      body: { error: "the panel did not sign this backup" },
    });
    one.agent.stop();
    other.stop();
  });

  it("that the panel did not sign take no backup's place, are not sent to R2 and not tried again", async () => {
    const { id: serverId } = await createServer();
    const id = crypto.randomUUID();
    await execute(sql`insert into panel_backups (id, server_id, name, kind, subject, state, origin, file, bytes, plain_bytes,
        sha256, manifest_sha256, counts, state_claim, created_at)
      values (${id}, ${serverId}, 'b', 'state', '', 'stored', 'found', '/b/b', 1, 1, 'x', 'x', '{}', 'x.y',
        now() - interval '60 days')`);
    await testContext().db.run(
      rows(sql`select panel_backups_follow(now(), 500) as x`, z.unknown()),
    );
    const open = await testContext().db.run(
      rows(
        sql`select p.id from panel_jobs p where p.server_id = ${serverId} and p.input->>'backupId' = ${id}`,
        z.unknown(),
      ),
    );
    expect(open).toEqual([]);
    const [row] = await testContext().db.run(
      rows(
        sql`select b.is_unproven as told, b.id in (select g from panel_backups_to_let_go(${serverId}) g) as goes
          from panel_backups b where b.id = ${id}`,
        z.unknown(),
      ),
    );
    expect(row).toEqual({ told: false, goes: false });
  });
});
