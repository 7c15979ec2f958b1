import { CommandError } from "../../command-error.ts";
import type { AgentCtx } from "../../ctx.ts";
import type { DatabaseContent } from "../manifest.ts";
import type { Stage, StartStage } from "../processes.ts";
import { clientOptions, DatabaseError, type Session, withSession } from "./connection.ts";
import { type Inventory, inventoryOf, programFacts, tableFacts } from "./facts.ts";
import { eventsOf, routinesOf, showPrograms } from "./programs.ts";
import { dumpTriggers } from "./triggers.ts";

/** More than its head, which is written before the dump's own snapshot is taken; what follows is written after. */
const HEAD_BYTES = 4096;
const TRIES = 5;
const NO_SUCH_TABLE = 1146;

export interface Dumped {
  content: DatabaseContent;
  plainBytes: number;
}

/**
 * Dumps a database while sites write to it. For the moment in which the dump and our own count take their snapshots, no
 * table can be written, so both see the same rows; tables without snapshots stay read-only until the end.
 */
export async function dumpDatabase(
  ctx: AgentCtx,
  database: string,
  to: Stage,
  start: StartStage,
): Promise<Dumped> {
  return await withSession(ctx, (locking) =>
    withSession(ctx, async (reading) => {
      const place = await placeOf(reading, database);
      const inventory = await lockTables(locking, database);
      await reading.rows("set session transaction isolation level repeatable read");
      await reading.rows("start transaction with consistent snapshot");
      const unlock = async () => void (await locking.rows("unlock tables"));
      const dumping = dumpTables(ctx, start, { database, inventory, to, unlock });
      const [tableBytes, tables] = await Promise.all([
        dumping,
        tableFacts(reading, database, inventory),
      ]);
      await unlock();
      const others = await dumpPrograms({ session: reading, database, inventory, to });
      const parts = [tableBytes, ...others];
      const programs = await programFacts(reading, database);
      const content = { kind: "database" as const, ...place, tables, ...programs, parts };
      return { content, plainBytes: parts.reduce((sum, bytes) => sum + bytes, 0) };
    }),
  );
}

async function placeOf(session: Session, database: string) {
  const [schema] = await session.rows<{ charset: string; collation: string; version: string }>(
    `select DEFAULT_CHARACTER_SET_NAME as charset, DEFAULT_COLLATION_NAME as collation, version() as version
     from information_schema.SCHEMATA where SCHEMA_NAME = ?`,
    [database],
  );
  if (!schema) throw new CommandError("not_found", "database not found");
  return { charset: schema.charset, collation: schema.collation, serverVersion: schema.version };
}

/** Every table of the database, read-only; a table that came or went in between is seen by looking again. */
async function lockTables(session: Session, database: string): Promise<Inventory> {
  await session.rows("set session lock_wait_timeout = 20");
  for (let tries = TRIES; tries > 0; tries -= 1) {
    const before = await inventoryOf(session, database);
    const names = [...before.tables, ...before.sequences];
    if (names.length === 0) return before;
    const locks = names.map((name) => `${session.name(database, name)} read`).join(", ");
    try {
      await session.rows(`lock tables ${locks}`);
    } catch (error) {
      if (error instanceof DatabaseError && error.errno === NO_SUCH_TABLE) continue;
      throw error;
    }
    if (JSON.stringify(await inventoryOf(session, database)) === JSON.stringify(before))
      return before;
    await session.rows("unlock tables");
  }
  throw new CommandError("conflict", "the database's tables keep changing", { retryable: true });
}

interface TablesDump {
  database: string;
  inventory: Inventory;
  to: Stage;
  unlock: () => Promise<void>;
}

async function dumpTables(ctx: AgentCtx, start: StartStage, given: TablesDump): Promise<number> {
  const { database, inventory, to, unlock } = given;
  // By name: a view that comes in between would bring its owner's own words into this text.
  const named = [...inventory.tables, ...inventory.sequences];
  if (named.length === 0) return 0;
  let isLocked = !inventory.isPlain;
  const options = [
    "--single-transaction",
    "--quick",
    "--hex-blob",
    "--skip-triggers",
    "--skip-comments",
    "--no-autocommit",
    "--",
    database,
    ...named,
  ];
  return await copyDump(ctx, start, options, to, async (bytes) => {
    if (!isLocked || bytes <= HEAD_BYTES) return;
    isLocked = false;
    await unlock();
  });
}

interface ProgramsDump {
  session: Session;
  database: string;
  inventory: Inventory;
  to: Pick<Stage, "write">;
}

/**
 * Views, routines, events and triggers: apart, as a proof must not set events going, and a table with triggers cannot be
 * moved. Answers the bytes of each.
 */
export async function dumpPrograms({
  session,
  database,
  inventory: { views },
  to,
}: ProgramsDump): Promise<number[]> {
  const named = views.map((name) => ({ kind: "VIEW" as const, name }));
  const texts = [
    await showPrograms(session, database, named),
    await showPrograms(session, database, await routinesOf(session, database)),
    await showPrograms(session, database, await eventsOf(session, database)),
    await dumpTriggers(session, database),
  ];
  const parts: number[] = [];
  for (const text of texts) {
    const bytes = Buffer.from(text);
    await to.write(bytes);
    parts.push(bytes.length);
  }
  return parts;
}

async function copyDump(
  ctx: AgentCtx,
  start: StartStage,
  options: string[],
  to: Pick<Stage, "write">,
  onBytes: (soFar: number) => Promise<void>,
): Promise<number> {
  const dump = start("mariadb-dump", [...clientOptions(ctx), "--skip-dump-date", ...options]);
  let bytes = 0;
  for await (const chunk of dump.stdout as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    await onBytes(bytes);
    await to.write(chunk);
  }
  await dump.ended();
  return bytes;
}
