import { z } from "zod";
import { CommandError } from "../command-error.ts";

/** What the authority refused, by the last word of its problem type (RFC 8555, section 6.7). */
export class AcmeError extends Error {
  readonly status: number;
  readonly type: string;
  /** When it asked to be left alone until then. */
  readonly retryAfterMs: number | null;

  constructor(status: number, type: string, retryAfterMs: number | null) {
    super(`the authority refused: ${type} (${status})`);
    this.name = "AcmeError";
    this.status = status;
    this.type = type;
    this.retryAfterMs = retryAfterMs;
  }
}

const problem = z.object({ type: z.string() });
const TYPE = /^urn:ietf:params:acme:error:([A-Za-z]{1,40})$/;

/** The problem's own word and nothing of its text, which quotes what strangers' servers answered. */
export function problemType(value: unknown): string {
  const { type = "" } = problem.safeParse(value).data ?? {};
  return TYPE.exec(type)?.[1] ?? "unknown";
}

/** An answer of the authority, as the client's own errors do not tell it. */
export interface Answered {
  status: number;
  data: unknown;
  retryAfter: unknown;
}

export function acmeError({ status, data, retryAfter }: Answered): AcmeError {
  const type = status >= 500 ? "serverInternal" : problemType(data);
  return new AcmeError(status, type, typeof retryAfter === "string" ? delayOf(retryAfter) : null);
}

function delayOf(header: string): number | null {
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}

export const unreachable = (cause: unknown): CommandError =>
  new CommandError("unavailable", "the authority does not answer", { retryable: true, cause });

/** What the authority said, of the shape that the RFC gives it. */
export function read<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new CommandError("unavailable", "the authority's answer was not understood", {
    retryable: true,
    cause: parsed.error,
  });
}
