import { randomUUID } from "node:crypto";
import { z } from "zod";
import { CommandError } from "../../command-error.ts";
import { DatabaseError, type Session } from "./connection.ts";
import type { Account, Makers } from "./makers.ts";

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
const NAME = '`(?:[^`]|``)*`|"(?:[^"]|"")*"';
const BEGINNING = new RegExp(
  `^(CREATE (?:OR REPLACE )?(?:ALGORITHM=\\w+ )?)DEFINER=(${NAME})(?:@(${NAME}))? ((?:SQL SECURITY \\w+ )?(?:AGGREGATE )?(VIEW|PROCEDURE|FUNCTION|PACKAGE BODY|PACKAGE|EVENT) )`,
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

export interface Named {
  kind: Kind;
  name: string;
}

export interface Shown {
  programs: Program[];
  /** What the server could not show. */
  unread: Named[];
  /** Shown, with a word of what it reads or whom it belongs to not being there. */
  broken: Named[];
}

/** Views, routines or events of a schema, as far as the server can show them. */
export async function showPrograms(
  session: Session,
  schema: string,
  given: readonly Named[],
): Promise<Shown> {
  const shown: Shown = { programs: [], unread: [], broken: [] };
  // A view's own schema is left out of its text where that is in use.
  if (given.length > 0) await session.rows(`use ${session.name(schema)}`);
  for (const { kind, name } of given) {
    const [row] = await session
      .rows<Record<string, string | null>>(`show create ${kind} ${session.name(schema, name)}`)
      .catch((error: unknown) => {
        if (error instanceof DatabaseError) return [];
        throw error;
      });
    const statement = row?.[COLUMN[kind]];
    if (!row || !statement || !BEGINNING.test(statement)) {
      shown.unread.push({ kind, name });
      continue;
    }
    shown.programs.push({
      ...{ kind, name, statement, schema },
      sqlMode: row.sql_mode ?? null,
      charset: row.character_set_client ?? "utf8mb4",
      collation: row.collation_connection ?? "utf8mb4_general_ci",
      timeZone: row.time_zone ?? null,
    });
    // Opened for that and not run: a tenant's view may call a function with the rights of who asks.
    const warnings = kind === "VIEW" ? await session.rows<{ Code: number }>("show warnings") : [];
    if (warnings.some(({ Code }) => Code === 1356)) shown.broken.push({ kind, name });
  }
  return shown;
}

export async function routinesOf(session: Session, schema: string): Promise<Named[]> {
  const found = await session.rows<{ name: string; type: string }>(
    "select ROUTINE_NAME as name, ROUTINE_TYPE as type from information_schema.ROUTINES where ROUTINE_SCHEMA = ? order by 2, 1",
    [schema],
  );
  return found.map(({ name, type }) => ({ kind: program.shape.kind.parse(type), name }));
}

export async function eventsOf(session: Session, schema: string): Promise<Named[]> {
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
    if (BEGINNING.exec(statement)?.[5]?.toUpperCase() !== kind)
      throw new CommandError("integrity", "the archive holds no view, routine or event there");
  }
  return programs;
}

/** Whose it was; a role is nobody who can sign in. */
export function ownerOf({ statement }: Pick<Program, "statement">): Account | null {
  const [, , user, host] = BEGINNING.exec(statement) ?? [];
  if (user === undefined || host === undefined) return null;
  return { user: unquoted(user), host: unquoted(host) };
}

const unquoted = (name: string): string => {
  const [quote = ""] = name;
  return name.slice(1, -1).replaceAll(quote + quote, quote);
};

export interface Refusal {
  kind: Kind | "TRIGGER";
  name: string;
  error: unknown;
}

/**
 * Makes programs in a schema, each as its owner, and answers those that the server refused. Views may stand on each
 * other: as long as one more could be made, the others are tried again.
 */
