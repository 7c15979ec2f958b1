import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";

/** A condition on `pg_proc p`: extensions keep their functions in our schema, too. */
export const NOT_OF_AN_EXTENSION = `not exists (
  select from pg_depend d
  where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')`;

const DEFINITION =
  /create\s+(?:or\s+replace\s+)?(?:function|procedure)\s+(?:public\.)?(\w+)\s*\(/gi;
/** Postgres' code for "other objects depend on it". */
const STILL_USED = "2BP01";

/** Signatures of the functions that went, and of those that something still uses. */
export type Pruned = { dropped: string[]; kept: { signature: string; reason: string }[] };

/**
 * Signatures of our functions that no file in `folder` defines any more, newest first. Ours are those in `public` that
 * this role owns and no extension brought.
 */
export async function listStrays(client: pg.Client, folder: string): Promise<string[]> {
  const defined = definedNames(folder);
  if (defined.size === 0) return [];
  const found = await client.query(`
    select p.proname as name, p.oid::regprocedure::text as signature
    from pg_proc p
    where p.pronamespace = 'public'::regnamespace
      and p.proowner = (select r.oid from pg_roles r where r.rolname = current_user)
      and p.prokind <> 'a' and ${NOT_OF_AN_EXTENSION}
    order by p.oid desc`);
  return found.rows
    .filter((row) => !defined.has(String(row.name)))
    .map((row) => String(row.signature));
}

/** Drops those functions in one transaction. What a trigger, an index or another function stands on stays. */
export async function dropStrays(client: pg.Client, signatures: string[]): Promise<Pruned> {
  const pruned: Pruned = { dropped: [], kept: [] };
  await client.query("begin");
  try {
    for (const signature of signatures) {
      const reason = await drop(client, signature);
      if (reason === null) pruned.dropped.push(signature);
      else pruned.kept.push({ signature, reason });
    }
    await client.query("commit");
    return pruned;
  } catch (error) {
    await client.query("rollback");
    throw error;
  }
}

/** Null once it is gone, else what still depends on it. Within a transaction. */
export async function drop(client: pg.Client, signature: string): Promise<string | null> {
  await client.query("savepoint before_drop");
  try {
    await client.query(`drop routine ${signature}`);
    return null;
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code !== STILL_USED) throw error;
    await client.query("rollback to savepoint before_drop");
    return error.detail ?? error.message;
  }
}

function definedNames(folder: string): Set<string> {
  const texts = [folder, join(folder, "functions")].flatMap(sqlFilesIn);
  return new Set(texts.flatMap((file) => [...namesDefinedIn(readFileSync(file, "utf8"))]));
}

/** Names of the functions and procedures that a text creates. */
export function namesDefinedIn(text: string): Set<string> {
  return new Set([...text.matchAll(DEFINITION)].map(([, name = ""]) => name.toLowerCase()));
}

function sqlFilesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".sql"))
    .map((name) => join(folder, name));
}
