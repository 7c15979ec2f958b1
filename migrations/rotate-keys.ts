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
  /** Somebody goes on sealing under an older key: the Worker does not have the new one in front. */
  isOvertaken: boolean;
}

/** What was sealed behind a round's back is found by the next; whoever is still at it then will not stop by himself. */
const MOST_ROUNDS = 5;

/**
 * Seals again, under the first key, whatever another one of the keys sealed, until there is nothing of it left.
 * `DATABASE_URL=… SEALING_KEYS=… npm run rotate-keys`. A row is written only if it still holds what was read, so it may
 * run beside the Worker, be stopped anywhere and be run again; what is under the first key already is not read.
 */
export async function rotateKeys(
  databaseUrl: string,
  keys: Keys,
  { batch = 500, columns = SEALED_COLUMNS, log = () => undefined }: RotateOptions = {},
): Promise<Rotated> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    let resealed = 0;
    for (let round = 1; ; round += 1) {
      const done = await rotateRound(client, { columns, keys, batch, log });
      resealed += done.resealed;
      const isOver = done.found === done.unopened.length;
      if (isOver || round === MOST_ROUNDS) {
        return { resealed, unopened: done.unopened, isOvertaken: !isOver };
      }
    }
  } finally {
    await client.end();
  }
}

interface Round {
  /** Of which another round may be needed, unless they were not opened. */
  found: number;
  resealed: number;
  unopened: string[];
}

/** Goes through all columns once. */
async function rotateRound(
  client: pg.Client,
  { columns, keys, batch, log }: Required<RotateOptions> & { keys: Keys },
): Promise<Round> {
  const total: Round = { found: 0, resealed: 0, unopened: [] };
  for (const column of columns) {
    const { found, resealed, unopened } = await rotateColumn(client, { column, keys, batch });
    total.found += found;
    total.resealed += resealed;
    total.unopened.push(...unopened);
    const name = `${column.table}.${column.column}`;
    if (found > 0) log(`${name}: ${resealed} sealed again, ${unopened.length} not opened`);
  }
  return total;
}

interface Job {
  column: SealedColumn;
  keys: Keys;
  batch: number;
}

async function rotateColumn(client: pg.Client, { column, keys, batch }: Job): Promise<Round> {
  const config = { SEALING_KEYS: keys };
  const [newest] = keys;
  if (!newest) throw new Error("there is no sealing key");
  const { read, write } = statements(column);
  const done: Round = { found: 0, resealed: 0, unopened: [] };
  let after: string | null = null;
  for (;;) {
    const found: pg.QueryResult = await client.query(read, [newest[0], after, batch]);
    done.found += found.rows.length;
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
      where ${only} and ${sealed} is not null and regexp_replace(${sealed}, '[.][^.]*$', '') <> $1
        and ($2::${keyType} is null or ${key} > $2::${keyType})
      order by ${key} limit $3`,
    write: `update ${table} set ${column} = ${changed}
      where ${key} = $1::${keyType} and ${only} and ${sealed} = $2`,
  };
}

/** `kid:secret[,kid:secret]`, as the Worker reads it. */
function keysFrom(text: string): Keys {
  return text.split(",").map((pair): [string, string] => {
    const [kid = "", secret = "", ...more] = pair.trim().split(":");
    const isPair = kid !== "" && secret !== "" && more.length === 0;
    if (!isPair) throw new Error("SEALING_KEYS is kid:secret[,kid:secret]");
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
    const { resealed, unopened, isOvertaken } = await rotateKeys(url, keysFrom(keys), {
      log: (line) => console.log(line),
    });
    for (const line of unopened) console.error(`no key opens ${line}`);
    console.log(`${resealed} sealed again; ${unopened.length} left as they were`);
    if (isOvertaken) {
      console.error("an older key is still in use: deploy the Worker with the new one in front");
    }
    if (unopened.length > 0 || isOvertaken) process.exit(1);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}
