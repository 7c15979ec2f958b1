import { CommandError } from "../../command-error.ts";
import type { DatabaseContent } from "../manifest.ts";
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
 * Rows and checksum of each table, as the session sees them. A sequence counts on outside of transactions, and a
 * versioned table's past is not dumped: of these there is no checksum.
 */
export async function tableFacts(
  session: Session,
  database: string,
  given: Inventory,
): Promise<TableFacts[]> {
  const facts: TableFacts[] = given.sequences.map((name) => ({ name, rows: 1, checksum: "" }));
  for (const name of given.tables) {
    const table = session.name(database, name);
    const [counted] = await session.rows<{ n: number | string }>(
      `select count(*) as n from ${table}`,
    );
    const [summed] = await session.rows<{ Checksum: number | string | null }>(
      `checksum table ${table} extended`,
    );
    const checksum = summed?.Checksum;
    if (counted === undefined || checksum === undefined || checksum === null) {
      throw new CommandError("tool_failed", "a table cannot be read");
    }
    facts.push({ name, rows: Number(counted.n), checksum: String(checksum) });
  }
  return facts.sort((a, b) => (a.name < b.name ? -1 : 1));
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

export function programDifference(expected: ProgramFacts, found: ProgramFacts): string | null {
  if (expected.views.join("\0") !== found.views.join("\0")) return "views differ";
  for (const what of ["routines", "triggers", "events"] as const) {
    if (expected[what] !== found[what]) return `${what} differ`;
  }
  return null;
}
