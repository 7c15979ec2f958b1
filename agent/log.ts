import type { AgentLog } from "./ctx.ts";

/** One JSON line per entry, for the journal of the service manager. */
export function jsonLog(
  write: (line: string) => void,
  now: () => Date = () => new Date(),
): AgentLog {
  const entry =
    (level: string): AgentLog["info"] =>
    (message, fields = {}) =>
      write(JSON.stringify({ at: now().toISOString(), level, message, ...fields }));
  return { info: entry("info"), warn: entry("warn"), error: entry("error") };
}
