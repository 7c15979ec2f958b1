import type { FullQueryResults } from "@neondatabase/serverless";
import { fillPlaceholders, type SQL } from "drizzle-orm";
import { drizzle } from "drizzle-orm/neon-http";
import { PgDialect } from "drizzle-orm/pg-core";
import type { z } from "zod";
import { UnstorableText } from "./errors.ts";

/** One statement ready to send: its text, its values, and how its answer becomes rows. */
export interface Statement<T> {
  sql: string;
  params: unknown[];
  arrayMode: boolean;
  map(result: FullQueryResults<boolean>): T;
}

/** What drizzle's builders share and do not export: compile to text once, map rows afterwards. */
interface Compiled<T> {
  getQuery(): { sql: string; params: unknown[] };
  mapResult(result: FullQueryResults<boolean>): T;
}
interface Builder<T> {
  prepare(name: string): Compiled<T> | { execute(values?: Record<string, unknown>): Promise<T> };
}

const dialect = new PgDialect({ casing: "snake_case" });

/** Builds queries and never runs one: `Database` does, so that no query depends on a module-level client. */
export const build = drizzle({
  client: Object.assign(
    () => {
      throw new Error("a builder was awaited; give it to ctx.db.run");
    },
    { query: undefined },
  ) as never,
  casing: "snake_case",
});

// drizzle types only `execute` of a prepared query; `getQuery` and `mapResult` are its public methods at run time.
function compile<T>(builder: Builder<T>): Compiled<T> {
  return builder.prepare("") as Compiled<T>;
}

function bind<T>(compiled: Compiled<T>, values: Record<string, unknown>): Statement<T> {
  const { sql, params } = compiled.getQuery();
  return {
    sql,
    params: fillPlaceholders(params, values),
    arrayMode: true,
    map: (result) => compiled.mapResult(result),
  };
}

/** A query that depends on its input's shape (optional filters): built each time. */
export function statement<T>(builder: Builder<T>): Statement<T> {
  return bind(compile(builder), {});
}

/** A hot query: compiled at its first use and then only filled with values (`sql.placeholder`). */
export function prepared<V extends Record<string, unknown>, T>(
  make: () => Builder<T>,
): (values: V) => Statement<T> {
  let compiled: Compiled<T> | undefined;
  return (values) => {
    compiled ??= compile(make());
    return bind(compiled, values);
  };
}

/** SQL written by hand (lists with a count, functions), its rows checked against `row`. */
export function rows<S extends z.ZodType>(query: SQL, row: S): Statement<z.output<S>[]> {
  const { sql, params } = dialect.sqlToQuery(query);
  return {
    sql,
    params,
    arrayMode: false,
    map: (result) => result.rows.map((value) => row.parse(value)),
  };
}

/** NUL or half a surrogate pair as `JSON.stringify` writes them; an even row of backslashes before `u` is plain text. */
const UNSTORABLE_ESCAPE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/;

/** A call of an SQL function `name(input jsonb) returns jsonb`, its answer checked against `output`. */
export function call<S extends z.ZodType>(
  name: string,
  input: Record<string, unknown>,
  output: S,
): Statement<z.output<S>> {
  const json = JSON.stringify(input);
  if (json.includes("\\u") && UNSTORABLE_ESCAPE.test(json)) throw new UnstorableText();
  return {
    sql: `select ${name}($1::jsonb)`,
    params: [json],
    arrayMode: true,
    map: (result) => {
      const row = result.rows[0];
      return output.parse(Array.isArray(row) ? row[0] : undefined);
    },
  };
}
