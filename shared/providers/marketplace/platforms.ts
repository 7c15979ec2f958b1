/** `tokopedia` is the TikTok Shop Partner API with `listing_platforms` TOKOPEDIA (providers/tokopedia.md §1). */
export const PLATFORMS = ["shopee", "lazada", "tokopedia"] as const;
export type Platform = (typeof PLATFORMS)[number];

export const PLATFORM_NAME: Record<Platform, string> = {
  shopee: "Shopee",
  lazada: "Lazada",
  tokopedia: "Tokopedia",
};
