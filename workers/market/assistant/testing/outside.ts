import { sql } from "drizzle-orm";
import { expect } from "vitest";
import type { Ctx } from "../../../../shared/context.ts";
import { uuidv7 } from "../../../../shared/db/uuid.ts";
import type { TestUser } from "../../../testing/factories.ts";
import { run } from "../../testing/catalogue.ts";
import { undoAction } from "../sessions.ts";
import { toolsFor } from "../tools/index.ts";

/** Has a tool act for a seller against doubles of the outside, under an act in the log; answers its id. */
export async function actOutside(
  ctx: Ctx,
  { userId }: TestUser,
  [tool, input]: [string, Record<string, unknown>],
): Promise<string> {
  const found = toolsFor(["seller"]).find(({ definition }) => definition.name === tool);
  if (!found) throw new Error(`no tool ${tool}`);
  const prepared = found.prepare(input);
  const id = uuidv7(ctx.now());
  await run(sql`insert into market_assistant_actions (id, user_id, tool, input, target_kind, target_id, after)
    values (${id}, ${userId}, ${tool}, ${JSON.stringify(input)}::jsonb, 'test', ${prepared.targetId ?? id},
      ${JSON.stringify(input)}::jsonb)`);
  await prepared.run(ctx, id);
  return id;
}

/** An act of yesterday cannot be undone; afterwards it is as new as it was. */
export async function refusedAfterADay(ctx: Ctx, id: string): Promise<void> {
  const aged = (span: string) =>
    run(
      sql`update market_assistant_actions set created_at = created_at - ${span}::interval where id = ${id}`,
    );
  await aged("24 hours");
  await expect(undoAction(ctx, id)).rejects.toMatchObject({
    message: expect.stringContaining("24 jam"),
  });
  await aged("-24 hours");
}
