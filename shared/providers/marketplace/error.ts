import { type Failure, ProviderError } from "../provider-error.ts";

/**
 * What to do about a failure. `token_expired`: refresh once, try again. `token_revoked`: the seller must connect again.
 * `rate_limited`: wait `retryAfterMs`; `quota`: until tomorrow. `rejected`: the seller must change something, `reason`
 * says what. `duplicate`: the SKU exists. `not_found`: the listing is gone. `locked`: a running promotion holds it, try
 * in hours. `misconfigured`: our keys, rights or address, for the operator. `unavailable`: surely not done, try later.
 * `unknown`: it may have been done, ask first.
 */
export type MarketFault =
  | "token_expired"
  | "token_revoked"
  | "rate_limited"
  | "quota"
  | "rejected"
  | "duplicate"
  | "not_found"
  | "locked"
  | "misconfigured"
  | "unavailable"
  | "unknown";

const LONGEST_REASON = 300;

/** A call to a marketplace that did not succeed. `message` is for logs, `reason` for the seller. */
export class MarketplaceError extends ProviderError {
  readonly fault: MarketFault;
  readonly reason: string;

  constructor(
    provider: string,
    failure: Failure,
    told: { fault: MarketFault; reason: string; internal: string },
  ) {
    super(provider, failure, told.internal);
    this.name = "MarketplaceError";
    this.fault = told.fault;
    this.reason = boundedReason(told.reason);
  }
}

/** A platform's text as a seller may see it: one line, no markup, no control characters, not endless. */
export function boundedReason(text: string): string {
  const plain = text
    .replace(/<[^>]{0,200}>/g, " ")
    .replace(/[\p{C}\s]+/gu, " ")
    .toWellFormed()
    .trim();
  return plain.length > LONGEST_REASON
    ? `${plain.slice(0, LONGEST_REASON - 1).toWellFormed()}…`
    : plain;
}
