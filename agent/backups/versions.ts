import type { BackupKind } from "../../shared/agent-protocol/backups.ts";
import type { AgentCtx } from "../ctx.ts";
import { type ProgramName, withStages } from "./processes.ts";

const TOOLS: Record<BackupKind, ProgramName[]> = {
  state: ["zstd", "age"],
  site: ["tar", "zstd", "age"],
  database: ["mariadb-dump", "zstd", "age"],
};

/** What made an archive: whoever opens it in some years may need the same. */
export async function versionsOf(ctx: AgentCtx, kind: BackupKind): Promise<Record<string, string>> {
  const said = await Promise.all(TOOLS[kind].map((tool) => versionOf(ctx, tool)));
  return Object.fromEntries(TOOLS[kind].map((tool, i) => [tool, said[i] ?? ""]));
}

async function versionOf(ctx: AgentCtx, tool: ProgramName): Promise<string> {
  return await withStages(ctx, async (start) => {
    const stage = start(tool, ["--version"]);
    let text = "";
    for await (const chunk of stage.stdout) text += chunk;
    await stage.ended();
    return /[0-9]+(?:\.[0-9]+)+[^\s,]*/.exec(text)?.[0]?.slice(0, 60) ?? "";
  });
}
