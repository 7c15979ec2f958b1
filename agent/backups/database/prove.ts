import { join } from "node:path";
import { CommandError } from "../../command-error.ts";
import type { AgentCtx } from "../../ctx.ts";
import { readArchive } from "../archive.ts";
import type { BackupKeys } from "../keys.ts";
import type { DatabaseContent, Manifest } from "../manifest.ts";
import type { Session } from "./connection.ts";
import { difference, factsLike, programDifference, programFacts, without } from "./facts.ts";
import { dropKey, keysOutOf } from "./foreign-keys.ts";
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
    /** The copy is compared and thrown away. */
    isProof: boolean;
  },
): Promise<LoadedBackup> {
  const { session, schema, content } = given;
  const restFile = join(given.scratch, "programs.sql");
  const bytes = await readArchive(ctx, keys, given.archive, (plain, start) =>
    loadTables(ctx, start, plain, { schema, content, restFile }),
  );
  if (bytes !== manifest.plainBytes) throw differs("another length");
  // A copy's keys into a live database would hold up those who delete there, or lose rows by what they delete.
  if (given.isProof) {
    for (const key of await keysOutOf(session, schema)) await dropKey(session, key);
  }
  const wrong = difference(content.tables, await factsLike(session, schema, content.tables));
  if (wrong) throw differs(wrong);
  const [, ...parts] = content.parts;
  const programsHere = { schema, file: restFile, parts, withEvents: false };
  const refused = await loadPrograms(ctx, session, programsHere);
  const programs = await programFacts(session, schema);
  const wrongPrograms = programDifference(without({ ...content, events: 0 }, refused), programs);
  if (wrongPrograms) throw differs(wrongPrograms);
  return { session, schema, content, restFile };
}

export const differs = (what: string): CommandError =>
  new CommandError("integrity", `what was restored differs: ${what}`);
