import { CommandError } from "../../command-error.ts";
import type { AgentCtx } from "../../ctx.ts";
import type { DatabaseContent } from "../manifest.ts";
import type { Stage, StartStage } from "../processes.ts";
import { carriesHistory } from "../versions.ts";
import { insertsOf, type OddTables, oddTablesOf } from "./columns.ts";
import { clientOptions, DatabaseError, type Session, withSession } from "./connection.ts";
import { type Inventory, inventoryOf, type ProgramFacts, tableFacts } from "./facts.ts";
import { atMostNotes, programNotes } from "./notes.ts";
import { eventsOf, routinesOf, type Shown, showPrograms, wordsOf } from "./programs.ts";
import { type Trigger, triggersOf } from "./triggers.ts";

/** More than its head, which is written before the dump's own snapshot is taken; what follows is written after. */
const HEAD_BYTES = 4096;
const TRIES = 5;
const NO_SUCH_TABLE = 1146;
const OPTIONS = [
  "--single-transaction",
  "--quick",
  "--hex-blob",
  "--skip-triggers",
  "--skip-comments",
  "--no-autocommit",
];

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
      const { inventory, odd } = await lockTables(locking, database);
      await reading.rows("set session transaction isolation level repeatable read");
      await reading.rows("start transaction with consistent snapshot");
      const unlock = async () => void (await locking.rows("unlock tables"));
      const ofNow = await pastLost(ctx, odd);
      const given = { database, inventory, odd, to, unlock };
      const [dumpBytes, tables] = await Promise.all([
        dumpTables(ctx, start, given),
        tableFacts(reading, database, { ...inventory, ofNow }),
      ]);
      const tableBytes = dumpBytes + (await dumpFloats(ctx, start, reading, given));
      await unlock();
      const dumped = await dumpPrograms({ session: reading, database, inventory, to });
      const parts = [tableBytes, ...dumped.parts];
      const notes = atMostNotes([
        ...[...ofNow].map((name) => `${wordsOf({ kind: "TABLE", name })}: its past is left out`),
        ...(await programNotes(reading, dumped.shown, dumped.triggers)),
      ]);
      const content = {
        ...{ kind: "database" as const, ...place, tables, ...factsOf(dumped), parts },
        ...(notes.length > 0 && { notes }),
      };
      return { content, plainBytes: parts.reduce((sum, bytes) => sum + bytes, 0) };
    }),
  );
}

/** Versioned tables of which only the rows of now are in the dump. */
async function pastLost(ctx: AgentCtx, odd: OddTables): Promise<Set<string>> {
  const isCarried = odd.versioned.size > 0 && (await carriesHistory(ctx));
  const isLost = (name: string) =>
    !isCarried || odd.transactional.has(name) || odd.floats.has(name);
  return new Set([...odd.versioned].filter(isLost));
}

