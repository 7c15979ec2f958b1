import { sql } from "drizzle-orm";
import { z } from "zod";
import { auditContext } from "../../../shared/audit/audit.ts";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call, rows, type Statement } from "../../../shared/db/statement.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { type Awaited, awaitJob, failureOf } from "../await-job.ts";
import { type PanelJob, type StartedJob, startedShape } from "../jobs.ts";
import { knowOwnStates } from "./signature.ts";

/** As the contract's list shows one, with what is known of its proof beside it. */
export const backupView = z.object({
  id: z.string(),
  file: z.string(),
  size: z.number(),
  created_at: z.string(),
  kind: z.enum(["state", "site", "database"]),
  subject: z.string(),
  server_id: z.string(),
  origin: z.enum(["manual", "schedule", "found"]),
  counts: z.record(z.string(), z.number()),
  notes: z.array(z.string()),
  stored: z.object({ disk: z.boolean(), r2: z.boolean() }),
  last_proven_at: z.string().nullable(),
  restore_ms: z.number().nullable(),
  prove_error: z.string().nullable(),
  unproven: z.boolean(),
});
export type BackupView = z.output<typeof backupView>;

/** The contract's answer, or the job that still works on it. */
export type Done<T> = { state: "done"; value: T } | { state: "pending"; job: PanelJob };

const Started = z.object({ backup_id: z.uuid(), job: startedShape });
const Job = z.object({ job: startedShape });

export type WantedBackup =
  | { kind: "state" }
  | { kind: "site"; site: string }
  | { kind: "database"; database: string };

const who = (ctx: Ctx) => ({ user_id: actorOf(ctx).userId, audit: auditContext(ctx) });

/** Makes a backup now. It is proven, and sent to R2 where the policy wants that, behind the answer. */
export async function runBackup(
  ctx: Ctx,
  server: string | null,
  wanted: WantedBackup,
): Promise<Done<{ file: string; created_at: string }>> {
  const { audit, user_id } = who(ctx);
  const input = { server, ...wanted, origin: "manual", triggered_by: user_id, audit };
  const { backup_id, job } = await ctx.db.run(call("panel_backup_start", input, Started));
  return await ended(await awaitJob(ctx, job), async () => {
    const { file, created_at } = await viewOf(ctx, backup_id);
    return { file, created_at };
  });
}

/** Puts a backup back: for the whole server where it is of the panel's state, else of its site or database. */
export async function restoreBackup(
  ctx: Ctx,
  server: string | null,
  file: string,
): Promise<Done<{ file: string }>> {
  const { sessionId } = actorOf(ctx);
  const input = {
    ...{ server, file, restore_id: crypto.randomUUID(), session_id: sessionId },
    ...who(ctx),
  };
  const job = await findingFile(ctx, server, call("panel_backup_restore", input, Job));
  return await ended(await awaitJob(ctx, job.job), async () => ({ file }));
}

/** Restores a backup into a scratch place and compares, now. */
export async function proveBackup(
  ctx: Ctx,
  server: string | null,
  file: string,
): Promise<Done<BackupView>> {
  const input = { server, file, ...who(ctx) };
  const started = await findingFile(ctx, server, call("panel_backup_prove", input, Started));
  return await ended(await awaitJob(ctx, started.job), () => viewOf(ctx, started.backup_id));
}

/** A backup that only its server knows (the panel was made anew) is found by asking the server what it has. */
async function findingFile<T>(
  ctx: Ctx,
  server: string | null,
  statement: Statement<T>,
): Promise<T> {
  try {
    return await ctx.db.run(statement);
  } catch (error) {
    const isUnknown = error instanceof AppError && error.message === "backup not found";
    if (!isUnknown) throw error;
    const looked = await lookInFolder(ctx, server);
    if (looked.state !== "done") throw error;
    await knowOwnStates(ctx, looked.job.server_id);
    ctx.db.guardAgain();
    return await ctx.db.run(statement);
  }
}

const lookInFolder = async (ctx: Ctx, server: string | null): Promise<Awaited> => {
  const job = await listJob(ctx, server);
  return await awaitJob(ctx, job);
};

async function listJob(ctx: Ctx, server: string | null): Promise<StartedJob> {
  const input = { server, user_id: actorOf(ctx).userId };
  return await ctx.db.run(call("panel_backup_list_job", input, startedShape));
}

export type Listed = { items: BackupView[]; job: PanelJob | null };

/** What lies in the server's folder, newest first; while the server is away, what is known of it, with the job. */
export async function listBackups(ctx: Ctx, server: string | null, limit: number): Promise<Listed> {
  const seen = await lookInFolder(ctx, server);
  if (seen.state === "failed") throw failureOf(seen);
  if (seen.state === "done") await knowOwnStates(ctx, seen.job.server_id);
  const items = await ctx.db.run(
    rows(
      sql`select panel_backup_view(b) as view from panel_backups b
        where b.server_id = ${seen.job.server_id} and b.state = 'stored'
        order by b.created_at desc, b.id desc limit ${limit}`,
      z.object({ view: backupView }).transform((row) => row.view),
    ),
  );
  return { items, job: seen.state === "pending" ? seen.job : null };
}

async function viewOf(ctx: Ctx, id: string): Promise<BackupView> {
  const [found] = await ctx.db.run(
    rows(
      sql`select panel_backup_view(b) as view from panel_backups b where b.id = ${id}`,
      z.object({ view: backupView }).transform((row) => row.view),
    ),
  );
  if (!found) throw new AppError("not_found", "backup not found");
  return found;
}

async function ended<T>(seen: Awaited, value: () => Promise<T>): Promise<Done<T>> {
  if (seen.state === "failed") throw failureOf(seen);
  if (seen.state === "pending") return { state: "pending", job: seen.job };
  return { state: "done", value: await value() };
}
