export type LogLevel = "info" | "warn" | "error";

/** Plain facts only: ids, states, durations. Never a body, a token, a signature, a name or an address. */
export type LogFields = Record<string, string | number | boolean | null | undefined>;

export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** One JSON line per event, each with the request's id. */
export function createLog(requestId: string): Log {
  const write =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) =>
      console[level](JSON.stringify({ level, message, requestId, ...fields }));
  return { info: write("info"), warn: write("warn"), error: write("error") };
}

const CALL_SITE = /^ {4}at /;

/** What may be logged of an unknown failure: its kind and where it happened, not what it quotes. */
export function describeError(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: typeof error };
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  return { error: error.name, code, stack: callSites(error) };
}

/** A stack starts with the message, which may quote input over many lines: only the calls are kept. */
function callSites(error: Error): string | undefined {
  const lines = error.stack?.slice(error.stack.indexOf(error.message) + error.message.length);
  return lines
    ?.split("\n")
    .filter((line) => CALL_SITE.test(line))
    .slice(0, 5)
    .map((line) => line.trim())
    .join(" | ");
}
