import { open, readFile } from "node:fs/promises";
import type { AgentCtx } from "../../ctx.ts";
import type { DatabaseContent } from "../manifest.ts";
import type { Stage, StartStage } from "../processes.ts";
import { clientOptions, DatabaseError, type Session, withSession } from "./connection.ts";
import { inventoryOf } from "./facts.ts";
import { withMakers } from "./makers.ts";
import {
  isBroken,
  makePrograms,
  type Program,
  parsePrograms,
  type Refusal,
  wordsOf,
} from "./programs.ts";
import { makeTriggers } from "./triggers.ts";

const SCRATCH = "nusantara_scratch_";
const OLD = "nusantara_old_";

const shortId = (backupId: string) => backupId.replaceAll("-", "").slice(-12);
/** Where a backup is loaded before anything else is touched. */
export const scratchSchema = (backupId: string): string => SCRATCH + shortId(backupId);
/** Where a database's tables wait until the restored ones are verified. */
export const oldSchema = (backupId: string): string => OLD + shortId(backupId);

/** Schemas that commands of this process work with: the sweep leaves them. */
const inUse = new Set<string>();

/** An empty schema of its own for `work`; gone afterwards. */
export async function withScratchSchema<T>(
  ctx: AgentCtx,
  given: { schema: string; content: DatabaseContent },
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const { schema, content } = given;
  return await withSession(ctx, async (session) => {
    inUse.add(schema);
    try {
      await session.rows(`drop database if exists ${session.name(schema)}`);
      await createSchema(session, schema, content);
      return await work(session);
    } finally {
      await dropSchema(ctx, schema);
      inUse.delete(schema);
    }
  });
}

export async function createSchema(
  session: Session,
  schema: string,
  { charset, collation }: DatabaseContent,
): Promise<void> {
  const words = [charset, collation].map((word) => word.replace(/[^A-Za-z0-9_]/g, ""));
  await session.rows(
    `create database if not exists ${session.name(schema)} character set ${words[0]} collate ${words[1]}`,
  );
}

/** By a session of its own, as the caller's may be gone. */
async function dropSchema(ctx: AgentCtx, schema: string): Promise<void> {
  await withSession(ctx, async (session) => {
    await session.rows(`drop database if exists ${session.name(schema)}`);
  }).catch(() => ctx.log.warn("a scratch database is left to the next sweep"));
}

/** Removes scratch schemas that commands which were killed have left; `nusantara_old_…` is a restore's to decide. */
export async function sweepSchemas(ctx: AgentCtx): Promise<void> {
  await withSession(ctx, async (session) => {
    const left = await session.rows<{ name: string }>(
      "select SCHEMA_NAME as name from information_schema.SCHEMATA where SCHEMA_NAME like ?",
      [`${SCRATCH.replaceAll("_", "\\_")}%`],
    );
    for (const { name } of left) {
      if (inUse.has(name)) continue;
      await session.rows("call mysql.nusantara_unkeep(?)", [name]);
      await session.rows(`drop database if exists ${session.name(name)}`);
    }
  });
}

const client = (ctx: AgentCtx, start: StartStage, schema: string) =>
  start(
    "mariadb",
    [...clientOptions(ctx), "--batch", "--binary-mode", "--loose-sandbox", `--database=${schema}`],
    {
      stdin: "pipe",
    },
  );

/**
 * Loads a dump's tables into a schema and keeps the rest (views, routines, triggers, events: small) in a file. Reads to
 * the end, as the archive is only known to be whole there.
 */
