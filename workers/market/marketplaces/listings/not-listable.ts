import type { RemoteListing } from "../../../../shared/providers/marketplace.ts";

/** A product cannot be listed as it is; the reason tells its seller what to change. */
export class NotListableError extends Error {
  readonly reason: string;

  constructor(reason: string) {
    super("the product cannot be listed");
    this.name = "NotListableError";
    this.reason = reason;
  }
}

/** What a seller is told of a product that is there and shown to nobody. */
export const BLOCKED = "Produk diblokir oleh marketplace";

/** Whether the shop shows that item to nobody: it says so, or has preferred another of its SKU (`findBySku`). */
export const isBlocked = (found: RemoteListing | null, itemId: string): boolean =>
  found?.itemId === itemId
    ? found.status === "blocked"
    : (found?.others?.includes(itemId) ?? false);
