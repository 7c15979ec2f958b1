/**
 * Why a provider call failed. `refused`: the provider said no by its rules. `invalid`: what we sent is wrong.
 * `bad_answer`: an answer that we cannot read or that contradicts the question.
 */
export type FailureKind =
  | "refused"
  | "invalid"
  | "unauthorised"
  | "rate_limited"
  | "unavailable"
  | "timeout"
  | "bad_answer";

/** `not_done`: the call surely had no effect. `unknown`: it may have had; ask before asking again. */
export type Outcome = "not_done" | "unknown";

export interface Failure {
  kind: FailureKind;
  /** Whether the same call may succeed later. It is safe to repeat only if it is idempotent or `not_done`. */
  retryable: boolean;
  outcome: Outcome;
  /** The HTTP status, when an answer came. For logs: it is never passed on as ours. */
  status?: number | undefined;
  /** The provider's own short code, when its answer had one. */
  code?: string | undefined;
  /** How long the provider asks us to wait. */
  retryAfterMs?: number | undefined;
  /** Our own address as a provider saw it that admits only addresses on its list. */
  seenAddress?: string | undefined;
}

/** A call to an outside provider that did not succeed. Its text is for logs and holds no secret and no body. */
export class ProviderError extends Error {
  readonly provider: string;
  readonly kind: FailureKind;
  readonly retryable: boolean;
  readonly outcome: Outcome;
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly seenAddress: string | undefined;

  constructor(provider: string, failure: Failure, internal: string) {
    super(internal);
    this.name = "ProviderError";
    this.provider = provider;
    this.kind = failure.kind;
    this.retryable = failure.retryable;
    this.outcome = failure.outcome;
    this.status = failure.status;
    this.code = failure.code;
    this.retryAfterMs = failure.retryAfterMs;
    this.seenAddress = failure.seenAddress;
  }

  /** The same failure where an earlier attempt of the same call leaves doubt about the effect. */
  inDoubt(): ProviderError {
    return this.outcome === "unknown"
      ? this
      : new ProviderError(
          this.provider,
          { ...this, outcome: "unknown" },
          `${this.message}; an earlier attempt may have acted`,
        );
  }
}

/** A refusal before anything is sent: what we were about to send breaks a rule of the provider. */
export function invalidInput(provider: string, what: string): ProviderError {
  return new ProviderError(
    provider,
    { kind: "invalid", retryable: false, outcome: "not_done" },
    `${provider}: not sent, ${what}`,
  );
}

/** The failure that an HTTP status alone speaks of, or null for a success. */
export function failureOfStatus(status: number): Failure | null {
  if (status >= 200 && status < 300) return null;
  const certain = { retryable: false, outcome: "not_done", status } as const;
  if (status >= 500) return { kind: "unavailable", retryable: true, outcome: "unknown", status };
  if (status === 408) return { kind: "timeout", retryable: true, outcome: "unknown", status };
  if (status === 429) return { ...certain, kind: "rate_limited", retryable: true };
  if (status === 401 || status === 403) return { ...certain, kind: "unauthorised" };
  if (status === 400 || status === 422) return { ...certain, kind: "invalid" };
  if (status >= 400) return { ...certain, kind: "refused" };
  // A redirect is not followed: it would carry the key to an address that nobody configured.
  return { kind: "bad_answer", retryable: false, outcome: "unknown", status };
}

/** A provider's short code, if it is fit for a log line; anything else may hold text of a person. */
export function shortCode(value: unknown): string | undefined {
  const text = typeof value === "number" ? String(value) : value;
  return typeof text === "string" && /^[\w.-]{1,64}$/.test(text) ? text : undefined;
}

/** An IP address that a provider names, if it is one; anything else may be text of a person. */
export function plainAddress(value: unknown): string | undefined {
  return typeof value === "string" && /^[0-9a-fA-F.:]{3,45}$/.test(value) ? value : undefined;
}

const ADDRESS = /(?:\d{1,3}\.){3}\d{1,3}|(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}/i;

/** The first IP address in a provider's words, where they refuse it. */
export const addressIn = (words: string): string | undefined => ADDRESS.exec(words)?.[0];
