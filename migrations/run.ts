import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate as applyNumbered } from "drizzle-orm/node-postgres/migrator";
import pg from "pg";
import { z } from "zod";
import { replaceFunctions } from "./replace.ts";
import { dropStrays, listStrays } from "./strays.ts";

/**
 * The migration tool, for a laptop and for production: `DATABASE_URL=… node migrations/run.ts`.
 *
 * 1. Numbered SQL (drizzle-kit's journal) runs once each, through drizzle's own migrator.
 * 2. Then every file of migrations/functions/ whose content changed runs again, in name order, in one
 *    transaction. So it holds only what may run again: `create or replace` of functions and triggers,
 *    `create index if not exists`. The old form of a function whose arguments or result change goes
 *    in that transaction (replace.ts).
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
  if (changed.length > 0) {
    await replaceFunctions(client, changed, ({ name, text }) =>
      client.query(
        `insert into public.schema_functions (name, sha256) values ($1, $2)
         on conflict (name) do update set sha256 = excluded.sha256, applied_at = now()`,
        [name, sha256(text)],
      ),
    );
  }
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
