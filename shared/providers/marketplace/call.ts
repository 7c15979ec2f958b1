import { type Failure, type Http, type HttpRequest, ProviderError } from "../http.ts";
import type { CallKind, Platform, ShopAuth } from "../marketplace.ts";
import { shortCode } from "../provider-error.ts";
import { type MarketFault, MarketplaceError } from "./error.ts";
import { wordsOf } from "./words.ts";

/** What a platform's own answer says about a call that it did not carry out. */
export interface Verdict {
  fault: MarketFault;
  code: string;
  /** For the seller; by default the words of the fault. */
  reason?: string | undefined;
  retryAfterMs?: number | undefined;
}

/** Reads the envelope of an answer; null where it speaks of a success, or where there is no envelope. */
export type ReadVerdict = (answer: { status: number; body: unknown }) => Verdict | null;

/**
 * One call to a platform, which says no inside of HTTP 200 as well. Throws `MarketplaceError` and nothing else; only
 * `idempotent` calls, the reads, are repeated.
 */
export async function callPlatform<T>(
  http: Http,
  platform: Platform,
  request: Omit<HttpRequest<T>, "judge">,
  read: ReadVerdict,
): Promise<T> {
  let last: Verdict | null = null;
  try {
    return await http.request({
      ...request,
      judge: (answer) => {
        last = read(answer);
        return last && { ...failureOf(last, request.idempotent), status: answer.status };
      },
    });
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    throw translated(platform, error, last, request.idempotent);
  }
}

/** Has a request wait for the turn of its shop, where somebody keeps its pace. */
export const inTurn = ({ turn }: Pick<ShopAuth, "turn">, kind: CallKind) =>
  turn ? { before: () => turn(kind) } : {};

const CERTAIN = { retryable: false, outcome: "not_done" } as const;

function failureOf(verdict: Verdict, isRead: boolean): Failure {
  const { fault, code, retryAfterMs } = verdict;
  switch (fault) {
    case "token_expired":
    case "token_revoked":
    case "misconfigured":
      return { ...CERTAIN, kind: "unauthorised", code };
    // Not repeated here: first everybody who calls the shop slows down.
    case "rate_limited":
    case "quota":
      return { ...CERTAIN, kind: "rate_limited", code, retryAfterMs };
    case "rejected":
    case "duplicate":
    case "not_found":
    case "locked":
      return { ...CERTAIN, kind: "refused", code };
    case "unavailable":
    case "unknown":
      // "Internal error" does not say how far a write has come.
      return {
        kind: "unavailable",
        retryable: true,
        outcome: isRead ? "not_done" : "unknown",
        code,
      };
    default: {
      const never: never = fault;
      return never;
    }
  }
}

function translated(
  platform: Platform,
  error: ProviderError,
  last: Verdict | null,
  isRead: boolean,
): MarketplaceError {
  // A verdict of an earlier attempt says nothing about the last one.
  const speaks = last !== null && error.code !== undefined && error.code === shortCode(last.code);
  const told = speaks ? last : null;
  const fault = inDoubt(told?.fault ?? faultOf(error), error, isRead);
  const reason = (fault === told?.fault ? told.reason : undefined) ?? wordsOf(platform, fault);
  return new MarketplaceError(platform, { ...error }, { fault, reason, internal: error.message });
}

function faultOf(error: ProviderError): MarketFault {
  switch (error.kind) {
    case "rate_limited":
      return "rate_limited";
    case "unauthorised":
      return "misconfigured";
    case "refused":
    case "invalid":
      return "rejected";
    case "unavailable":
    case "timeout":
    case "bad_answer":
      return "unavailable";
    default: {
      const never: never = error.kind;
      return never;
    }
  }
}

/** A write that fell silent may have been done; a read can simply be asked again. */
function inDoubt(fault: MarketFault, error: ProviderError, isRead: boolean): MarketFault {
  if (fault !== "unavailable" && fault !== "unknown") return fault;
  return !isRead && error.outcome === "unknown" ? "unknown" : "unavailable";
}

/** What a platform says of one part inside of an answer that is a success as a whole. */
export function partFailed(platform: Platform, verdict: Verdict): MarketplaceError {
  const { code, reason } = verdict;
  const fault = verdict.fault === "unavailable" ? "unknown" : verdict.fault;
  const told = { fault, reason: reason ?? wordsOf(platform, fault) };
  const internal = `${platform}: a part failed, ${shortCode(code)}`;
  return new MarketplaceError(platform, failureOf(verdict, false), { ...told, internal });
}

/** A refusal before anything is sent, in words for the seller. */
export function refusal(platform: Platform, reason: string, code = "not_sent"): MarketplaceError {
  return new MarketplaceError(
    platform,
    { ...CERTAIN, kind: "invalid", code },
    { fault: "rejected", reason, internal: `${platform}: not sent, ${code}` },
  );
}

/** An answer that contradicts the question. */
export function contradiction(platform: Platform, what: string): MarketplaceError {
  return new MarketplaceError(
    platform,
    { kind: "bad_answer", retryable: true, outcome: "unknown" },
    { fault: "unknown", reason: wordsOf(platform, "unknown"), internal: `${platform}: ${what}` },
  );
}
