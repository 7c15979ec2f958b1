import { createHash } from "node:crypto";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import {
  backupCallPaths,
  MAX_STATE_BYTES,
  STATE_HEADERS,
} from "../../shared/agent-protocol/backups.ts";
import { CommandError } from "../command-error.ts";
import type { AgentCtx } from "../ctx.ts";
import { readArchive } from "./archive.ts";
import { chunksOf, edgeFailure } from "./edge-calls.ts";
import { diskError } from "./folder.ts";
import type { BackupKeys } from "./keys.ts";
import type { Manifest, ManifestBody, StateContent } from "./manifest.ts";
import type { Stage } from "./processes.ts";

const countsHeader = z.record(z.string().max(64), z.number().int().nonnegative());

/** The panel's rows as the edge renders them, passed on as they come and compared with what it says of them. */
export async function feedState(
  ctx: AgentCtx,
  backupId: string,
  to: Stage,
): Promise<Pick<ManifestBody, "plainBytes" | "content">> {
  const response = await ctx.edge(backupCallPaths.state(backupId), { signal: ctx.signal });
  if (!response.ok) throw await edgeFailure(response);
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of chunksOf(response)) {
    bytes += chunk.length;
    if (bytes > MAX_STATE_BYTES)
      throw new CommandError("invalid", "the panel's state is too large");
    hash.update(chunk);
    await to.write(chunk);
  }
  const sha256 = hash.digest("hex");
  if (sha256 !== response.headers.get(STATE_HEADERS.sha256)) {
    throw new CommandError("unavailable", "the panel's state came incomplete", { retryable: true });
  }
  return { plainBytes: bytes, content: { kind: "state", ...headersOf(response), sha256 } };
}

function headersOf({ headers }: Response): Pick<StateContent, "schema" | "counts" | "signature"> {
  const counts: unknown = JSON.parse(headers.get(STATE_HEADERS.counts) ?? "null");
  const signature = headers.get(STATE_HEADERS.signature);
  return {
    ...(signature !== null && { signature }),
    schema: z.coerce.number().int().parse(headers.get(STATE_HEADERS.schema)),
    counts: countsHeader.parse(counts),
  };
}

/** Opens a backup of the panel's state into a file, compared with its manifest byte by byte. */
export async function unpackState(
  ctx: AgentCtx,
  keys: BackupKeys,
  manifest: Manifest,
  given: { archive: string; scratch: string; content: StateContent },
): Promise<string> {
  const file = join(given.scratch, "state.json");
  const handle = await open(file, "wx", 0o600);
  try {
    const hash = createHash("sha256");
    const bytes = await readArchive(ctx, keys, given.archive, async (plain) => {
      let soFar = 0;
      for await (const chunk of plain.stdout as AsyncIterable<Buffer>) {
        soFar += chunk.length;
        hash.update(chunk);
        await handle.write(chunk);
      }
      return soFar;
    });
    if (bytes !== manifest.plainBytes || hash.digest("hex") !== given.content.sha256) {
      throw new CommandError("integrity", "what was restored differs: the panel's rows");
    }
    return file;
  } catch (error) {
    throw diskError(error);
  } finally {
    await handle.close();
  }
}

const rowsAnswer = z.object({ counts: countsHeader });

/** Gives the panel's rows back to the edge, which compares them in a scratch place or puts them back. */
export async function sendState(
  ctx: AgentCtx,
  given: {
    backupId: string;
    what: "prove" | "restore";
    file: string;
    content: StateContent;
    restoreId?: string;
  },
): Promise<void> {
  const { backupId, what, file, content, restoreId } = given;
  const query = restoreId === undefined ? "" : `?restore=${restoreId}`;
  const response = await ctx.edge(backupCallPaths.rows(backupId, what) + query, {
    method: "POST",
    headers: { "content-type": "application/json" },
    // At most MAX_STATE_BYTES: in one piece, so that the signature covers it.
    body: await readFile(file),
    signal: ctx.signal,
  });
  if (!response.ok) throw await edgeFailure(response);
  const { counts } = rowsAnswer.parse(await response.json());
  for (const [table, rows] of Object.entries(content.counts)) {
    if (counts[table] !== rows)
      throw new CommandError("integrity", `what was restored differs: ${table}`);
  }
}
