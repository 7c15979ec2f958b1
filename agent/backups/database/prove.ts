import { join } from "node:path";
import { CommandError } from "../../command-error.ts";
import type { AgentCtx } from "../../ctx.ts";
import { readArchive } from "../archive.ts";
import type { BackupKeys } from "../keys.ts";
import type { DatabaseContent, Manifest } from "../manifest.ts";
import type { Session } from "./connection.ts";
import { difference, inventoryOf, programDifference, programFacts, tableFacts } from "./facts.ts";
import { loadPrograms, loadTables } from "./load.ts";

export interface LoadedBackup {
  session: Session;
  schema: string;
  content: DatabaseContent;
  restFile: string;
}

/** Loads an archive into a schema and compares each table, then that its views, routines and triggers can be made. */
export async function loadAndCompare(
  ctx: AgentCtx,
  keys: BackupKeys,
  manifest: Manifest,
  given: {
    session: Session;
    schema: string;
    content: DatabaseContent;
    scratch: string;
    archive: string;
  },
): Promise<LoadedBackup> {
  const { session, schema, content } = given;
  const restFile = join(given.scratch, "programs.sql");
  const bytes = await readArchive(ctx, keys, given.archive, (plain, start) =>
    loadTables(ctx, start, plain, { schema, content, restFile }),
  );
  if (bytes !== manifest.plainBytes) throw differs("another length");
  const found = await tableFacts(session, schema, await inventoryOf(session, schema));
  const wrong = difference(content.tables, found);
  if (wrong) throw differs(wrong);
  const [, ...parts] = content.parts;
  await loadPrograms(session, { schema, file: restFile, parts, withEvents: false });
  const programs = await programFacts(session, schema);
  const wrongPrograms = programDifference({ ...content, events: 0 }, programs);
  if (wrongPrograms) throw differs(wrongPrograms);
  return { session, schema, content, restFile };
}

export const differs = (what: string): CommandError =>
  new CommandError("integrity", `what was restored differs: ${what}`);
