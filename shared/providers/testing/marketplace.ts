import type { ListingInput, ListingRef, ShopAuth } from "../marketplace.ts";

/** The smallest bytes that pass for a picture of this type. */
export const PNG = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00]);
export const JPEG = new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0x00, 0x10]);

export const NOW = new Date("2026-11-21T10:00:00Z");

export const auth = (changes: Partial<ShopAuth> = {}): ShopAuth => ({
  accessToken: "sample_access_token",
  shopId: "14701711",
  shopCipher: null,
  ...changes,
});

/** A listing that every platform would take. */
export function listing(changes: Partial<ListingInput> = {}): ListingInput {
  return {
    sku: "BLT-001",
    name: "Keripik Tempe Khas Blitar 250 gram",
    description: "Renyah & gurih.\nTanpa <pengawet>.",
    priceIdr: 75_000,
    stock: 12,
    weightGram: 255,
    sizeCm: { length: 20, width: 10.2, height: 5 },
    categoryId: "100182",
    brand: null,
    attributes: [],
    images: ["image-1"],
    setup: { logisticIds: [], warehouseId: null },
    ...changes,
  };
}

export const ref = (changes: Partial<ListingRef> = {}): ListingRef => ({
  itemId: "740600001",
  skuId: null,
  sku: "BLT-001",
  ...changes,
});

/** The fields and the file's first bytes of a multipart body that was sent. */
export async function partsOf(bytes: Uint8Array | undefined, type: string | undefined) {
  const body = new Uint8Array(bytes ?? new Uint8Array());
  const form = await new Response(body, { headers: { "content-type": type ?? "" } }).formData();
  const parts: Record<string, string | number[]> = {};
  for (const [name, value] of form.entries()) {
    parts[name] =
      typeof value === "string" ? value : [...new Uint8Array(await value.arrayBuffer())];
  }
  return parts;
}

/** The frame of a grey JPEG: enough for a platform to tell its kind and size. */
export function jpegOf(width: number, height: number): Uint8Array {
  const size = [height >> 8, height & 0xff, width >> 8, width & 0xff];
  const frame = [0xff, 0xc0, 0, 11, 8, ...size, 1, 1, 0x11, 0];
  return new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, ...frame, 0xff, 0xd9]);
}
