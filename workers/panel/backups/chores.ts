import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { SYSTEM_DATABASES } from "../../../shared/agent-protocol/databases.ts";
import type { Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { describeError } from "../../../shared/log.ts";
import { linkOf } from "../link/link-client.ts";
import { removeObjects } from "./objects.ts";

const ASK_MS = 5_000;
/** Proofs and uploads that are begun in one run. */
const MOST = 50;

/** For the minute cron: what is due is ordered, proven, sent and let go. Runs may overlap and be cut off anywhere. */
export async function followBackups(ctx: Ctx): Promise<void> {
  await orderDue(ctx);
  const at = ctx.now().toISOString();
  wake(
    ctx,
    await asked(ctx, sql`panel_backups_follow(${at}::timestamptz, ${MOST}::int)`, wakeSchema),
  );
  await letGo(ctx);
}

async function orderDue(ctx: Ctx): Promise<void> {
  const at = ctx.now().toISOString();
  const Due = z.array(z.object({ server_id: z.string(), databases: z.boolean() }));
  for (const due of await asked(ctx, sql`panel_backups_due(${at}::timestamptz)`, Due)) {
    await apart(ctx, due, async () => {
      const databases = due.databases ? await namesOf(ctx, due.server_id) : null;
      const input = { server_id: due.server_id, at, databases };
      wake(ctx, await ctx.db.run(call("panel_backups_order", input, wakeSchema)));
    });
  }
}

/** One server's trouble, or one object's, holds up no other: it is told, and tried again in the next minute. */
async function apart(ctx: Ctx, of: { server_id: string }, work: () => Promise<void>) {
  await work().catch((error: unknown) => {
    ctx.log.error("backups of a server could not be followed", {
      ...{ server: of.server_id, alert: true },
      ...describeError(error),
    });
  });
}

/** The sites' databases, or null when the server cannot be asked now. */
async function namesOf(ctx: Ctx, serverId: string): Promise<string[] | null> {
  const answer = await linkOf(ctx, serverId).ask("db.list", {}, ASK_MS);
  if (answer.state !== "answered") return null;
  return answer.value.databases
    .filter(({ name, system }) => !system && !SYSTEM_DATABASES.includes(name))
    .filter(({ name }) => /^[A-Za-z0-9_]{1,64}$/.test(name))
    .map(({ name }) => name);
}

/** Objects first, then the files, rows last: what is left half-way is found by the next run. */
export async function letGo(ctx: Ctx): Promise<void> {
  const at = ctx.now().toISOString();
  const Marked = z.array(
    z.object({ id: z.uuid(), server_id: z.string(), upload_id: z.string().nullable() }),
  );
  const marked = await asked(ctx, sql`panel_backups_mark(${at}::timestamptz)`, Marked);
  for (const { id, server_id, upload_id } of marked) {
    await apart(ctx, { server_id }, async () => {
      await removeObjects(ctx, { id, serverId: server_id }, upload_id);
      await ctx.db.run(call("panel_backups_r2_gone", { ids: [id] }, z.unknown()));
    });
  }
  wake(ctx, await asked(ctx, sql`panel_backups_remove(${at}::timestamptz)`, wakeSchema));
}

async function asked<S extends z.ZodType>(ctx: Ctx, what: SQL, shape: S): Promise<z.output<S>> {
  const [row] = await ctx.db.run(
    rows(sql`select ${what} as answer`, z.object({ answer: z.unknown() })),
  );
  return shape.parse(row?.answer);
}
