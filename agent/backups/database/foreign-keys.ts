import { setTimeout as after } from "node:timers/promises";
import { z } from "zod";
import { CommandError } from "../../command-error.ts";
import { DatabaseError, type Session } from "./connection.ts";
import { wordsOf } from "./programs.ts";

/** A foreign key between two databases; `columns` of the table point at `parentColumns`. */
export const foreignKey = z.strictObject({
  schema: z.string(),
  table: z.string(),
  name: z.string(),
  columns: z.array(z.string()),
  parentSchema: z.string(),
  parent: z.string(),
  parentColumns: z.array(z.string()),
  onUpdate: z.enum(["RESTRICT", "CASCADE", "SET NULL", "NO ACTION", "SET DEFAULT"]),
  onDelete: z.enum(["RESTRICT", "CASCADE", "SET NULL", "NO ACTION", "SET DEFAULT"]),
});
export type ForeignKey = z.output<typeof foreignKey>;

const LOCK_TIMEOUT = 1205;
const NOT_THERE = [1054, 1146];
const LOCK_TRIES = 5;
const PAUSE_MS = 100;

interface KeyColumn extends Omit<ForeignKey, "columns" | "parentColumns"> {
  column: string;
  parentColumn: string;
}

/** Those of other databases that point into this one. */
export async function keysInto(session: Session, database: string): Promise<ForeignKey[]> {
  // The storage engine knows at once; the standard's own view opens every table of every schema that it is asked about.
  const found = await session.rows<{ child: string }>(
    `select FOR_NAME as child from information_schema.INNODB_SYS_FOREIGN
     where REF_NAME like ? and FOR_NAME not like ?`,
    [`${likeOf(database)}/%`, `${likeOf(database)}/%`],
  );
  const schemas = [...new Set(found.map(({ child }) => child.slice(0, child.indexOf("/"))))].filter(
    (name) => !/^nusantara_(?:scratch|old)_/.test(name),
  );
  if (schemas.length === 0) return [];
  // A name with other letters is written otherwise there.
  const isPlain = schemas.every((name) => /^[A-Za-z0-9_]+$/.test(name));
  const where = isPlain ? "and k.TABLE_SCHEMA in (?)" : "and k.TABLE_SCHEMA not in (?)";
  const names = isPlain ? schemas : [database];
  return await keysWhere(session, `k.REFERENCED_TABLE_SCHEMA = ? ${where}`, [database, names]);
}

/** Those of a schema that point into others. */
export async function keysOutOf(session: Session, schema: string): Promise<ForeignKey[]> {
  const where = "k.TABLE_SCHEMA = ? and k.REFERENCED_TABLE_SCHEMA <> ?";
  return await keysWhere(session, where, [schema, schema]);
}

async function keysWhere(session: Session, where: string, values: unknown[]) {
  const found = await session.rows<KeyColumn>(
    `select k.TABLE_SCHEMA as \`schema\`, k.TABLE_NAME as \`table\`, k.CONSTRAINT_NAME as name, k.COLUMN_NAME as \`column\`,
       k.REFERENCED_TABLE_SCHEMA as parentSchema, k.REFERENCED_TABLE_NAME as parent,
       k.REFERENCED_COLUMN_NAME as parentColumn, r.UPDATE_RULE as onUpdate, r.DELETE_RULE as onDelete
     from information_schema.KEY_COLUMN_USAGE k join information_schema.REFERENTIAL_CONSTRAINTS r
       on r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA and r.CONSTRAINT_NAME = k.CONSTRAINT_NAME and r.TABLE_NAME = k.TABLE_NAME
     where ${where} order by k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION`,
    values,
  );
  const keys = new Map<string, ForeignKey>();
  for (const { column, parentColumn, ...of } of found) {
    const id = JSON.stringify([of.schema, of.table, of.name]);
    const key = keys.get(id) ?? { ...of, columns: [], parentColumns: [] };
    key.columns.push(column);
    key.parentColumns.push(parentColumn);
    keys.set(id, key);
  }
  return z.array(foreignKey).parse([...keys.values()]);
}

