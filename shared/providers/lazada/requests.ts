import { htmlOf } from "../marketplace/html.ts";
import type { ListingInput } from "../marketplace.ts";

const SHORT_DESCRIPTION = 200;

/** `payload`, the one parameter of a write (providers/lazada.md §4); lists are real lists, also of one. */
export const payload = (product: Record<string, unknown>) => ({
  payload: JSON.stringify({ Request: { Product: product } }),
});

export const skusPayload = (skus: Record<string, unknown>[]) => payload({ Skus: { Sku: skus } });

/** What creation and update have in common: the product's own part. */
export function productPart(listing: ListingInput): Record<string, unknown> {
  const description = listing.description.trim();
  return {
    PrimaryCategory: listing.categoryId,
    Images: { Image: listing.images },
    Attributes: {
      ...attributesAt("product", listing),
      name: listing.name.trim(),
      description: htmlOf(description),
      short_description: htmlOf(
        [...description].slice(0, SHORT_DESCRIPTION).join("").toWellFormed(),
      ),
      brand: listing.brand?.name ?? "No Brand",
    },
  };
}

/** The SKU's part; kilograms with two decimals, rounded up so that no parcel is taken for lighter. */
export function skuPart(listing: ListingInput): Record<string, unknown> {
  const { length, width, height } = listing.sizeCm;
  const saleProp = attributesAt("saleProp", listing);
  return {
    ...attributesAt("sku", listing),
    SellerSku: listing.sku,
    package_length: cm(length),
    package_width: cm(width),
    package_height: cm(height),
    package_weight: (Math.max(1, Math.ceil(listing.weightGram / 10)) / 100).toFixed(2),
    ...(Object.keys(saleProp).length > 0 ? { saleProp } : {}),
  };
}

const cm = (value: number) => String(Math.max(1, Math.ceil(value)));

/** The attributes whose id names this place; see `listAttributes`. */
function attributesAt(place: string, { attributes }: ListingInput): Record<string, string> {
  const prefix = `${place}.`;
  return Object.fromEntries(
    attributes
      .filter(({ id }) => id.startsWith(prefix))
      .map(({ id, optionIds = [], text }) => [
        id.slice(prefix.length),
        [...optionIds, ...(text === undefined ? [] : [text])].join(","),
      ]),
  );
}
