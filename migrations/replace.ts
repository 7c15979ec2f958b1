import pg from "pg";
import { drop, NOT_OF_AN_EXTENSION, namesDefinedIn } from "./strays.ts";

export type FunctionFile = { name: string; text: string };

/** A function as it is called: its name, and what tells it from others of that name. */
type Form = { oid: string; name: string; signature: string; version: string };

/** Postgres' code for a `create or replace` that would change the result or the names of the arguments. */
const OTHER_FORM = "42P13";

/**
 * Runs function files, all or none, and then checks every body. Where a function's arguments or result have changed,
 * its old form goes, so that a database of any earlier release can be taken over. Two files that define one name with
 * different arguments are refused, and so is a new form while a trigger, an index or a view stands on the old one.
 */
export async function replaceFunctions(
  client: pg.Client,
  files: FunctionFile[],
  record: (file: FunctionFile) => Promise<unknown>,
): Promise<void> {
  await client.query("begin");
  try {
    // Files may call each other whatever their names: bodies are checked once all are there.
    await client.query("set local check_function_bodies = off");
    const before = await listForms(client);
    for (const file of files) {
      await run(client, file).catch((cause: unknown) => {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new Error(`functions/${file.name}: ${reason}`, { cause });
      });
      await record(file);
    }
    await dropOldForms(client, before);
    await refuseOverloads(client);
    await checkBodies(client);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    throw error;
  }
}

/** One file; once more without the old forms of what it defines, where they are in the way. */
async function run(client: pg.Client, { text }: FunctionFile): Promise<void> {
  await client.query("savepoint before_file");
  try {
    await client.query(text);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code !== OTHER_FORM) throw error;
    await client.query("rollback to savepoint before_file");
    const names = namesDefinedIn(text);
    for (const form of await listForms(client)) {
      // What something stands on stays, which is well unless it is the one that must change.
      if (names.has(form.name)) await drop(client, form.signature);
    }
    await client.query(text);
  }
}

/** Drops what this run left as it was, of names that it has given another form. */
async function dropOldForms(client: pg.Client, before: Form[]): Promise<void> {
  const versions = new Map(before.map((form) => [form.oid, form.version]));
  const now = await listForms(client);
  const isOld = (form: Form) => versions.get(form.oid) === form.version;
  const renewed = new Set(now.filter((form) => !isOld(form)).map(({ name }) => name));
  for (const form of now.filter((one) => isOld(one) && renewed.has(one.name))) {
    const reason = await drop(client, form.signature);
    if (reason !== null) throw new Error(`${form.signature} has a new form, but ${reason}`);
  }
}

async function listForms(client: pg.Client): Promise<Form[]> {
  const found = await client.query(`
    select p.oid::text as oid, p.proname as name, p.oid::regprocedure::text as signature, p.xmin::text as version
    from pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.prokind <> 'a' and ${NOT_OF_AN_EXTENSION}`);
  return found.rows;
}

/** `create or replace` with other arguments leaves the other function callable beside it. */
async function refuseOverloads(client: pg.Client): Promise<void> {
  const forms = await listForms(client);
  const twice = forms.find((form) => forms.some((x) => x.name === form.name && x !== form));
  if (twice === undefined) return;
  const signatures = forms.filter(({ name }) => name === twice.name).map((x) => x.signature);
  throw new Error(
    `Two functions are named ${twice.name}: ${signatures.sort().join(", ")}. Give one of them another name.`,
  );
}

/**
 * Runs the checks that were put off on every function, also those that this run did not touch; in one round trip, for
 * this transaction may keep the running Worker from a table.
 */
async function checkBodies(client: pg.Client): Promise<void> {
  await client.query("set local check_function_bodies = on");
  await client.query(`do $check$
    declare
      f record;
    begin
      for f in
        select p.oid, p.oid::regprocedure::text as signature, v.proname as validator
        from pg_proc p
        join pg_language l on l.oid = p.prolang and l.lanname in ('sql', 'plpgsql')
        join pg_proc v on v.oid = l.lanvalidator
        where p.pronamespace = 'public'::regnamespace and ${NOT_OF_AN_EXTENSION}
      loop
        begin
          execute format('select %I($1)', f.validator) using f.oid;
        exception when others then
          raise exception 'function %: %', f.signature, sqlerrm using errcode = sqlstate;
        end;
      end loop;
    end $check$`);
}
