import { z } from "zod";
import { CommandError } from "../../command-error.ts";
import type { Session } from "./connection.ts";

/**
 * A view, routine or event as the server shows it: one statement, and the modes it was made under. What tenants wrote
 * goes to the server as single statements and never through a client that looks for the ends of statements by itself:
 * where the two disagree about a comment, a tenant's text would end one statement and begin the next.
 */
const program = z.strictObject({
  kind: z.enum(["VIEW", "PROCEDURE", "FUNCTION", "PACKAGE", "PACKAGE BODY", "EVENT"]),
  name: z.string(),
  statement: z.string(),
  /** The schema that it was shown in. */
  schema: z.string(),
  sqlMode: z.string().nullable(),
  charset: z.string(),
  collation: z.string(),
  timeZone: z.string().nullable(),
});
export type Program = z.output<typeof program>;
type Kind = Program["kind"];

/** How the server begins what it shows; anything else is none of these. */
const NAME = '(?:`(?:[^`]|``)*`|"(?:[^"]|"")*")';
const BEGINNING = new RegExp(
  `^CREATE (?:OR REPLACE )?(?:ALGORITHM=\\w+ )?DEFINER=${NAME}(?:@${NAME})? (?:SQL SECURITY \\w+ )?(?:AGGREGATE )?(VIEW|PROCEDURE|FUNCTION|PACKAGE BODY|PACKAGE|EVENT) `,
  "i",
);

const COLUMN: Record<Kind, string> = {
  VIEW: "Create View",
  PROCEDURE: "Create Procedure",
  FUNCTION: "Create Function",
  PACKAGE: "Create Package",
  "PACKAGE BODY": "Create Package Body",
  EVENT: "Create Event",
};

/** The views, routines or events of a schema as a text of JSON. */
export async function showPrograms(
  session: Session,
  schema: string,
  given: readonly { kind: Kind; name: string }[],
): Promise<string> {
  const found: Program[] = [];
  // A view's own schema is left out of its text where that is in use.
  if (given.length > 0) await session.rows(`use ${session.name(schema)}`);
  for (const { kind, name } of given) {
    const [row] = await session.rows<Record<string, string | null>>(
      `show create ${kind} ${session.name(schema, name)}`,
    );
    const statement = row?.[COLUMN[kind]];
    if (!row || !statement || !BEGINNING.test(statement))
      throw new CommandError("tool_failed", "a view, routine or event cannot be read");
    found.push({
      ...{ kind, name, statement, schema },
      sqlMode: row.sql_mode ?? null,
      charset: row.character_set_client ?? "utf8mb4",
      collation: row.collation_connection ?? "utf8mb4_general_ci",
      timeZone: row.time_zone ?? null,
    });
  }
  return JSON.stringify(found);
}

export async function routinesOf(
  session: Session,
  schema: string,
): Promise<{ kind: Kind; name: string }[]> {
  const found = await session.rows<{ name: string; type: string }>(
    "select ROUTINE_NAME as name, ROUTINE_TYPE as type from information_schema.ROUTINES where ROUTINE_SCHEMA = ? order by 2, 1",
    [schema],
  );
  return found.map(({ name, type }) => ({ kind: program.shape.kind.parse(type), name }));
}

export async function eventsOf(
  session: Session,
  schema: string,
): Promise<{ kind: Kind; name: string }[]> {
  const found = await session.rows<{ name: string }>(
    "select EVENT_NAME as name from information_schema.EVENTS where EVENT_SCHEMA = ? order by 1",
    [schema],
  );
  return found.map(({ name }) => ({ kind: "EVENT", name }));
}

export function parsePrograms(text: string): Program[] {
  if (text === "") return [];
  const programs = z.array(program).parse(JSON.parse(text));
  for (const { kind, statement } of programs) {
    if (BEGINNING.exec(statement)?.[1]?.toUpperCase() !== kind)
      throw new CommandError("integrity", "the archive holds no view, routine or event there");
  }
  return programs;
}

/**
 * Makes programs in a schema and answers those that the server refused. Views may stand on each other: as long as one
 * more could be made, the others are tried again.
 */
export async function makePrograms(
  session: Session,
  schema: string,
  programs: readonly Program[],
): Promise<{ program: Program; error: unknown }[]> {
  if (programs.length === 0) return [];
  await session.rows(`use ${session.name(schema)}`);
  let left = [...programs];
  for (;;) {
    const refused: { program: Program; error: unknown }[] = [];
    for (const one of left) {
      await makeProgram(session, schema, one).catch((error: unknown) =>
        refused.push({ program: one, error }),
      );
    }
    if (refused.length === 0 || refused.length === left.length) return refused;
    left = refused.map((one) => one.program);
  }
}

async function makeProgram(session: Session, schema: string, given: Program): Promise<void> {
  const { kind, sqlMode, collation, timeZone, statement } = given;
  // The server shows a view's text in its own way of writing, whatever mode it was made under.
  await session.rows("set session sql_mode = ?", [sqlMode ?? ""]);
  if (/^utf8mb[34]_/.test(collation))
    await session.rows("set session collation_connection = ?", [collation]);
  if (timeZone !== null) await session.rows("set session time_zone = ?", [timeZone]);
  await session.rows(kind === "VIEW" ? inSchema(session, given, schema) : statement);
}

/** A function in a view's text is named with its schema: with that of the live database, a copy would lean on it. */
function inSchema(session: Session, { statement, schema: shownIn }: Program, to: string): string {
  const before = `${session.name(shownIn)}.`;
  return statement.replace(
    /'(?:[^'\\]|''|\\.)*'|`(?:[^`]|``)*`\.(?=`(?:[^`]|``)*`\()|`(?:[^`]|``)*`/gs,
    (part) => (part === before ? `${session.name(to)}.` : part),
  );
}
