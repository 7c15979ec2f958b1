import { CommandError } from "../../command-error.ts";
import type { DatabaseContent } from "../manifest.ts";
import { NOW, sumOf } from "./columns.ts";
import type { Session } from "./connection.ts";

export type TableFacts = DatabaseContent["tables"][number];

interface TableRow {
  TABLE_NAME: string;
  TABLE_TYPE: string;
  ENGINE: string | null;
}

/** What a database has, by name. Only `tables` and `sequences` can move into another database. */
export interface Inventory {
  tables: string[];
  sequences: string[];
  views: string[];
  /** Some tables have an engine without snapshots. */
  isPlain: boolean;
}

export async function inventoryOf(session: Session, database: string): Promise<Inventory> {
  const found = await session.rows<TableRow>(
    "select TABLE_NAME, TABLE_TYPE, ENGINE from information_schema.TABLES where TABLE_SCHEMA = ? order by TABLE_NAME",
    [database],
  );
  const named = (...types: string[]) =>
    found.filter((row) => types.includes(row.TABLE_TYPE)).map((row) => row.TABLE_NAME);
  const known = ["BASE TABLE", "SYSTEM VERSIONED", "SEQUENCE", "VIEW"];
  if (found.some((row) => !known.includes(row.TABLE_TYPE))) {
    throw new CommandError("tool_failed", "the database has objects of a kind that is not known");
  }
  return {
    tables: named("BASE TABLE", "SYSTEM VERSIONED"),
    sequences: named("SEQUENCE"),
    views: named("VIEW"),
    isPlain: found.some((row) => row.ENGINE !== null && row.ENGINE !== "InnoDB"),
  };
}

/**
 * Rows and checksum of each table, as the session sees them. A sequence counts on outside of transactions: of it there is
 * no checksum. Of tables in `ofNow` it is one over their rows of now, without a past.
 */
export async function tableFacts(
  session: Session,
  database: string,
  { tables, sequences, ofNow }: Pick<Inventory, "tables" | "sequences"> & { ofNow: Set<string> },
): Promise<TableFacts[]> {
  const facts: TableFacts[] = sequences.map((name) => ({ name, rows: 1, checksum: "" }));
  for (const name of tables) {
    const [counted] = await session.rows<{ n: number | string }>(
      `select count(*) as n from ${session.name(database, name)}`,
    );
    if (counted === undefined) throw unreadable();
    const checksum = ofNow.has(name)
      ? await sumOf(session, database, name)
      : await checksumOf(session, database, name);
    facts.push({ name, rows: Number(counted.n), checksum });
  }
  return facts.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function checksumOf(session: Session, database: string, name: string): Promise<string> {
  const [summed] = await session.rows<{ Checksum: number | string | null }>(
    `checksum table ${session.name(database, name)} extended`,
  );
  const checksum = summed?.Checksum;
  if (checksum === undefined || checksum === null) throw unreadable();
  return String(checksum);
}

const unreadable = () => new CommandError("tool_failed", "a table cannot be read");

/** What a schema has now, counted as it was counted when it was backed up. */
export async function factsLike(
  session: Session,
  schema: string,
  expected: readonly TableFacts[],
): Promise<TableFacts[]> {
  const ofNow = new Set(
    expected.filter(({ checksum }) => checksum.startsWith(NOW)).map(({ name }) => name),
  );
  return await tableFacts(session, schema, { ...(await inventoryOf(session, schema)), ofNow });
}

export interface ProgramFacts {
  views: string[];
  routines: number;
  triggers: number;
  events: number;
}

export async function programFacts(session: Session, database: string): Promise<ProgramFacts> {
  const count = async (table: string, column: string) => {
    const [row] = await session.rows<{ n: number | string }>(
      `select count(*) as n from information_schema.${table} where ${column} = ?`,
      [database],
    );
    return Number(row?.n ?? 0);
  };
  const { views } = await inventoryOf(session, database);
  return {
    views,
    routines: await count("ROUTINES", "ROUTINE_SCHEMA"),
    triggers: await count("TRIGGERS", "TRIGGER_SCHEMA"),
    events: await count("EVENTS", "EVENT_SCHEMA"),
  };
}

/** The first difference in words, or null. */
export function difference(
  expected: readonly TableFacts[],
  found: readonly TableFacts[],
): string | null {
  const byName = new Map(found.map((table) => [table.name, table]));
  for (const table of expected) {
    const other = byName.get(table.name);
    if (!other) return "a table is missing";
    if (other.rows !== table.rows) return `a table has ${other.rows} rows instead of ${table.rows}`;
    if (other.checksum !== table.checksum) return "a table has another content";
  }
  return found.length === expected.length ? null : "there is a table too many";
}

/** What is there when these could not be made. */
export function without(
  { views, routines, triggers, events }: ProgramFacts,
  refused: readonly { kind: string; name: string }[],
): ProgramFacts {
  const gone = (kind: string) => refused.filter((one) => one.kind === kind);
  const names = new Set(gone("VIEW").map(({ name }) => name));
  return {
    views: views.filter((name) => !names.has(name)),
    ...{ routines, events, triggers: triggers - gone("TRIGGER").length },
  };
}

export function programDifference(expected: ProgramFacts, found: ProgramFacts): string | null {
  if (expected.views.join("\0") !== found.views.join("\0")) return "views differ";
  for (const what of ["routines", "triggers", "events"] as const) {
    if (expected[what] !== found[what]) return `${what} differ`;
  }
  return null;
}
