import { AppError } from "../../../../shared/http/errors.ts";
import {
  type BatchOutcome,
  MarketplaceError,
  PLATFORM_NAME,
  type Platform,
} from "../../../../shared/providers/marketplace.ts";
import { ShopPausedError } from "../connections/pace.ts";
import { RenewalBusyError, ShopClosedError } from "../connections/tokens.ts";
import { NotListableError } from "./not-listable.ts";
import type { Known, Outcome, Work } from "./rows.ts";

const MOST_ATTEMPTS = 10;
const FIRST_PAUSE_MS = 5_000;
/** How often what its seller has been told of is tried on, until it goes through or the product changes. */
export const LONGEST_PAUSE_MS = 3_600_000;
/** A promotion that holds a price lasts for hours. */
const LOCKED_PAUSE_MS = 3_600_000;
/** How soon a creation in doubt is asked about again. */
export const DOUBT_PAUSE_MS = 10_000;

/** Whether what was sent may be there although no good answer came. */
export const mayHaveActed = (error: unknown) =>
  !(error instanceof MarketplaceError) || error.outcome === "unknown";

/** What a failure means for one listing; what is no listing's own (the database is away) is thrown on. */
export function outcomeOf(error: unknown, work: Work, platform: Platform): Known & Outcome {
  if (error instanceof NotListableError) return { outcome: "failed", reason: error.reason };
  if (error instanceof MarketplaceError) return byFault(error, work, platform);
  const isShops =
    error instanceof ShopClosedError ||
    error instanceof ShopPausedError ||
    error instanceof RenewalBusyError;
  if (isShops) return { outcome: "release" };
  if (error instanceof AppError) throw error;
  return later(work, "Terjadi kesalahan pada sistem. Akan dicoba lagi");
}

function byFault(error: MarketplaceError, work: Work, platform: Platform): Known & Outcome {
  const { fault, reason } = error;
  switch (fault) {
    case "rejected":
      return { outcome: "failed", reason };
    case "not_found":
      return gone(work, platform);
    case "locked":
      return { outcome: "retry", reason, after_ms: LOCKED_PAUSE_MS };
    case "rate_limited":
    case "quota":
    case "misconfigured":
      return { outcome: "release" };
    case "duplicate":
    case "unavailable":
    case "unknown":
    case "token_expired":
    case "token_revoked":
      return later(work, reason);
    default: {
      const never: never = fault;
      return never;
    }
  }
}

/**
 * Again after 5 s, 10 s … an hour. From the tenth time on the seller is told; an outage that lasts longer ends all the
 * same, and what changed here meanwhile must not stay another there.
 */
export function later({ attempts }: Work, reason: string): Outcome {
  if (attempts + 1 >= MOST_ATTEMPTS) {
    return { outcome: "failed", reason, after_ms: LONGEST_PAUSE_MS };
  }
  const after_ms = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempts);
  return { outcome: "retry", reason, after_ms };
}

/** Somebody removed it there: it is put back when its seller asks for it, not behind his back. */
export function gone(work: Work, platform: Platform): Known & Outcome {
  const name = PLATFORM_NAME[platform];
  const nothing = { item_id: null, price: null, stock: null, content: null, shown: false };
  const reason = `Produk sudah dihapus di ${name}. Sinkronkan lagi untuk memasangnya kembali`;
  if (!work.verify) return { ...nothing, outcome: "failed", reason };
  // At once, but a shop that goes on finding what it does not know is asked ever less often.
  const again = later(work, reason);
  return { ...nothing, ...again, ...(work.attempts === 0 ? { after_ms: 0 } : {}) };
}

/** What one line of a batch means, or null for a success. */
export function outcomeOfLine(
  line: BatchOutcome | undefined,
  work: Work,
  platform: Platform,
): (Known & Outcome) | null {
  if (line === undefined) {
    return later(work, `${PLATFORM_NAME[platform]} tidak memberi jawaban yang jelas`);
  }
  if (line.ok) return null;
  switch (line.fault) {
    case "rejected":
      return { outcome: "failed", reason: line.reason };
    case "locked":
      return { outcome: "retry", reason: line.reason, after_ms: LOCKED_PAUSE_MS };
    case "not_found":
      return gone(work, platform);
    default:
      return line.fault satisfies never;
  }
}