const likeOf = (name: string): string => name.replace(/[\\_%]/g, "\\$&");

/** Refuses where a row of another database would point at nothing in `parents`. */
export async function checkKeys(
  session: Session,
  keys: readonly ForeignKey[],
  parents: string,
): Promise<void> {
  for (const key of keys) {
    const [child, parent] = [
      session.name(key.schema, key.table),
      session.name(parents, key.parent),
    ];
    const pairs = key.columns.map((column, i) => {
      const at = session.name("p", key.parentColumns[i] ?? "");
      return { child: session.name("c", column), parent: at };
    });
    const same = pairs.map((pair) => `${pair.parent} = ${pair.child}`).join(" and ");
    const set = pairs.map((pair) => `${pair.child} is not null`).join(" and ");
    const lost = await session
      .rows(
        `select 1 from ${child} c left join ${parent} p on ${same}
         where ${set} and ${pairs[0]?.parent ?? "1"} is null limit 1`,
      )
      .catch((error: unknown) => {
        if (error instanceof DatabaseError && NOT_THERE.includes(error.errno)) return [1];
        throw error;
      });
    if (lost.length > 0) throw pointsAtNothing(key);
  }
}

function pointsAtNothing({ schema, table, name }: ForeignKey): CommandError {
  const where = `${schema}.${table}`.replace(/[^\w.-]/g, "?");
  const key = wordsOf({ kind: "foreign key", name });
  return new CommandError(
    "conflict",
    `${key} of ${where} would point at rows that the backup does not have: restore that database first, or remove the key`,
  );
}

/**
 * Keys follow a table that is moved; afterwards they point at the old one. Makes each of them what it was, whatever a
 * killed restore has left of it, without asking whether its rows still fit: `checkKeys` does that.
 */
export async function pointAgain(
  session: Session,
  keys: readonly ForeignKey[],
  database: string,
): Promise<void> {
  if (keys.length === 0) return;
  await session.rows("set session foreign_key_checks = 0");
  try {
    for (const key of keys) {
      const values = [key.schema, key.table, key.name];
      const where = "k.TABLE_SCHEMA = ? and k.TABLE_NAME = ? and k.CONSTRAINT_NAME = ?";
      const [now] = await keysWhere(
        session,
        `${where} and k.REFERENCED_TABLE_NAME is not null`,
        values,
      );
      if (now?.parentSchema === database) continue;
      if (now) await dropKey(session, key);
      await addKey(session, key, database);
    }
  } finally {
    await session.rows("set session foreign_key_checks = 1");
  }
}

async function addKey(session: Session, key: ForeignKey, database: string): Promise<void> {
  const list = (columns: string[]) => columns.map((column) => session.name(column)).join(", ");
  await alter(
    session,
    `alter table ${session.name(key.schema, key.table)} add constraint ${session.name(key.name)}
     foreign key (${list(key.columns)}) references ${session.name(database, key.parent)} (${list(key.parentColumns)})
     on update ${key.onUpdate} on delete ${key.onDelete}`,
  );
}

export async function dropKey(session: Session, key: ForeignKey): Promise<void> {
  const table = session.name(key.schema, key.table);
  await alter(session, `alter table ${table} drop foreign key ${session.name(key.name)}`);
}

/** The other database goes on working: who holds its table is waited for, not ended. */
async function alter(session: Session, sql: string): Promise<void> {
  await session.rows("set session lock_wait_timeout = 2");
  for (let tries = LOCK_TRIES; ; tries -= 1) {
    try {
      await session.rows(sql);
      return;
    } catch (error) {
      const isBusy = error instanceof DatabaseError && error.errno === LOCK_TIMEOUT;
      if (!isBusy || tries === 0) throw error;
      await after(PAUSE_MS);
    }
  }
}
