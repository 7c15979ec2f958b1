import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate as applyNumbered } from "drizzle-orm/node-postgres/migrator";
import pg from "pg";
import { z } from "zod";
import { dropStrays, listStrays, NOT_OF_AN_EXTENSION } from "./strays.ts";

/**
 * The migration tool, for a laptop and for production: `DATABASE_URL=… node migrations/run.ts`.
 *
 * 1. Numbered SQL (drizzle-kit's journal) runs once each, through drizzle's own migrator.
 * 2. Then every file of migrations/functions/ whose content changed runs again, in name order, in one
 *    transaction. So it holds only what may run again: `create or replace` of functions and triggers,
 *    `create index if not exists`. Where a function's arguments or result change, it drops the old form
 *    first (`drop function if exists`).
 * 3. With `--prune`, functions that no file defines any more are dropped. That is for after a deploy:
 *    the Worker of before may still call them.
 */
export type MigrateOptions = {
  folder?: string;
  /** Drop what no file defines any more; otherwise it is only named. */
  prune?: boolean;
  log?: (line: string) => void;
};

/** What a run did: tags of numbered migrations, names of function files, signatures of dropped functions. */
export type MigrateResult = { migrations: string[]; functions: string[]; pruned: string[] };

/** One number for all runners, so that two of them take turns. */
const LOCK_KEY = 7_061_986_110;

const Journal = z.object({ entries: z.array(z.object({ tag: z.string(), when: z.number() })) });

/** Brings a database up to date. Safe to repeat, safe to run twice at the same time. */
export async function migrate(
  connectionUrl: string,
  options: MigrateOptions = {},
): Promise<MigrateResult> {
  const folder = options.folder ?? import.meta.dirname;
  const log = options.log ?? (() => undefined);
  if (new URL(connectionUrl).hostname.split(".")[0]?.endsWith("-pooler")) {
    throw new Error(
      "This address is a transaction pooler, where a session lock does not hold. " +
        "Migrate through the direct address (the host name without `-pooler`).",
    );
  }
  const client = new pg.Client({ connectionString: connectionUrl });
  await client.connect();
  try {
    await client.query("select pg_advisory_lock($1)", [LOCK_KEY]);
    // A schema change that waits for a lock holds up everybody queued behind it.
    await client.query("set lock_timeout = '30s'; set client_min_messages = warning");
    const migrations = await runNumbered(client, folder);
    for (const tag of migrations) log(`applied ${tag}`);
    const functions = await runFunctions(client, join(folder, "functions"));
    for (const name of functions) log(`applied functions/${name}`);
    const pruned = await endStrays(client, folder, options.prune ?? false, log);
    if (migrations.length + functions.length + pruned.length === 0) log("nothing to apply");
    return { migrations, functions, pruned };
  } finally {
    await client.end();
  }
}

async function runNumbered(client: pg.Client, folder: string): Promise<string[]> {
  const journalFile = join(folder, "meta", "_journal.json");
  if (!existsSync(journalFile)) return [];
  const journal = Journal.parse(JSON.parse(readFileSync(journalFile, "utf8")));
  const before = await appliedHashes(client);
  assertUnedited(journal.entries, before, folder);
  await applyNumbered(drizzle(client), { migrationsFolder: folder });
  const after = await appliedHashes(client);
  for (const { tag, when } of journal.entries) {
    // Drizzle compares with the newest timestamp only, so an older file merged later is passed over.
    if (!after.has(when)) {
      throw new Error(`${tag} is older than a migration that is applied. Generate it again.`);
    }
  }
  return journal.entries.filter(({ when }) => !before.has(when)).map(({ tag }) => tag);
}

/** Applied migrations by their journal timestamp, as drizzle records them. */
async function appliedHashes(client: pg.Client): Promise<Map<number, string>> {
  const known = await client.query("select to_regclass('drizzle.__drizzle_migrations') as name");
  if (known.rows[0].name === null) return new Map();
  const applied = await client.query("select created_at, hash from drizzle.__drizzle_migrations");
  return new Map(applied.rows.map((row) => [Number(row.created_at), String(row.hash)]));
}