/** Of what is in the dump; what could not be shown is not. */
function factsOf({ shown, triggers }: DumpedPrograms): ProgramFacts {
  const [views, routines, events] = shown.map(({ programs }) => programs);
  return {
    views: views?.map(({ name }) => name) ?? [],
    ...{ routines: routines?.length ?? 0, triggers: triggers.length, events: events?.length ?? 0 },
  };
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

interface Locked {
  inventory: Inventory;
  odd: OddTables;
}

const lookAt = async (session: Session, database: string): Promise<Locked> => ({
  inventory: await inventoryOf(session, database),
  odd: await oddTablesOf(session, database),
});
const textOf = ({ inventory, odd: { floats, versioned, transactional } }: Locked): string =>
  JSON.stringify([inventory, [...floats], [...versioned], [...transactional]]);

/** Every table of the database, read-only; a table that came or went in between is seen by looking again. */
async function lockTables(session: Session, database: string): Promise<Locked> {
  await session.rows("set session lock_wait_timeout = 20");
  for (let tries = TRIES; tries > 0; tries -= 1) {
    const before = await lookAt(session, database);
    const names = [...before.inventory.tables, ...before.inventory.sequences];
    if (names.length === 0) return before;
    const locks = names.map((name) => `${session.name(database, name)} read`).join(", ");
    try {
      await session.rows(`lock tables ${locks}`);
    } catch (error) {
      if (error instanceof DatabaseError && error.errno === NO_SUCH_TABLE) continue;
      throw error;
    }
    if (textOf(await lookAt(session, database)) === textOf(before)) return before;
    await session.rows("unlock tables");
  }
  throw new CommandError("conflict", "the database's tables keep changing", { retryable: true });
}

interface TablesDump {
  database: string;
  inventory: Inventory;
  odd: OddTables;
  to: Stage;
  unlock: () => Promise<void>;
}

async function dumpTables(ctx: AgentCtx, start: StartStage, given: TablesDump): Promise<number> {
  const { database, inventory, odd, to, unlock } = given;
  // By name: a view that comes in between would bring its owner's own words into this text.
  const tables = inventory.tables.filter((name) => !odd.floats.has(name));
  const withPast = (await carriesHistory(ctx)) ? tables.filter(hasPast(odd)) : [];
  const plain = tables.filter((name) => !withPast.includes(name));
  let isLocked = !inventory.isPlain;
  const onBytes = async (soFar: number) => {
    if (!isLocked || soFar <= HEAD_BYTES || withPast.length > 0) return;
    isLocked = false;
    await unlock();
  };
  const dump = async (options: string[], names: string[]) => {
    if (names.length === 0) return 0;
    return await copyDump(ctx, start, [...options, "--", database, ...names], to, onBytes);
  };
  const pastBytes = await dump([...OPTIONS, "--dump-history"], withPast);
  return pastBytes + (await dump(OPTIONS, [...plain, ...inventory.sequences]));
}

const hasPast =
  ({ versioned, transactional }: OddTables) =>
  (name: string): boolean =>
    versioned.has(name) && !transactional.has(name);

/** Their shape by the dump program, their rows by us, of the moment that `reading` sees. */
async function dumpFloats(
  ctx: AgentCtx,
  start: StartStage,
  reading: Session,
  { database, odd, to }: TablesDump,
): Promise<number> {
  const names = [...odd.floats].sort();
  if (names.length === 0) return 0;
  const options = [...OPTIONS, "--no-data", "--", database, ...names];
  let bytes = await copyDump(ctx, start, options, to, async () => undefined);
  for (const name of names) {
    for await (const chunk of insertsOf(reading, database, name)) {
      bytes += chunk.length;
      await to.write(chunk);
    }
  }
  return bytes;
}

interface ProgramsDump {
  session: Session;
  database: string;
  inventory: Inventory;
  to: Pick<Stage, "write">;
}

export interface DumpedPrograms {
  /** Bytes of each: views, routines, events, triggers. */
  parts: number[];
  /** Views, routines, events. */
  shown: Shown[];
  triggers: Trigger[];
}

/**
 * Views, routines, events and triggers: apart, as a proof must not set events going, and a table with triggers cannot be
 * moved.
 */
export async function dumpPrograms({
  session,
  database,
  inventory: { views },
  to,
}: ProgramsDump): Promise<DumpedPrograms> {
  const named = views.map((name) => ({ kind: "VIEW" as const, name }));
  const shown = [
    await showPrograms(session, database, named),
    await showPrograms(session, database, await routinesOf(session, database)),
    await showPrograms(session, database, await eventsOf(session, database)),
  ];
  const triggers = await triggersOf(session, database);
  const parts: number[] = [];
  for (const list of [...shown.map(({ programs }) => programs), triggers]) {
    const bytes = Buffer.from(JSON.stringify(list));
    await to.write(bytes);
    parts.push(bytes.length);
  }
  return { parts, shown, triggers };
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
