import { join } from "node:path";
import { z } from "zod";
import { NO_TAR } from "./digest-command.ts";
import type { Stage, StartStage } from "./processes.ts";
import { TarError } from "./tar-reader.ts";
import type { TreeFacts } from "./tree-digest.ts";

const count = z.number().int().nonnegative();
const facts = z.strictObject({
  ...{ entries: count, files: count, directories: count, links: count, bytes: count },
  ...{ tree: z.string(), streamBytes: count },
});

/**
 * Digests the tar stream that passes through a process of its own, between two programs: one buffer for all of it, and
 * nothing of it in the agent's memory, which would take longer to clean up than to digest.
 */
export function startDigest(start: StartStage, from: Stage): Stage {
  const isSource = import.meta.url.endsWith(".ts");
  const entry = isSource
    ? [join(import.meta.dirname, "digest-main.ts")]
    : [process.argv[1] ?? "", "digest"];
  return start("node", entry, { stdin: from.stdout, allowed: [0, NO_TAR] });
}

/** What passed through, once it has. */
export async function digestOf(stage: Stage): Promise<TreeFacts & { streamBytes: number }> {
  if ((await stage.ended()) === NO_TAR) throw new TarError("no tar of ours");
  return facts.parse(JSON.parse(stage.said.trim().split("\n").at(-1) ?? ""));
}
