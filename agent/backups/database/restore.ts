import { readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { z } from "zod";
import type { AgentCtx } from "../../ctx.ts";
import { storeFile, syncFolder } from "../folder.ts";
import { DatabaseError, type Session, withSession } from "./connection.ts";
import {
  difference,
  factsLike,
  inventoryOf,
  programDifference,
  programFacts,
  without,
} from "./facts.ts";
import { checkKeys, foreignKey, keysInto, pointAgain } from "./foreign-keys.ts";
import {
  createSchema,
  dropPrograms,
  dropTriggers,
  loadPrograms,
  oldSchema,
  scratchSchema,
} from "./load.ts";
import { type Refusal, wordsOf } from "./programs.ts";
import { differs, type LoadedBackup } from "./prove.ts";
import { keepPrograms, undoPath } from "./undo.ts";

const LOCK_TIMEOUT = 1205;
const SWAP_TRIES = 5;
const PAUSE_MS = 100;

/** What a restore has done to a database, on disk before it is done: a restore that was killed is ended by it. */
const journalSchema = z.strictObject({
  restoreId: z.uuid(),
  database: z.string(),
  /** Before the swap: a database without tables leaves none in the schema of the old ones. */
  tables: z.number().int().nonnegative(),
  /** Bytes of the parts of the file with its views, routines, events and triggers. */
  undo: z.array(z.number().int().nonnegative()).length(4),
  /** Of other databases: they follow the old tables, and are to point here again. */
  keys: z.array(foreignKey),
  /** `swapping`: goes back if it was killed. `verified`: only the old tables are to be removed. */
  phase: z.enum(["swapping", "verified"]),
});
type Journal = z.output<typeof journalSchema>;

const JOURNAL_NAME = /^restore-[0-9a-f-]{36}\.json$/;
const journalPath = (ctx: AgentCtx, restoreId: string) =>
  join(ctx.settings.stateDir, `restore-${restoreId}.json`);
/** Where the programs of a database stay when one of them could not be made again. */
const keptPath = (ctx: AgentCtx, restoreId: string) =>
  join(ctx.settings.stateDir, `kept-${restoreId}.json`);

/**
 * Ends what killed restores of this database began: what was being swapped goes back, what was verified is kept. True
 * when this very restore is among the latter, so there is nothing left to do.
 */
export async function settleKilledRestores(
  ctx: AgentCtx,
  database: string,
  restoreId: string,
): Promise<boolean> {
  let isDone = false;
  for (const name of await readdir(ctx.settings.stateDir)) {
    const journal = JOURNAL_NAME.test(name)
      ? await readJournal(join(ctx.settings.stateDir, name))
      : null;
    if (journal?.database !== database) continue;
    await withSession(ctx, async (session) => {
      if (journal.phase === "swapping") await putBack(ctx, session, journal);
      else await forget(ctx, session, journal.restoreId);
    });
    isDone ||= journal.phase === "verified" && journal.restoreId === restoreId;
  }
  return isDone;
}

async function readJournal(path: string): Promise<Journal | null> {
  try {
    return journalSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return null;
  }
}

async function writeJournal(ctx: AgentCtx, journal: Journal): Promise<void> {
  const path = journalPath(ctx, journal.restoreId);
  await storeFile(`${path}.new`, path, (file) => file.writeFile(JSON.stringify(journal)));
}

/**
 * Puts loaded and compared tables in the place of a database's own: all of them in one RENAME TABLE, while the old ones
 * wait in a schema beside it until what was restored has been read back. Any difference, and any failure, puts back what
 * was there.
 */
export async function swapIn(
  ctx: AgentCtx,
  restoreId: string,
  database: string,
  loaded: LoadedBackup,
): Promise<void> {
  const { session, schema, content } = loaded;
  await createSchema(session, database, content);
  const undo = await keepPrograms(ctx, session, restoreId, database);
  const before = await inventoryOf(session, database);
  const tables = before.tables.length + before.sequences.length;
  const keys = await keysInto(session, database);
  await checkKeys(session, keys, schema);
  const journal: Journal = { restoreId, database, tables, undo, keys, phase: "swapping" };
  await writeJournal(ctx, journal);
  try {
    await dropPrograms(session, schema);
    await session.rows(`drop database if exists ${session.name(oldSchema(restoreId))}`);
    await createSchema(session, oldSchema(restoreId), content);
    await moveTables(session, database, [
      { from: database, to: oldSchema(restoreId) },
      { from: schema, to: database },
    ]);
    await pointAgain(session, keys, database);
    await dropPrograms(session, database);
    const [, ...parts] = content.parts;
    const given = { schema: database, file: loaded.restFile, parts, withEvents: true };
    const refused = await loadPrograms(ctx, session, given);
    await verify(session, database, loaded, refused);
    await checkKeys(session, keys, database);
    for (const one of refused)
      ctx.log.warn(`${wordsOf(one)} was broken when it was backed up, and is left out`);
    ctx.signal.throwIfAborted();
  } catch (error) {
    // Not with the session that failed: it may be the one that was killed.
    await withSession(ctx, (fresh) => putBack(ctx, fresh, journal));
    throw error;
  }
  await writeJournal(ctx, { ...journal, phase: "verified" });
  await forget(ctx, session, restoreId);
}

interface Move {
  from: string;
  to: string;
}

/** In one statement, which the server does wholly or not at all; sessions that stand in its way are ended. */
async function moveTables(session: Session, database: string, moves: Move[]): Promise<void> {
  const renames: string[] = [];
  for (const { from, to } of moves) {
    await dropTriggers(session, from);
    const { tables, sequences } = await inventoryOf(session, from);
    for (const name of [...tables, ...sequences]) {
      renames.push(`${session.name(from, name)} to ${session.name(to, name)}`);
    }
  }
  if (renames.length === 0) return;
  await session.rows("set session lock_wait_timeout = 2");
  for (let tries = SWAP_TRIES; ; tries -= 1) {
    await endSessions(session, database);
    try {
      await session.rows(`rename table ${renames.join(", ")}`);
      return;
    } catch (error) {
      const isBusy = error instanceof DatabaseError && error.errno === LOCK_TIMEOUT;
      if (!isBusy || tries === 0) throw error;
      await after(PAUSE_MS);
    }
  }
}

/** Every other session that uses the database: it holds what is about to be gone. */
async function endSessions(session: Session, database: string): Promise<void> {
  const others = await session.rows<{ id: number | string }>(
    "select ID as id from information_schema.PROCESSLIST where DB = ? and ID <> connection_id()",
    [database],
  );
  // One that has gone by itself is what is wanted.
  for (const { id } of others) await session.rows("kill ?", [Number(id)]).catch(() => undefined);
}

/** Reads all of it back while nobody can write; whoever wrote before that makes a difference, and the old comes back. */
async function verify(
  session: Session,
  database: string,
  { content }: LoadedBackup,
  refused: readonly Refusal[],
): Promise<void> {
  const inventory = await inventoryOf(session, database);
  const names = [...inventory.tables, ...inventory.sequences];
  if (names.length > 0) {
    await session.rows(
      `lock tables ${names.map((name) => `${session.name(database, name)} read`).join(", ")}`,
    );
  }
  try {
    const found = await factsLike(session, database, content.tables);
    const wrong = difference(content.tables, found);
    if (wrong) throw differs(wrong);
  } finally {
    await session.rows("unlock tables");
  }
  const there = await programFacts(session, database);
  const wrong = programDifference(without(content, refused), there);
  if (wrong) throw differs(wrong);
}

/** The old tables and programs in their place again; where nothing had been moved, only the programs. */
async function putBack(ctx: AgentCtx, session: Session, journal: Journal): Promise<void> {
  const { restoreId, database } = journal;
  const [old, scratch] = [oldSchema(restoreId), scratchSchema(restoreId)];
  const isMoved = await wasMoved(session, journal);
  await dropPrograms(session, database);
  if (isMoved) {
    await session.rows(`drop database if exists ${session.name(scratch)}`);
    await session.rows(`create database ${session.name(scratch)}`);
    await session.rows(`create database if not exists ${session.name(old)}`);
    await moveTables(session, database, [
      { from: database, to: scratch },
      { from: old, to: database },
    ]);
  }
  await pointAgain(session, journal.keys, database);
  const file = undoPath(ctx, restoreId);
  try {
    const given = { schema: database, file, parts: journal.undo, withEvents: true };
    await loadPrograms(ctx, session, given);
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    // Such as a view of a table that is gone: it could not be made before either. Its text is kept.
    await rename(file, keptPath(ctx, restoreId));
    ctx.log.warn("a view, routine, event or trigger was not put back; all are kept as text", {
      file: keptPath(ctx, restoreId),
    });
  }
  await forget(ctx, session, restoreId);
}

/** The rename is one statement, so one look tells. */
async function wasMoved(session: Session, { restoreId, tables }: Journal): Promise<boolean> {
  const old = await inventoryOf(session, oldSchema(restoreId));
  if (old.tables.length + old.sequences.length > 0) return true;
  if (tables > 0) return false;
  // A database without tables: what it has now came from the scratch schema, or that still has it.
  const scratch = await inventoryOf(session, scratchSchema(restoreId));
  return scratch.tables.length + scratch.sequences.length === 0;
}

async function forget(ctx: AgentCtx, session: Session, restoreId: string): Promise<void> {
  await session.rows(`drop database if exists ${session.name(oldSchema(restoreId))}`);
  await session.rows(`drop database if exists ${session.name(scratchSchema(restoreId))}`);
  // The journal goes first: without the file beside it there is nothing that it could put back.
  await rm(journalPath(ctx, restoreId), { force: true });
  await rm(undoPath(ctx, restoreId), { force: true });
  await syncFolder(ctx.settings.stateDir);
}
