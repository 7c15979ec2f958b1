import type { JobOutcome } from "../../../shared/jobs/jobs.ts";
import { ProviderError } from "../../../shared/providers/provider-error.ts";
import type { HostResult, Refusal } from "./driver.ts";

export const done = <T>(value: T): HostResult<T> => ({ state: "done", value });

export const refused = (reason: Refusal, detail: string): HostResult<never> => ({
  state: "refused",
  reason,
  retryable: false,
  detail,
});

const REASONS: Record<string, Refusal> = {
  exists: "exists",
  not_found: "not_found",
  address_refused: "address_refused",
  bad_key: "unauthorised",
};

/** Runs calls of a provider's client and says in the interface's terms what they came to. */
export async function resultOf<T>(work: () => Promise<T>): Promise<HostResult<T>> {
  try {
    return done(await work());
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    return failureOf(error);
  }
}

function failureOf(error: ProviderError): HostResult<never> {
  const saw = error.seenAddress && `(saw ${error.seenAddress})`;
  const detail = [error.provider, error.kind, error.code, saw].filter(Boolean).join(" ");
  const after = error.retryAfterMs === undefined ? {} : { afterMs: error.retryAfterMs };
  if (error.outcome === "unknown") return { state: "unknown", detail, ...after };
  const reason = REASONS[error.code ?? ""] ?? reasonOf(error);
  return { state: "refused", reason, retryable: error.retryable, detail, ...after };
}

function reasonOf({ kind, retryable }: ProviderError): Refusal {
  if (kind === "unauthorised") return "unauthorised";
  if (kind === "invalid") return "invalid";
  return retryable ? "unavailable" : "refused";
}

/** What only the operator can end: asked again seldom, as a panel locks out an address that keeps failing. */
const OURS: Refusal[] = ["unauthorised", "address_refused"];
const OPERATOR_PAUSE_MS = 600_000;

/**
 * What a result that is not `done` means for the job that asked. A refusal that will not pass ends it: a caller that
 * has something better to do then looks at `reason` first.
 */
export function jobOutcomeOf(
  result: Exclude<HostResult<unknown>, { state: "done" }>,
  what: string,
): JobOutcome {
  const error = `${what}: ${result.detail}`;
  const { afterMs } = result;
  if (result.state === "unknown") return { state: "unknown", error, askAfterMs: afterMs };
  // What was done before it stopped is for whoever works on now.
  if (result.reason === "stopped") return { state: "unknown", error };
  if (OURS.includes(result.reason)) return { state: "retry", error, afterMs: OPERATOR_PAUSE_MS };
  return result.retryable ? { state: "retry", error, afterMs } : { state: "failed", error };
}