function assertUnedited(
  entries: z.infer<typeof Journal>["entries"],
  applied: Map<number, string>,
  folder: string,
): void {
  const whens = new Set(entries.map(({ when }) => when));
  for (const when of applied.keys()) {
    if (!whens.has(when)) {
      throw new Error(
        `The database has a migration of ${new Date(when).toISOString()} that this checkout lacks. ` +
          "Is the checkout out of date? (Local data of an abandoned change: delete `.lumbung/`.)",
      );
    }
  }
  for (const { tag, when } of entries) {
    const hash = applied.get(when);
    if (hash !== undefined && hash !== sha256(readFileSync(join(folder, `${tag}.sql`), "utf8"))) {
      throw new Error(
        `${tag}.sql was edited after it was applied. Put it back and write a new migration.`,
      );
    }
  }
}

async function runFunctions(client: pg.Client, folder: string): Promise<string[]> {
  const names = existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith(".sql"))
        .sort()
    : [];
  await client.query(`create table if not exists public.schema_functions (
    name text primary key, sha256 text not null, applied_at timestamptz not null default now())`);
  const recorded = await client.query("select name, sha256 from public.schema_functions");
  const known = new Map(recorded.rows.map((row) => [String(row.name), String(row.sha256)]));
  // A file that comes back, by going back to an older checkout, makes its functions again.
  const gone = [...known.keys()].filter((name) => !names.includes(name));
  await client.query("delete from public.schema_functions where name = any($1)", [gone]);
  const files = names.map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }));
  const changed = files.filter(({ name, text }) => known.get(name) !== sha256(text));
  if (changed.length > 0) await replaceFunctions(client, changed);
  return changed.map(({ name }) => name);
}

async function endStrays(
  client: pg.Client,
  folder: string,
  prune: boolean,
  log: (line: string) => void,
): Promise<string[]> {
  const strays = await listStrays(client, folder);
  if (!prune) {
    for (const signature of strays) log(`no file defines ${signature}: --prune drops it`);
    return [];
  }
  const { dropped, kept } = await dropStrays(client, strays);
  for (const signature of dropped) log(`dropped ${signature}`);
  for (const { signature, reason } of kept) log(`kept ${signature}: ${reason}`);
  return dropped;
}

async function replaceFunctions(
  client: pg.Client,
  files: { name: string; text: string }[],
): Promise<void> {
  await client.query("begin");
  try {
    // Files may call each other whatever their names: bodies are checked once all are there.
    await client.query("set local check_function_bodies = off");
    for (const { name, text } of files) {
      await client.query(text).catch((cause: unknown) => {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new Error(`functions/${name}: ${reason}`, { cause });
      });
      await client.query(
        `insert into public.schema_functions (name, sha256) values ($1, $2)
         on conflict (name) do update set sha256 = excluded.sha256, applied_at = now()`,
        [name, sha256(text)],
      );
    }
    await refuseOverloads(client);
    await checkBodies(client);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    throw error;
  }
}

/** Runs the checks that were put off on every function, also those that this run did not touch. */
async function checkBodies(client: pg.Client): Promise<void> {
  await client.query("set local check_function_bodies = on");
  const found = await client.query(`
    select p.oid, p.oid::regprocedure::text as signature, v.proname as validator
    from pg_proc p
    join pg_language l on l.oid = p.prolang and l.lanname in ('sql', 'plpgsql')
    join pg_proc v on v.oid = l.lanvalidator
    where p.pronamespace = 'public'::regnamespace and ${NOT_OF_AN_EXTENSION}`);
  for (const { oid, signature, validator } of found.rows) {
    await client.query(`select ${validator}($1)`, [oid]).catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`function ${signature}: ${reason}`, { cause });
    });
  }
}

/** `create or replace` with other arguments leaves the old function callable beside the new one. */
async function refuseOverloads(client: pg.Client): Promise<void> {
  const found = await client.query(`
    select p.proname, string_agg(p.oid::regprocedure::text, ', ' order by p.oid) as signatures
    from pg_proc p
    where p.pronamespace = 'public'::regnamespace and ${NOT_OF_AN_EXTENSION}
    group by p.proname having count(*) > 1`);
  const row = found.rows[0];
  if (row === undefined) return;
  throw new Error(
    `Two functions are named ${row.proname}: ${row.signatures}. ` +
      "Let its file drop the old one first (`drop function if exists`), then run again.",
  );
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

if (import.meta.main) {
  const url = process.env.DATABASE_URL;
  if (!url) {
    console.error("Set DATABASE_URL to the database to migrate.");
    process.exit(2);
  }
  try {
    const { values } = parseArgs({ options: { prune: { type: "boolean", default: false } } });
    await migrate(url, { prune: values.prune, log: (line) => console.log(line) });
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}
