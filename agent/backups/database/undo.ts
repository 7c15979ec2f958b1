import { rm } from "node:fs/promises";
import { join } from "node:path";
import { CommandError } from "../../command-error.ts";
import type { AgentCtx } from "../../ctx.ts";
import { storeFile } from "../folder.ts";
import { DatabaseError, type Session } from "./connection.ts";
import { dumpPrograms } from "./dump.ts";
import { inventoryOf } from "./facts.ts";
import { viewsIn } from "./load.ts";
import { withMakers } from "./makers.ts";
import { isBroken, tryViews, wordsOf } from "./programs.ts";

export const undoPath = (ctx: AgentCtx, restoreId: string): string =>
  join(ctx.settings.stateDir, `restore-${restoreId}.sql`);

/**
 * Puts the views, routines, events and triggers that are there now on the disk: a table with triggers cannot be moved.
 * Answers the bytes of each; refuses, while nothing is touched, what could not be made again from it.
 */
export async function keepPrograms(
  ctx: AgentCtx,
  session: Session,
  restoreId: string,
  database: string,
): Promise<number[]> {
  const path = undoPath(ctx, restoreId);
  const inventory = await inventoryOf(session, database);
  const parts = await storeFile(`${path}.new`, path, async (file) => {
    const to = { write: async (chunk: Uint8Array) => void (await file.write(chunk)) };
    return (await dumpPrograms({ session, database, inventory, to })).parts;
  });
  await checkUndo(ctx, session, { database, file: path, parts });
  return parts;
}

/** Refuses while nothing is touched where a view could not be put back if the restore failed. */
async function checkUndo(
  ctx: AgentCtx,
  session: Session,
  given: { database: string; file: string; parts: number[] },
): Promise<void> {
  const { database, file, parts } = given;
  const views = await viewsIn(file, parts);
  const makers = { schema: database, onlyKeeper: false };
  const refused = await withMakers(ctx, session, makers, (by) => tryViews(by, database, views));
  const lost = refused.find((one) => !isBroken(one, false));
  if (!lost) return;
  await rm(file, { force: true });
  if (!(lost.error instanceof DatabaseError)) throw lost.error;
  throw new CommandError(
    "conflict",
    `${wordsOf(lost)} could not be put back if the restore failed (error ${lost.error.errno}): its owner cannot make it; drop it first`,
  );
}
