import { refusal } from "../marketplace/call.ts";
import { htmlOf } from "../marketplace/html.ts";
import type { ListingInput, ListingRef, ShopSetup } from "../marketplace.ts";
import { PLATFORM } from "./line.ts";
import { LISTING_PLATFORM } from "./lookups.ts";

export const PLATFORMS = { listing_platforms: [LISTING_PLATFORM] };

/** What creation and editing have in common (providers/tokopedia.md §5). */
export function productBody(listing: ListingInput): Record<string, unknown> {
  const { length, width, height } = listing.sizeCm;
  return {
    title: listing.name.trim(),
    description: htmlOf(listing.description),
    category_id: listing.categoryId,
    category_version: "v2",
    main_images: listing.images.map((uri) => ({ uri })),
    package_weight: { value: String(listing.weightGram / 1000), unit: "KILOGRAM" },
    package_dimensions: {
      length: cm(length),
      width: cm(width),
      height: cm(height),
      unit: "CENTIMETER",
    },
    product_attributes: listing.attributes.map(({ id, optionIds = [], text }) => ({
      id,
      values: [
        ...optionIds.map((optionId) => ({ id: optionId })),
        ...(text === undefined ? [] : [{ name: text }]),
      ],
    })),
    ...(listing.brand ? { brand_id: listing.brand.id } : {}),
    ...PLATFORMS,
  };
}

const cm = (value: number) => String(Math.max(1, Math.ceil(value)));

/** Rupiah without decimals, as text. */
export const price = (priceIdr: number) => ({ amount: String(priceIdr), currency: "IDR" });

export function inventory(setup: ShopSetup, quantity: number) {
  if (setup.warehouseId !== null) return [{ warehouse_id: setup.warehouseId, quantity }];
  throw refusal(PLATFORM, "Gudang toko Tokopedia belum diketahui. Sinkronkan ulang", "warehouse");
}

export function skuIdOf({ skuId }: ListingRef): string {
  if (skuId !== null) return skuId;
  throw refusal(PLATFORM, "Data produk Tokopedia tidak lengkap. Sinkronkan ulang", "bad_sku_id");
}

/** A product's id as a part of a path. */
export function idInPath(itemId: string): string {
  if (/^\d{1,25}$/.test(itemId)) return itemId;
  throw refusal(PLATFORM, "Data produk Tokopedia tidak lengkap. Sinkronkan ulang", "bad_item_id");
}