export async function loadTables(
  ctx: AgentCtx,
  start: StartStage,
  plain: Stage,
  given: { schema: string; content: DatabaseContent; restFile: string },
): Promise<number> {
  const [tableBytes = 0] = given.content.parts;
  const loading = client(ctx, start, given.schema);
  const rest = await open(given.restFile, "wx", 0o600);
  let bytes = 0;
  try {
    for await (const chunk of plain.stdout as AsyncIterable<Buffer>) {
      const forTables = chunk.subarray(0, Math.max(0, tableBytes - bytes));
      if (forTables.length > 0) await loading.write(forTables);
      if (forTables.length < chunk.length) await rest.write(chunk.subarray(forTables.length));
      bytes += chunk.length;
    }
    loading.end();
    await loading.ended();
  } finally {
    await rest.close();
  }
  return bytes;
}

export interface Programs {
  schema: string;
  file: string;
  /** Bytes of its parts: views, routines, events, triggers. */
  parts: readonly number[];
  withEvents: boolean;
}

/**
 * Makes routines, views, triggers, and events where they are wanted, from a file of `dumpPrograms`, each as a statement
 * of its own and by its owner; in a scratch schema by its keeper. Answers those that were broken before; any other
 * refusal is thrown once all that can be made are made.
 */
export async function loadPrograms(
  ctx: AgentCtx,
  session: Session,
  { schema, file, parts, withEvents }: Programs,
): Promise<Refusal[]> {
  const [views = "", routines = "", events = "", triggers = ""] = await textsOf(file, parts);
  const inScratch = !withEvents;
  const given = { schema, onlyKeeper: inScratch };
  const refused = await withMakers(ctx, session, given, async (makers) => [
    ...(await makePrograms(makers, schema, parsePrograms(routines))),
    ...(await makePrograms(makers, schema, parsePrograms(views))),
    ...(await makePrograms(makers, schema, withEvents ? parsePrograms(events) : [])),
    ...(await makeTriggers(makers, schema, triggers)),
  ]);
  const lost = refused.find((one) => !isBroken(one, inScratch));
  if (lost?.error instanceof DatabaseError) {
    const { errno } = lost.error;
    throw new DatabaseError(errno, `${wordsOf(lost)} cannot be made again (error ${errno})`);
  }
  if (lost) throw lost.error;
  return refused;
}

/** The views in a file of `dumpPrograms`. */
export async function viewsIn(file: string, parts: readonly number[]): Promise<Program[]> {
  const [views = ""] = await textsOf(file, parts);
  return parsePrograms(views);
}

async function textsOf(file: string, parts: readonly number[]): Promise<string[]> {
  const bytes = await readFile(file);
  let from = 0;
  return parts.map((length) => {
    const text = bytes.subarray(from, from + length).toString();
    from += length;
    return text;
  });
}

/** Views, routines, triggers and events of a schema; its tables stay. */
export async function dropPrograms(session: Session, schema: string): Promise<void> {
  await dropTriggers(session, schema);
  const { views } = await inventoryOf(session, schema);
  for (const view of views) await session.rows(`drop view if exists ${session.name(schema, view)}`);
  const routines = await session.rows<{ name: string; type: string }>(
    "select ROUTINE_NAME as name, ROUTINE_TYPE as type from information_schema.ROUTINES where ROUTINE_SCHEMA = ?",
    [schema],
  );
  for (const { name, type } of routines) {
    const kind =
      type === "FUNCTION" || type === "PACKAGE" || type === "PACKAGE BODY" ? type : "PROCEDURE";
    await session.rows(`drop ${kind} if exists ${session.name(schema, name)}`);
  }
  const events = await session.rows<{ name: string }>(
    "select EVENT_NAME as name from information_schema.EVENTS where EVENT_SCHEMA = ?",
    [schema],
  );
  for (const { name } of events)
    await session.rows(`drop event if exists ${session.name(schema, name)}`);
}

/** A table with triggers cannot move into another schema. */
export async function dropTriggers(session: Session, schema: string): Promise<void> {
  const triggers = await session.rows<{ name: string }>(
    "select TRIGGER_NAME as name from information_schema.TRIGGERS where TRIGGER_SCHEMA = ?",
    [schema],
  );
  for (const { name } of triggers)
    await session.rows(`drop trigger if exists ${session.name(schema, name)}`);
}
