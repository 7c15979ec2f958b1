import type { BatchOutcome, ListingRef, Platform } from "../marketplace.ts";
import { refusal } from "./call.ts";
import { MarketplaceError } from "./error.ts";

/** The outcome of one listing of a batch: what concerns this listing alone is told, anything else is thrown. */
export async function outcomeOf(ref: ListingRef, work: Promise<unknown>): Promise<BatchOutcome> {
  try {
    await work;
    return { sku: ref.sku, ok: true };
  } catch (error) {
    const outcome = error instanceof MarketplaceError ? ofOne(ref, error) : null;
    if (outcome) return outcome;
    throw error;
  }
}

function ofOne({ sku }: ListingRef, { fault, reason }: MarketplaceError): BatchOutcome | null {
  const own = fault === "rejected" || fault === "locked" || fault === "not_found";
  return own ? { sku, ok: false, fault, reason } : null;
}

/** Throws where a batch is larger than the platform takes; an empty one is nothing to do. */
export function checkBatch(platform: Platform, size: number, most: number): void {
  if (size > most) throw refusal(platform, `Maksimal ${most} produk sekaligus`, "batch_size");
}
