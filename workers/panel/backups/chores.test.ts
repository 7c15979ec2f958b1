import { env } from "cloudflare:test";
import { sql } from "drizzle-orm";
import { expect, it } from "vitest";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { contextWithQueues } from "../../../shared/jobs/test-queues.ts";
import { testContext } from "../../testing/api.ts";
import { unique } from "../../testing/factories.ts";
import { execute } from "../testing/operators.ts";
import { createServer, type TestServer } from "../testing/servers.ts";
import { letGo } from "./chores.ts";
import { archiveKey } from "./objects.ts";

/** A backup that is to go, whose copy lies in R2. */
async function going({ id: serverId }: TestServer) {
  const [made] = await testContext().db.run(
    rows(
      sql`insert into panel_backups (server_id, name, kind, subject, state, origin, r2_state, created_at)
        values (${serverId}, ${unique("b")}, 'database', 'toko', 'removing', 'schedule', 'verified', now())
        returning id`,
      z.object({ id: z.uuid() }),
    ),
  );
  const id = made?.id ?? "";
  const key = archiveKey({ id, serverId });
  await env.ASSETS_BUCKET.put(key, "x");
  return { id, key };
}

/** A context whose bucket refuses to remove that one object. */
function stuckAt(key: string): Ctx {
  const { ctx } = contextWithQueues();
  const assets = new Proxy(ctx.assets, {
    get: (bucket, name) => {
      const real = Reflect.get(bucket, name);
      if (name !== "delete") return typeof real === "function" ? real.bind(bucket) : real;
      return async (keys: string[]) => {
        if (keys.includes(key)) throw new Error("delete: We encountered an internal error (10001)");
        await bucket.delete(keys);
      };
    },
  });
  return { ...ctx, assets };
}

it("an object that R2 does not remove today holds up no other server's", async () => {
  const servers = [await createServer(), await createServer(), await createServer()];
  const objects = [];
  for (const server of servers) objects.push(await going(server));
  for (const stuck of objects) {
    await letGo(stuckAt(stuck.key));
    expect(await env.ASSETS_BUCKET.head(stuck.key)).not.toBeNull();
    const others = objects.filter(({ key }) => key !== stuck.key);
    expect(await Promise.all(others.map(({ key }) => env.ASSETS_BUCKET.head(key)))).toEqual([
      null,
      null,
    ]);
    for (const { id, key } of others) {
      await env.ASSETS_BUCKET.put(key, "x");
      await execute(sql`update panel_backups set r2_state = 'verified' where id = ${id}`);
    }
  }
  await letGo(testContext());
});

it("a list that was read before a removal and told after it brings nothing back", async () => {
  const { id: server } = await createServer();
  const [gone, other] = [unique("nusantara_"), unique("nusantara_")];
  const start = (type: string) =>
    execute(sql`select panel_backup_command(jsonb_build_object('server', ${server}::text, 'subject', ${type}::text, 'type', ${type}::text,
      'command', ${type}::text, 'input', '{}'::jsonb, 'hours', 1))::text`);
  const end = (type: string, value: object) =>
    execute(sql`select panel_record_command(jsonb_build_object('job_id', p.job_id, 'ok', true, 'value', ${JSON.stringify(value)}::jsonb))::text
      from panel_jobs p where p.server_id = ${server} and p.command = ${type} and p.outcome is null`);
  const items = [gone, other].map((name) => ({
    ...{
      name,
      file: `/b/${name}`,
      backupId: crypto.randomUUID(),
      kind: "database",
      subject: "toko",
    },
    ...{ bytes: 1, plainBytes: 1, sha256: "x", manifestSha256: "x", counts: {}, notes: [] },
    createdAt: new Date().toISOString(),
  }));
  const names = async () =>
    await testContext().db.run(
      rows(
        sql`select name from panel_backups where server_id = ${server}`,
        z.object({ name: z.string() }),
      ),
    );
  await start("backup.list");
  await start("backup.remove");
  await end("backup.remove", { removed: [gone] });
  await end("backup.list", { dir: "/b", items, unreadable: [] });
  expect(await names()).toEqual([{ name: other }]);
});
