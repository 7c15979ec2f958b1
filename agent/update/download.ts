import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ReleaseManifest } from "../../shared/agent-protocol/index.ts";
import { CommandError } from "../command-error.ts";
import type { AgentCtx } from "../ctx.ts";
import { stagingDir } from "./layout.ts";

const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** The release's file below the staging folder: exactly the signed bytes, or nothing. Held in memory: one piece of it. */
export async function downloadRelease(ctx: AgentCtx, facts: ReleaseManifest): Promise<string> {
  const folder = stagingDir(ctx.settings);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, `${facts.version}.mjs`);
  await rm(file, { recursive: true, force: true });
  const body = await fetchBody(ctx, facts);
  const handle = await open(file, FLAGS, 0o600);
  try {
    const hash = createHash("sha256");
    let size = 0;
    for await (const piece of body) {
      size += piece.byteLength;
      if (size > facts.size) throw mismatch();
      hash.update(piece);
      await handle.writeFile(piece);
    }
    if (size !== facts.size || hash.digest("hex") !== facts.sha256) throw mismatch();
    await handle.sync();
    return file;
  } catch (error) {
    await rm(file, { force: true });
    throw asDownloadError(error);
  } finally {
    await handle.close();
  }
}

async function fetchBody(
  ctx: AgentCtx,
  facts: ReleaseManifest,
): Promise<ReadableStream<Uint8Array>> {
  const response = await ctx.edge(facts.url, { signal: ctx.signal }).catch((cause: unknown) => {
    throw new CommandError("unavailable", "the panel could not be reached", {
      retryable: true,
      cause,
    });
  });
  if (response.status === 200 && response.body) return response.body;
  await response.body?.cancel();
  throw new CommandError("unavailable", `the panel answered ${response.status} for the release`, {
    retryable: response.status >= 500,
  });
}

const mismatch = () =>
  new CommandError("integrity", "the release's file is not the one that was signed");

function asDownloadError(error: unknown): unknown {
  if (error instanceof CommandError) return error;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new CommandError("disk_full", "no room for the release");
  }
  const words = "the release's download broke off";
  return new CommandError("unavailable", words, { retryable: true, cause: error });
}
