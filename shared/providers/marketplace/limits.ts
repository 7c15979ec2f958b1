export type MarketImageType = "jpeg" | "png";

/** What a platform takes at once, and how often. */
export interface MarketplaceLimits {
  images: number;
  imageBytes: number;
  /** In pixels, each side; null where no rule is known. */
  imageSide: { min: number; max: number } | null;
  nameLength: { min: number; max: number };
  descriptionLength: { min: number; max: number };
  skuLength: number;
  priceIdr: { min: number; max: number };
  stock: number;
  priceBatch: number;
  stockBatch: number;
  shelfBatch: number;
  orderBatch: number;
  /**
   * Calls a second and shop that are safe to start with, where the platform publishes no number: back off on
   * `rate_limited` all the same.
   */
  readsPerSecond: number;
  writesPerSecond: number;
}
