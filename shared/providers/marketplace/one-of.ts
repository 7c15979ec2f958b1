import type { RemoteListing } from "../marketplace.ts";

/**
 * Of items that share a SKU the known one, unless it is blocked and buyers see another; else the one that they see, or
 * the first. The others are named beside it.
 */
export function oneOf(
  standing: readonly RemoteListing[],
  known: string | undefined,
): RemoteListing | null {
  const ours = standing.find(({ itemId }) => itemId === known);
  const live = standing.find(({ status }) => status === "live");
  const found = ours && ours.status !== "blocked" ? ours : (live ?? ours ?? standing[0]);
  if (!found) return null;
  const others = standing.map(({ itemId }) => itemId).filter((id) => id !== found.itemId);
  return others.length === 0 ? found : { ...found, others: [...new Set(others)] };
}