export async function makePrograms(
  makers: Makers,
  schema: string,
  programs: readonly Program[],
): Promise<Refusal[]> {
  let left = [...programs];
  for (;;) {
    const refused: (Refusal & { program: Program })[] = [];
    for (const one of left) {
      const { kind, name } = one;
      await makeAs(makers, ownerOf(one), (session) => makeProgram(session, schema, one)).catch(
        (error: unknown) => refused.push({ kind, name, error, program: one }),
      );
    }
    if (refused.length === 0 || refused.length === left.length) return refused;
    left = refused.map((one) => one.program);
  }
}

/** By its owner; where that one no longer may, by the database's keeper. */
export async function makeAs(
  makers: Makers,
  owner: Account | null,
  make: (session: Session) => Promise<void>,
): Promise<void> {
  const maker = await makers.of(owner);
  try {
    await make(maker.session);
  } catch (error) {
    if (maker.isKeeper || !isDenied(error)) throw error;
    await make((await makers.keeper()).session);
  }
}

async function makeProgram(session: Session, schema: string, given: Program): Promise<void> {
  const { kind, sqlMode, collation, timeZone } = given;
  // The server shows a view's text in its own way of writing, whatever mode it was made under.
  await session.rows("set session sql_mode = ?", [sqlMode ?? ""]);
  if (/^utf8mb[34]_/.test(collation))
    await session.rows("set session collation_connection = ?", [collation]);
  if (timeZone !== null) await session.rows("set session time_zone = ?", [timeZone]);
  const statement = kind === "VIEW" ? inSchema(session, given, schema) : given.statement;
  // Without a word of an owner it is whose session it is.
  await session.rows(statement.replace(BEGINNING, (...[, head, , , rest]) => `${head}${rest}`));
}

/** A function in a view's text is named with its schema: with that of the live database, a copy would lean on it. */
function inSchema(session: Session, { statement, schema: shownIn }: Program, to: string): string {
  const before = `${session.name(shownIn)}.`;
  return statement.replace(
    /'(?:[^'\\]|''|\\.)*'|`(?:[^`]|``)*`\.(?=`(?:[^`]|``)*`\()|`(?:[^`]|``)*`/gs,
    (part) => (part === before ? `${session.name(to)}.` : part),
  );
}

const FIRST_NAME = new RegExp(`^(?:${NAME})`);

/**
 * Makes each view under another name and removes it: whether it could be made again by whom it would then belong to.
 * Answers those that could not.
 */
export async function tryViews(
  makers: Makers,
  schema: string,
  views: readonly Program[],
): Promise<Refusal[]> {
  const refused: Refusal[] = [];
  const other = `nusantara_try_${randomUUID().slice(0, 8)}`;
  for (const view of views) {
    const start = view.statement.match(BEGINNING)?.[0].length ?? 0;
    const rest = view.statement.slice(start).replace(FIRST_NAME, `\`${other}\``);
    const tried = { ...view, statement: view.statement.slice(0, start) + rest };
    await makeAs(makers, ownerOf(view), async (session) => {
      await makeProgram(session, schema, tried);
      await session.rows(`drop view ${session.name(schema, other)}`);
    }).catch((error: unknown) => refused.push({ kind: "VIEW", name: view.name, error }));
  }
  return refused;
}

const errnoOf = (error: unknown): number => (error instanceof DatabaseError ? error.errno : 0);

/** A right is missing, as for a table of another database. */
const isDenied = (error: unknown): boolean =>
  [1044, 1045, 1142, 1143, 1227, 1356, 1370].includes(errnoOf(error));

/**
 * Whether a refusal is no loss. All tables and routines are there and compared, so a view that names what is not there
 * was as broken in the database; one that reads another database can be made there alone, where its owner has rights.
 */
export function isBroken({ kind, error }: Refusal, inScratch: boolean): boolean {
  if (kind === "TRIGGER") return errnoOf(error) === 1054;
  if (kind !== "VIEW") return false;
  return (
    [1054, 1109, 1146, 1305, 1356, 1449].includes(errnoOf(error)) || (inScratch && isDenied(error))
  );
}

/** A name of a tenant's in our words. */
export const wordsOf = ({ kind, name }: { kind: string; name: string }): string =>
  `${kind.toLowerCase()} ${name.replace(/[^\p{L}\p{N}_ .-]/gu, "?").slice(0, 64)}`;
