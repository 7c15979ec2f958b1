import type { MarketplaceLimits } from "../marketplace/limits.ts";

/** From providers/tokopedia.md §5 and §6. */
export const LIMITS: MarketplaceLimits = {
  images: 9,
  imageBytes: 5 * 1_048_576,
  imageSide: { min: 300, max: 4_000 },
  nameLength: { min: 25, max: 255 },
  // Of HTML, to which a plain text grows.
  descriptionLength: { min: 1, max: 9_000 },
  skuLength: 50,
  priceIdr: { min: 100, max: 100_000_000 },
  stock: 99_998,
  priceBatch: 1,
  stockBatch: 1,
  shelfBatch: 20,
  orderBatch: 50,
  readsPerSecond: 7,
  writesPerSecond: 3,
};
