import { refusal } from "../marketplace/call.ts";
import type { ListingInput } from "../marketplace.ts";
import { numberOf, PLATFORM } from "./line.ts";

/** What `add_item` and `update_item` have in common (providers/shopee.md §5). */
export function itemBody(listing: ListingInput): Record<string, unknown> {
  if (listing.setup.logisticIds.length === 0) {
    throw refusal(PLATFORM, "Aktifkan minimal satu jasa kirim di toko Shopee Anda", "no_channel");
  }
  return {
    item_name: listing.name.trim(),
    description: listing.description.trim(),
    weight: listing.weightGram / 1000,
    category_id: numberOf(listing.categoryId, "category_id"),
    dimension: {
      package_length: Math.max(1, Math.ceil(listing.sizeCm.length)),
      package_width: Math.max(1, Math.ceil(listing.sizeCm.width)),
      package_height: Math.max(1, Math.ceil(listing.sizeCm.height)),
    },
    image: { image_id_list: listing.images },
    logistic_info: listing.setup.logisticIds.map((logisticId) => ({
      logistic_id: numberOf(logisticId, "logistic_id"),
      enabled: true,
    })),
    // Indonesia: every mandatory attribute of the category, and whether it is a dangerous good.
    attribute_list: listing.attributes.map(attributeOf),
    brand: listing.brand
      ? {
          brand_id: numberOf(listing.brand.id, "brand_id"),
          original_brand_name: listing.brand.name,
        }
      : { brand_id: 0, original_brand_name: "No Brand" },
    item_dangerous: 0,
  };
}

/** Words of one's own go under the value 0. */
function attributeOf({ id, optionIds = [], text }: ListingInput["attributes"][number]) {
  const chosen = optionIds.map((optionId) => ({ value_id: numberOf(optionId, "value_id") }));
  const own = text === undefined ? [] : [{ value_id: 0, original_value_name: text }];
  return {
    attribute_id: numberOf(id, "attribute_id"),
    attribute_value_list: [...chosen, ...own],
  };
}
