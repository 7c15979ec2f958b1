import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { unique } from "../../testing/factories.ts";
import { watchServers } from "../monitor/report.ts";
import { execute } from "../testing/operators.ts";
import { createServer, type TestServer } from "../testing/servers.ts";

/** A server whose agent is heard, and has been there for so many days. */
async function standingServer(days: number): Promise<TestServer> {
  const server = await createServer();
  await execute(sql`update panel_servers set seen_at = now() + interval '1 hour',
    enrolled_at = now() - make_interval(days => ${days}::int) where id = ${server.id}`);
  return server;
}

/** The end of a database's backup, so many days ago. */
const ended = ({ id }: TestServer, state: "failed" | "stored", age: number) =>
  execute(sql`insert into panel_backups (server_id, name, kind, subject, state, origin, error, file, bytes, plain_bytes,
      sha256, manifest_sha256, counts, created_at)
    values (${id}, ${unique("b")}, 'database', 'toko', ${state}, 'schedule',
      ${state === "failed" ? "backups.recipient is not set" : null}, '/b/b', 1, 1, 'x', 'x', '{}', now() - make_interval(days => ${age}::int))`);

/** A proven backup of the panel's state, so many days old. */
const proven = ({ id }: TestServer, age: number) =>
  execute(sql`insert into panel_backups (server_id, name, kind, state, origin, subject, file, bytes, plain_bytes,
      sha256, manifest_sha256, counts, created_at, last_proven_at)
    values (${id}, ${unique("b")}, 'state', 'stored', 'schedule', '', '/b/s', 1, 1, 'x', 'x', '{}', now() - make_interval(days => ${age}::int), now())`);

const policy = ({ id }: TestServer, enabled: boolean) =>
  execute(sql`insert into panel_backup_policies (server_id, enabled, updated_at)
    values (${id}, ${enabled}, now() - interval '40 days')`);

async function mailsOf({ name }: TestServer): Promise<string[]> {
  await watchServers(testContext());
  await watchServers(testContext());
  const found = await testContext().db.run(
    rows(
      sql`select concat_ws(' ', trim(payload->'data'->>'subject'), payload->'data'->>'state',
          payload->'data'->'facts'->>'galat terakhir') as told
        from jobs where kind = 'mail.send' and payload->>'template' = 'panel_incident'
          and payload->'data'->>'server' = ${name} order by id`,
      z.object({ told: z.string() }),
    ),
  );
  return found.map(({ told }) => told);
}

describe("the operator hears", () => {
  const FAILING = "database toko open backups.recipient is not set";

  it("once of backups that failed twice in a row, and once of the next good one", async () => {
    const server = await standingServer(1);
    await ended(server, "stored", 3);
    await ended(server, "failed", 2);
    expect(await mailsOf(server)).toEqual([]);
    await ended(server, "failed", 1);
    expect(await mailsOf(server)).toEqual([FAILING]);
    await ended(server, "stored", 0);
    expect(await mailsOf(server)).toEqual([
      FAILING,
      "database toko closed backups.recipient is not set",
    ]);
  });

  it("of weeks in which every backup failed", async () => {
    const server = await standingServer(40);
    for (let age = 28; age > 0; age -= 1) await ended(server, "failed", age);
    expect(await mailsOf(server)).toEqual([FAILING]);
  });

  it("of a schedule that has made nothing proven for nine days, until it does", async () => {
    const server = await standingServer(40);
    await policy(server, true);
    await proven(server, 10);
    expect(await mailsOf(server)).toEqual(["state open"]);
    await proven(server, 0);
    expect(await mailsOf(server)).toEqual(["state open", "state closed"]);
  });

  it("nothing of a schedule that is switched off, or has just begun", async () => {
    const [off, young] = [await standingServer(40), await standingServer(8)];
    await policy(off, false);
    await policy(young, true);
    expect(await mailsOf(off)).toEqual([]);
    expect(await mailsOf(young)).toEqual([]);
  });
});
