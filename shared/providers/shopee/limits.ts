import type { MarketplaceLimits } from "../marketplace/limits.ts";

/** From providers/shopee.md §5. Lengths, amounts and pace are not published: Shopee judges the former, in words. */
export const LIMITS: MarketplaceLimits = {
  images: 9,
  imageBytes: 10 * 1_048_576,
  imageSide: null,
  nameLength: { min: 1, max: 255 },
  descriptionLength: { min: 1, max: 10_000 },
  skuLength: 100,
  priceIdr: { min: 1, max: 1_000_000_000 },
  stock: 999_999,
  priceBatch: 1,
  stockBatch: 1,
  shelfBatch: 50,
  orderBatch: 50,
  // Ten a second in all, as a start: a new product takes two reads and a write.
  readsPerSecond: 6,
  writesPerSecond: 4,
};
