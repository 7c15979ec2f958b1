import { z } from "zod";
import type { Session } from "./connection.ts";
import type { Account, Makers } from "./makers.ts";
import { makeAs, type Refusal } from "./programs.ts";

/**
 * A trigger by its parts. The server keeps its text as it was typed, with the names of schemas that stood in it: as such
 * it could not be made in another schema, or would be made in the wrong one.
 */
const trigger = z.strictObject({
  name: z.string(),
  table: z.string(),
  timing: z.enum(["BEFORE", "AFTER"]),
  event: z.enum(["INSERT", "UPDATE", "DELETE"]),
  statement: z.string(),
  definer: z.string(),
  sqlMode: z.string(),
  collation: z.string(),
});
export type Trigger = z.output<typeof trigger>;

/** The triggers of a schema, in the order in which they act. */
export async function triggersOf(session: Session, schema: string): Promise<Trigger[]> {
  const found = await session.rows<Trigger>(
    `select TRIGGER_NAME as name, EVENT_OBJECT_TABLE as \`table\`, ACTION_TIMING as timing,
       EVENT_MANIPULATION as event, ACTION_STATEMENT as statement, DEFINER as definer, SQL_MODE as sqlMode,
       COLLATION_CONNECTION as collation
     from information_schema.TRIGGERS where TRIGGER_SCHEMA = ?
     order by EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER`,
    [schema],
  );
  return z.array(trigger).parse(found.map((row) => ({ ...row })));
}

export const ownerOfTrigger = ({ definer }: Trigger): Account | null => {
  const at = definer.lastIndexOf("@");
  return at < 0 ? null : { user: definer.slice(0, at), host: definer.slice(at + 1) };
};

/** Makes them in a schema, each as its owner and under the mode that it was made under. */
export async function makeTriggers(
  makers: Makers,
  schema: string,
  text: string,
): Promise<Refusal[]> {
  const refused: Refusal[] = [];
  for (const one of z.array(trigger).parse(JSON.parse(text))) {
    await makeAs(makers, ownerOfTrigger(one), (session) => makeTrigger(session, schema, one)).catch(
      (error: unknown) => refused.push({ kind: "TRIGGER", name: one.name, error }),
    );
  }
  return refused;
}

/** An unqualified name in its text means the schema that is in use. */
async function makeTrigger(session: Session, schema: string, given: Trigger): Promise<void> {
  const { name, table, timing, event, statement, sqlMode, collation } = given;
  await session.rows("set session sql_mode = ?", [sqlMode]);
  if (/^utf8mb[34]_/.test(collation)) {
    await session.rows("set session collation_connection = ?", [collation]);
  }
  await session.rows(
    `create trigger ${session.name(schema, name)} ${timing} ${event}
     on ${session.name(schema, table)} for each row ${statement}`,
  );
}
