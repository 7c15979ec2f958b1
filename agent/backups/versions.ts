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

let history: Promise<boolean> | undefined;

/** Whether the dump program here knows how to carry the past of system-versioned tables (MariaDB 10.11 and later). */
export function carriesHistory(ctx: AgentCtx): Promise<boolean> {
  history ??= withStages(ctx, async (start) => {
    const stage = start("mariadb-dump", ["--no-defaults", "--dump-history", "--version"]);
    stage.stdout.resume();
    return await stage.ended().then(
      () => true,
      (error: unknown) => {
        if (!ctx.signal.aborted) return false;
        history = undefined;
        throw error;
      },
    );
  });
  return history;
}
