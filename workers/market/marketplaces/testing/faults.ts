import {
  type CallKind,
  type MarketFault,
  type MarketplaceClient,
  MarketplaceError,
  type MarketplaceLimits,
} from "../../../../shared/providers/marketplace.ts";

/** One call of the fake, by the name of the client's method; `sku` where it is about one product. */
export interface FakeCall {
  name: keyof MarketplaceClient;
  sku: string | null;
  kind: CallKind;
  /** When it left, its turn taken. */
  at: number;
}

/** Throws to make a call fail: before it acts, or after (its answer is lost). */
export interface Faults {
  before?: (call: FakeCall) => void | Promise<void>;
  after?: (call: FakeCall) => void | Promise<void>;
  /** What a line of a batch is refused with. */
  line?: (
    name: FakeCall["name"],
    sku: string,
  ) => { fault: "rejected" | "locked" | "not_found"; reason: string } | null;
}

const OUTCOME: Partial<Record<MarketFault, "unknown">> = { unknown: "unknown" };
const RETRYABLE: MarketFault[] = ["rate_limited", "unavailable", "unknown"];

export function fault(kind: MarketFault, reason = `uji ${kind}`, retryAfterMs?: number) {
  return new MarketplaceError(
    "fake",
    {
      kind: kind === "rate_limited" ? "rate_limited" : "refused",
      retryable: RETRYABLE.includes(kind),
      outcome: OUTCOME[kind] ?? "not_done",
      retryAfterMs,
    },
    { fault: kind, reason, internal: kind },
  );
}

export const FAST: MarketplaceLimits = {
  images: 8,
  imageBytes: 1_000_000,
  imageSide: null,
  nameLength: { min: 3, max: 120 },
  descriptionLength: { min: 0, max: 3_000 },
  skuLength: 50,
  priceIdr: { min: 100, max: 100_000_000 },
  stock: 99_999,
  priceBatch: 20,
  stockBatch: 20,
  shelfBatch: 20,
  orderBatch: 20,
  readsPerSecond: 100_000,
  writesPerSecond: 100_000,
};
