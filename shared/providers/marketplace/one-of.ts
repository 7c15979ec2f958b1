import type { RemoteListing } from "../marketplace.ts";

/** Of items that share a SKU the one that buyers see, else the first; the others are named beside it. */
export function oneOf(standing: readonly RemoteListing[]): RemoteListing | null {
  const found = standing.find(({ status }) => status === "live") ?? standing[0];
  if (!found) return null;
  const others = standing.map(({ itemId }) => itemId).filter((id) => id !== found.itemId);
  return others.length === 0 ? found : { ...found, others: [...new Set(others)] };
}
