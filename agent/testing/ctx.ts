import type { AgentCtx } from "../ctx.ts";
import { runProgram } from "../programs.ts";
import { type SettingsGiven, settingsSchema } from "../settings.ts";

/** A handler's context on this machine, and what it logged. Nothing privileged, no Worker, unless given. */
export function testCtx(
  settings: Partial<SettingsGiven>,
  given: Partial<Omit<AgentCtx, "settings">> = {},
): AgentCtx & { lines: string[] } {
  const lines: string[] = [];
  const log =
    (level: string) =>
    (message: string, fields: Record<string, unknown> = {}) => {
      lines.push(JSON.stringify({ level, message, ...fields }));
    };
  return {
    settings: settingsSchema.parse({
      url: "http://127.0.0.1:1",
      serverId: "srv_test",
      ...settings,
    }),
    run: runProgram,
    root: () => Promise.reject(new Error("this test has no privileged half")),
    edge: () => Promise.reject(new Error("this test has no Worker")),
    log: { info: log("info"), warn: log("warn"), error: log("error") },
    now: () => new Date(),
    signal: new AbortController().signal,
    dryRun: false,
    ...given,
    lines,
  };
}
