import type { MarketplaceLimits } from "../marketplace/limits.ts";

/** From providers/lazada.md §4 and §5. A batch may have 50 SKUs, of which 20 are advised. */
export const LIMITS: MarketplaceLimits = {
  images: 8,
  imageBytes: 3_145_728,
  imageSide: { min: 330, max: 5_000 },
  nameLength: { min: 1, max: 255 },
  descriptionLength: { min: 1, max: 20_000 },
  skuLength: 200,
  priceIdr: { min: 1, max: 1_000_000_000 },
  stock: 999_999,
  priceBatch: 20,
  stockBatch: 20,
  shelfBatch: 1,
  orderBatch: 50,
  // Ten a second in all, as a start: a new product takes two reads and a write.
  readsPerSecond: 6,
  writesPerSecond: 4,
};
