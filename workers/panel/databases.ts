import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../shared/context.ts";
import { toHex, utf8 } from "../../shared/crypto/index.ts";
import { rows } from "../../shared/db/statement.ts";
import { AppError } from "../../shared/http/errors.ts";
import { panelAudited } from "./audit.ts";
import { type Awaited, awaitJob, failureOf } from "./await-job.ts";
import { commandJob, type NewCommand, type PanelJob } from "./jobs.ts";
import { type Answer, linkOf } from "./link/link-client.ts";

const ASK_MS = 10_000;

/** What a command came to: done within the request, or under way. */
export type DoneOrPending = { state: "done" } | { state: "pending"; job: PanelJob };

/** The databases that are on the server this moment. */
export async function listDatabases(ctx: Ctx, server: string | null) {
  const id = await serverIdOf(ctx, server);
  const { databases } = answerOf(await linkOf(ctx, id).ask("db.list", {}, ASK_MS));
  return databases.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The id of the server that a call means. */
export async function serverIdOf(ctx: Ctx, server: string | null): Promise<string> {
  const [found] = await ctx.db.run(
    rows(
      sql`select id from panel_server_of(jsonb_build_object('server', ${server}::text))`,
      z.object({ id: z.string() }),
    ),
  );
  if (!found) throw new Error("panel_server_of answers or raises");
  return found.id;
}

/** The value of a question's answer; without one the caller learns that the server cannot be reached. */
export function answerOf<T>(answer: Answer<T>): T {
  switch (answer.state) {
    case "answered":
      return answer.value;
    case "refused":
      throw failureOf(answer.error);
    case "offline":
      throw new AppError("unavailable", "server is offline");
    case "timeout":
      throw new AppError("unavailable", "the server did not answer in time");
    default:
      return answer satisfies never;
  }
}

interface Server {
  server: string | null;
}

/** An empty database (utf8mb4); one that exists is done. */
export async function createDatabase(
  ctx: Ctx,
  { server, database }: Server & { database: string },
): Promise<DoneOrPending> {
  return await carryOut(ctx, {
    ...{ server, subject: "db", type: "create_database", command: "db.create" },
    ...{ input: { database }, payload: { database } },
    audit: { action: "db.create_database", type: "database", id: database },
  });
}

export interface NewDatabaseUser {
  database: string;
  username: string;
  password: string;
  host: string;
}

/** An account for one database. Its password stays here: the server is given what MariaDB keeps of it. */
export async function createDatabaseUser(
  ctx: Ctx,
  { server, password, ...user }: Server & NewDatabaseUser,
): Promise<DoneOrPending> {
  const passwordHash = await mysqlNativePassword(password);
  const { database, username, host } = user;
  return await carryOut(ctx, {
    ...{ server, subject: "db", type: "create_database_user", command: "db.create-user" },
    ...{ input: { database, username, host }, secret: { passwordHash } },
    payload: { database, username, host },
    audit: {
      action: "db.create_user",
      type: "database",
      id: database,
      metadata: { username, host },
    },
  });
}

/** A database with all that is in it. */
export async function dropDatabase(
  ctx: Ctx,
  { server, database }: Server & { database: string },
): Promise<DoneOrPending> {
  return await carryOut(ctx, {
    ...{ server, subject: "db", type: "drop_database", command: "db.drop" },
    ...{ input: { database }, payload: { database } },
    audit: { action: "db.drop_database", type: "database", id: database },
  });
}

export async function dropDatabaseUser(
  ctx: Ctx,
  { server, username, host }: Server & { username: string; host: string },
): Promise<DoneOrPending> {
  return await carryOut(ctx, {
    ...{ server, subject: "db", type: "drop_database_user", command: "db.drop-user" },
    ...{ input: { username, host }, payload: { username, host } },
    audit: { action: "db.drop_user", type: "database_user", id: username, metadata: { host } },
  });
}

type DatabaseCommand = "db.create" | "db.create-user" | "db.drop" | "db.drop-user";
interface Audited {
  audit: { action: string; type: string; id: string; metadata?: Record<string, unknown> };
}

async function carryOut<T extends DatabaseCommand>(
  ctx: Ctx,
  { audit: { action, type, id, metadata = {} }, ...command }: NewCommand<T> & Audited,
): Promise<DoneOrPending> {
  const start = await commandJob(ctx, command);
  const [job] = await ctx.db.batch([
    start,
    panelAudited(ctx, { action, target: { type, id }, metadata }),
  ]);
  return doneOrPending(await awaitJob(ctx, job));
}

/** A failed command is its caller's error. */
export function doneOrPending(awaited: Awaited): DoneOrPending {
  if (awaited.state === "failed") throw failureOf(awaited);
  return awaited.state === "done" ? { state: "done" } : { state: "pending", job: awaited.job };
}

/** What `identified by password '…'` takes: `*` and the SHA-1 of the SHA-1, in capitals. */
export async function mysqlNativePassword(password: string): Promise<string> {
  const once = await crypto.subtle.digest("SHA-1", utf8(password));
  const twice = await crypto.subtle.digest("SHA-1", once);
  return `*${toHex(new Uint8Array(twice)).toUpperCase()}`;
}
