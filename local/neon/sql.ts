import type { IncomingHttpHeaders } from "node:http";
import pg from "pg";
import { z } from "zod";
import type { Pools, Target } from "./pools.ts";

/**
 * What the driver posts to /sql and what it expects back, as its `index.mjs` (1.2.0) reads it.
 * It always asks for raw text and array mode and parses the values itself.
 */
const Query = z.object({ query: z.string(), params: z.array(z.unknown()).default([]) });
const Batch = z.object({ queries: z.array(Query) });

type Query = z.infer<typeof Query>;

const ISOLATION = new Map([
  ["ReadUncommitted", "READ UNCOMMITTED"],
  ["ReadCommitted", "READ COMMITTED"],
  ["RepeatableRead", "REPEATABLE READ"],
  ["Serializable", "SERIALIZABLE"],
]);

/** Fields of a Postgres error that the driver copies onto its NeonDbError. */
const ERROR_FIELDS = [
  "code",
  "detail",
  "hint",
  "position",
  "internalPosition",
  "internalQuery",
  "severity",
  "where",
  "table",
  "column",
  "schema",
  "dataType",
  "constraint",
  "file",
  "line",
  "routine",
] as const;

export type Answer = { status: number; body: unknown };

type FieldInfo = {
  name: string;
  dataTypeID: number;
  tableID: number;
  columnID: number;
  dataTypeSize: number;
  dataTypeModifier: number;
  format: "text";
};

type QueryAnswer = {
  command: string;
  rowCount: number | null;
  rows: unknown[];
  fields: FieldInfo[];
  rowAsArray: boolean;
};

/** Runs the body of one /sql call; a batch is one transaction. Never throws. */
export async function answerSql(
  pools: Pools,
  headers: IncomingHttpHeaders,
  body: string,
): Promise<Answer> {
  try {
    const target = targetOf(headers["neon-connection-string"]);
    if (headers["neon-raw-text-output"] !== "true") {
      throw new BadRequest("The local endpoint only answers with Neon-Raw-Text-Output: true");
    }
    const arrayMode = headers["neon-array-mode"] === "true";
    const input = parseBody(body);
    if ("query" in input) {
      return { status: 200, body: await pools.use(target, (c) => run(c, input, arrayMode)) };
    }
    const begin = beginStatement(headers);
    const results = await pools.use(target, (c) => runBatch(c, begin, input.queries, arrayMode));
    return { status: 200, body: { results } };
  } catch (error) {
    return answerError(error);
  }
}

class BadRequest extends Error {}

function parseBody(body: string): Query | z.infer<typeof Batch> {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw new BadRequest("The body is not JSON");
  }
  const batch = typeof json === "object" && json !== null && "queries" in json;
  const parsed = batch ? Batch.safeParse(json) : Query.safeParse(json);
  if (!parsed.success) throw new BadRequest("The body is neither a query nor a batch of queries");
  return parsed.data;
}

function targetOf(header: string | string[] | undefined): Target {
  if (typeof header !== "string") throw new BadRequest("missing connection string");
  const url = URL.canParse(header) ? new URL(header) : undefined;
  if (url?.protocol !== "postgresql:" && url?.protocol !== "postgres:") {
    throw new BadRequest("connection string must start with postgresql://");
  }
  return {
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)),
  };
}

function beginStatement(headers: IncomingHttpHeaders): string {
  const words = ["BEGIN"];
  const isolation = headers["neon-batch-isolation-level"];
  if (isolation !== undefined) {
    const level = ISOLATION.get(String(isolation));
    if (level === undefined) throw new BadRequest("invalid isolation level");
    words.push(`ISOLATION LEVEL ${level}`);
  }
  if (headers["neon-batch-read-only"] === "true") words.push("READ ONLY");
  if (headers["neon-batch-deferrable"] === "true") words.push("DEFERRABLE");
  return words.join(" ");
}

async function runBatch(
  client: pg.PoolClient,
  begin: string,
  queries: Query[],
  arrayMode: boolean,
): Promise<QueryAnswer[]> {
  await client.query(begin);
  try {
    const results: QueryAnswer[] = [];
    for (const query of queries) results.push(await run(client, query, arrayMode));
    await client.query("COMMIT");
    return results;
  } catch (error) {
    // The first failure is the answer; if even the rollback fails the connection is gone.
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

const asText = { getTypeParser: () => (value: string) => value };

/**
 * The extended protocol even without parameters: like Neon it takes one statement per query. Statements
 * stay unnamed, so each is planned anew, as it is there.
 */
async function run(
  client: pg.PoolClient,
  { query, params }: Query,
  arrayMode: boolean,
): Promise<QueryAnswer> {
  const config = {
    text: query,
    values: params,
    rowMode: "array" as const,
    types: asText,
    queryMode: "extended",
  };
  const result = await client.query<unknown[]>(config);
  return {
    command: result.command,
    rowCount: result.rowCount,
    rows: arrayMode ? result.rows : result.rows.map((row) => namedRow(result.fields, row)),
    fields: result.fields.map(fieldInfo),
    rowAsArray: arrayMode,
  };
}

function namedRow(fields: pg.FieldDef[], row: unknown[]): Record<string, unknown> {
  return Object.fromEntries(fields.map((field, index) => [field.name, row[index]]));
}

function fieldInfo(field: pg.FieldDef): FieldInfo {
  const { name, dataTypeID, tableID, columnID, dataTypeSize, dataTypeModifier } = field;
  return { name, dataTypeID, tableID, columnID, dataTypeSize, dataTypeModifier, format: "text" };
}

function answerError(error: unknown): Answer {
  if (error instanceof BadRequest) return { status: 400, body: { message: error.message } };
  if (!(error instanceof pg.DatabaseError)) {
    return { status: 500, body: { message: `The database cannot be reached: ${error}` } };
  }
  const fields = ERROR_FIELDS.map((name) => [name, error[name] ?? null]);
  return { status: 400, body: { message: error.message, ...Object.fromEntries(fields) } };
}
