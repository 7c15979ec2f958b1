import pg from "pg";
import { seal, unseal } from "../shared/crypto/seal.ts";
import { SEALED_COLUMNS, type SealedColumn } from "./sealed-columns.ts";

type Keys = [kid: string, secret: string][];

export interface RotateOptions {
  /** Rows a statement. */
  batch?: number;
  columns?: readonly SealedColumn[];
  log?: (line: string) => void;
}

export interface Rotated {
  resealed: number;
  /** `table.column key` of what none of the keys opens: left as it is. */
  unopened: string[];
}

/**
 * Seals again, under the first key, whatever another one of the keys sealed. `DATABASE_URL=… SEALING_KEYS=… npm run
 * rotate-keys`. A row is written only if it still holds what was read, so it may run beside the Worker, be stopped
 * anywhere and be run again; what is under the first key already is not read.
 */
export async function rotateKeys(
  databaseUrl: string,
  keys: Keys,
  { batch = 500, columns = SEALED_COLUMNS, log = () => undefined }: RotateOptions = {},
): Promise<Rotated> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const total: Rotated = { resealed: 0, unopened: [] };
  try {
    for (const column of columns) {
      const { resealed, unopened } = await rotateColumn(client, { column, keys, batch });
      total.resealed += resealed;
      total.unopened.push(...unopened);
      const name = `${column.table}.${column.column}`;
      if (resealed + unopened.length > 0) {
        log(`${name}: ${resealed} sealed again, ${unopened.length} not opened`);
      }
    }
  } finally {
    await client.end();
  }
  return total;
}

interface Job {
  column: SealedColumn;
  keys: Keys;
  batch: number;
}

async function rotateColumn(client: pg.Client, { column, keys, batch }: Job): Promise<Rotated> {
  const config = { SEALING_KEYS: keys };
  const [newest] = keys;
  if (!newest) throw new Error("there is no sealing key");
  const { read, write } = statements(column);
  const done: Rotated = { resealed: 0, unopened: [] };
  let after: string | null = null;
  for (;;) {
    const found: pg.QueryResult = await client.query(read, [`${newest[0]}.`, after, batch]);
    for (const row of found.rows) {
      after = String(row.key);
      const text = await unseal(config, row.owner, row.sealed);
      if (text === null) {
        done.unopened.push(`${column.table}.${column.column} ${row.key}`);
        continue;
      }
      const sealed = await seal(config, row.owner, text);
      const written = await client.query(write, [row.key, row.sealed, sealed]);
      done.resealed += written.rowCount ?? 0;
    }
    if (found.rows.length < batch) return done;
  }
}

/** The names come from the list beside this file, never from outside. */
function statements(place: SealedColumn) {
  const { table, column, key, keyType = "uuid", owner, field, only = "true" } = place;
  const sealed = field ? `(${column}::jsonb->>'${field.name}')` : column;
  const changed = field
    ? `jsonb_set(${column}::jsonb, '{${field.name}}', to_jsonb($3::text))::${field.type}`
    : "$3";
  return {
    read: `
      select ${key}::text as key, ${owner} as owner, ${sealed} as sealed from ${table}
      where ${only} and ${sealed} is not null and not starts_with(${sealed}, $1)
        and ($2::${keyType} is null or ${key} > $2::${keyType})
      order by ${key} limit $3`,
    write: `update ${table} set ${column} = ${changed}
      where ${key} = $1::${keyType} and ${only} and ${sealed} = $2`,
  };
}

/** `kid:secret[,kid:secret]`, as the Worker reads it. */
function keysFrom(text: string): Keys {
  return text.split(",").map((pair): [string, string] => {
    const [kid = "", secret = ""] = pair.trim().split(":");
    if (kid === "" || secret === "") throw new Error("SEALING_KEYS is kid:secret[,kid:secret]");
    return [kid, secret];
  });
}

if (import.meta.main) {
  const { DATABASE_URL: url, SEALING_KEYS: keys } = process.env;
  if (!url || !keys) {
    console.error("Set DATABASE_URL, and SEALING_KEYS with the new key in front of the old ones.");
    process.exit(2);
  }
  try {
    const { resealed, unopened } = await rotateKeys(url, keysFrom(keys), {
      log: (line) => console.log(line),
    });
    for (const line of unopened) console.error(`no key opens ${line}`);
    console.log(`${resealed} sealed again; ${unopened.length} left as they were`);
    if (unopened.length > 0) process.exit(1);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}
