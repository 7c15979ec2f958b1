import type { ListingInput, Platform } from "../marketplace.ts";
import { refusal } from "./call.ts";
import type { MarketImageType, MarketplaceLimits } from "./limits.ts";
import { PLATFORM_NAME } from "./platforms.ts";

const thousands = (value: number) => value.toLocaleString("id-ID");

/** What of a listing surely breaks a rule of the platform, in words for the seller; null where nothing does. */
export function brokenRule(
  platform: Platform,
  limits: MarketplaceLimits,
  listing: ListingInput,
): string | null {
  const name = PLATFORM_NAME[platform];
  const { nameLength, descriptionLength, priceIdr } = limits;
  const length = [...listing.name.trim()].length;
  const described = [...listing.description.trim()].length;
  if (length < nameLength.min) return `Nama produk minimal ${nameLength.min} karakter di ${name}`;
  if (length > nameLength.max) return `Nama produk maksimal ${nameLength.max} karakter di ${name}`;
  if (described < descriptionLength.min) {
    return `Deskripsi produk minimal ${descriptionLength.min} karakter di ${name}`;
  }
  if (described > descriptionLength.max) {
    return `Deskripsi produk maksimal ${thousands(descriptionLength.max)} karakter di ${name}`;
  }
  if (listing.images.length === 0) return `Tambahkan minimal satu foto untuk ${name}`;
  if (listing.images.length > limits.images) return `Maksimal ${limits.images} foto di ${name}`;
  if (listing.sku === "" || listing.sku.length > limits.skuLength) {
    return `SKU harus 1 sampai ${limits.skuLength} karakter di ${name}`;
  }
  if (!(listing.weightGram >= 1)) return "Isi berat produk";
  return brokenPrice(platform, priceIdr, listing.priceIdr) ?? brokenStock(limits, listing.stock);
}

export function brokenPrice(
  platform: Platform,
  { min, max }: MarketplaceLimits["priceIdr"],
  priceIdr: number,
): string | null {
  if (Number.isSafeInteger(priceIdr) && priceIdr >= min && priceIdr <= max) return null;
  return `Harga di ${PLATFORM_NAME[platform]} harus Rp ${thousands(min)} sampai Rp ${thousands(max)}`;
}

export function brokenStock({ stock: most }: MarketplaceLimits, stock: number): string | null {
  if (Number.isSafeInteger(stock) && stock >= 0 && stock <= most) return null;
  return `Stok harus 0 sampai ${thousands(most)}`;
}

/** Throws where a listing surely would be refused, before anything is sent. */
export function checkListing(platform: Platform, limits: MarketplaceLimits, listing: ListingInput) {
  const broken = brokenRule(platform, limits, listing);
  if (broken !== null) throw refusal(platform, broken, "listing_rule");
}

const IMAGE_START: Record<MarketImageType, number[]> = {
  jpeg: [0xff, 0xd8, 0xff],
  png: [0x89, 0x50, 0x4e, 0x47],
};

/** Throws where a picture surely would be refused: its size, or bytes that are not of its type. */
export function checkImage(
  platform: Platform,
  limits: MarketplaceLimits,
  image: Uint8Array,
  type: MarketImageType,
) {
  const name = PLATFORM_NAME[platform];
  if (!IMAGE_START[type].every((byte, index) => image[index] === byte)) {
    throw refusal(platform, `Foto untuk ${name} harus berformat JPEG atau PNG`, "image_type");
  }
  if (image.byteLength > limits.imageBytes) {
    const megabytes = Math.floor(limits.imageBytes / 1_048_576);
    throw refusal(platform, `Ukuran foto untuk ${name} maksimal ${megabytes} MB`, "image_size");
  }
}
