import { z } from "zod";
import type { Session } from "./connection.ts";

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
type Trigger = z.output<typeof trigger>;

/** The triggers of a schema as a text of JSON, in the order in which they act. */
export async function dumpTriggers(session: Session, schema: string): Promise<string> {
  const found = await session.rows<Trigger>(
    `select TRIGGER_NAME as name, EVENT_OBJECT_TABLE as \`table\`, ACTION_TIMING as timing,
       EVENT_MANIPULATION as event, ACTION_STATEMENT as statement, DEFINER as definer, SQL_MODE as sqlMode,
       COLLATION_CONNECTION as collation
     from information_schema.TRIGGERS where TRIGGER_SCHEMA = ?
     order by EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER`,
    [schema],
  );
  return JSON.stringify(z.array(trigger).parse(found.map((row) => ({ ...row }))));
}

/** Makes them in a schema, each under the mode that it was made under. */
export async function makeTriggers(session: Session, schema: string, text: string): Promise<void> {
  const triggers = z.array(trigger).parse(JSON.parse(text));
  if (triggers.length === 0) return;
  // An unqualified name in a trigger's text means the schema that is in use.
  await session.rows(`use ${session.name(schema)}`);
  for (const { name, table, timing, event, statement, definer, sqlMode, collation } of triggers) {
    await session.rows("set session sql_mode = ?", [sqlMode]);
    if (/^utf8mb[34]_/.test(collation)) {
      await session.rows("set session collation_connection = ?", [collation]);
    }
    const at = definer.lastIndexOf("@");
    const who = `${session.name(definer.slice(0, at))}@${session.name(definer.slice(at + 1))}`;
    await session.rows(
      `create definer = ${who} trigger ${session.name(schema, name)} ${timing} ${event}
       on ${session.name(schema, table)} for each row ${statement}`,
    );
  }
}
