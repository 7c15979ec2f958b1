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

/** What may be logged of an unknown failure: its kind and where it happened, not what it quotes. */
export function describeError(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: typeof error };
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  return { error: error.name, code, stack: error.stack?.split("\n").slice(1, 6).join(" | ") };
}
