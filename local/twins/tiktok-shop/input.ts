import { Fields, type Json } from "../common/fields.ts";
import { type SampleCategory, sampleBrands } from "../common/market/categories.ts";
import type { Market } from "../common/market/market.ts";
import { codes } from "./answers.ts";
import { categoryOf, warehouses } from "./catalogue.ts";

export interface SkuInput {
  id: string | null;
  sellerSku: string;
  price: number;
  stock: number;
}

export interface ProductInput {
  title: string;
  categoryId: string;
  images: string[];
  platforms: string[];
  draft: boolean;
  skus: SkuInput[];
}

export interface Refusal {
  code: number;
  message: string;
}

export function isRefusal(value: object): value is Refusal {
  return "code" in value && "message" in value;
}

export function readPlatforms(fields: Fields): string[] {
  if (!fields.has("listing_platforms")) return ["TIKTOK_SHOP"];
  const list = fields.list("listing_platforms", { min: 1, max: 2 }).map(String);
  if (!list.every((one) => one === "TIKTOK_SHOP" || one === "TOKOPEDIA")) {
    fields.fail("listing_platforms", "must be TIKTOK_SHOP or TOKOPEDIA");
  }
  return list;
}

/** An amount is text without decimals, in rupiah. */
export function readPrice(fields: Fields): number {
  const price = fields.inner("price");
  price.text("currency", { required: true, oneOf: ["IDR"] });
  const text = price.text("amount", { required: true, pattern: /^\d+$/ }) ?? "0";
  const amount = Number(text);
  if (amount < 100 || amount > 100_000_000) price.fail("amount", "must be 100 to 100000000 in IDR");
  return amount;
}

/** Whether the warehouse is one that sells, and what lies there. */
export function readInventory(fields: Fields): { quantity: number; isKnown: boolean } {
  const list = fields.list("inventory", { required: true, min: 1, max: 1 });
  const one = fields.at("inventory", 0, list[0] ?? {});
  const id = one.text("warehouse_id", { required: true });
  const quantity = one.int("quantity", { required: true, min: 0, max: 99_999 }) ?? 0;
  const isKnown = warehouses.some((known) => known.id === id && known.type === "SALES_WAREHOUSE");
  return { quantity, isKnown };
}

function readImages(market: Market, fields: Fields): string[] {
  const list = fields.list("main_images", { required: true, min: 1, max: 9 });
  return list.map((value, index) => {
    const uri = fields.at("main_images", index, value).text("uri", { required: true }) ?? "";
    if (!market.images.has(uri))
      fields.fail("main_images", `has an image that was not uploaded: ${uri}`);
    return uri;
  });
}

function readAttributes(fields: Fields, category: SampleCategory): void {
  const given = new Set<string>();
  for (const [index, value] of fields.list("product_attributes").entries()) {
    const one = fields.at("product_attributes", index, value);
    const id = one.text("id", { required: true });
    const attribute = category.attributes.find((known) => String(known.id) === id);
    const values = one.list("values", { required: true, min: 1, max: 1 });
    const first = one.at("values", 0, values[0] ?? {});
    if (!attribute) one.fail("id", "is not an attribute of this category");
    else given.add(String(attribute.id));
    const chosen = first.text("id");
    if (chosen && !attribute?.values.some((known) => String(known.id) === chosen)) {
      first.fail("id", "is not a value of this attribute");
    }
    if (!chosen && (attribute?.values.length ?? 0) > 0) first.fail("id", "is required here");
    if (!chosen) first.text("name", { required: true });
  }
  for (const { id, name, required } of category.attributes) {
    if (required && !given.has(String(id)))
      fields.fail("product_attributes", `lacks ${id} (${name})`);
  }
}

function readParcel(fields: Fields, category: SampleCategory): void {
  const weight = fields.inner("package_weight");
  weight.text("value", { required: true, pattern: /^\d+(\.\d{1,3})?$/ });
  weight.text("unit", { required: true, oneOf: ["KILOGRAM"] });
  if (!fields.has("package_dimensions")) {
    if (category.sized) fields.fail("package_dimensions", "is required in this category");
    return;
  }
  const size = fields.inner("package_dimensions");
  for (const side of ["length", "width", "height"])
    size.text(side, { required: true, pattern: /^\d+$/ });
  size.text("unit", { required: true, oneOf: ["CENTIMETER"] });
}

function readSkus(fields: Fields, withStock: boolean): { skus: SkuInput[]; known: boolean } {
  const list = fields.list("skus", { required: true, min: 1, max: 300 });
  let known = true;
  const skus = list.map((value, index) => {
    const one = fields.at("skus", index, value);
    const sellerSku = one.text("seller_sku", { max: 50 }) ?? "";
    const price = readPrice(one);
    const inventory = withStock || one.has("inventory") ? readInventory(one) : null;
    if (inventory && !inventory.isKnown) known = false;
    return { id: one.text("id") ?? null, sellerSku, price, stock: inventory?.quantity ?? -1 };
  });
  return { skus, known };
}

function readBrand(fields: Fields): void {
  const id = fields.text("brand_id");
  const known = sampleBrands.some(
    (one) => String(7_000_000_000_000_000_000n + BigInt(one.id)) === id,
  );
  if (id && !known) fields.fail("brand_id", "is not a brand");
}

function categoryRefusal(category: SampleCategory | null, platforms: string[]): Refusal | null {
  if (!category) return { code: codes.invalid, message: "the category does not exist" };
  if (!category.leaf) return { code: codes.notLeaf, message: "the category is not a leaf" };
  const barred = platforms.find((one) => !category.platforms.some((known) => known === one));
  return barred ? { code: codes.invalid, message: `the category is not sold on ${barred}` } : null;
}

/** A whole product as create and full edit want it (tokopedia.md section 5), or why not. */
export function readProduct(market: Market, body: Json, isNew: boolean): ProductInput | Refusal {
  const fields = new Fields(body);
  const mode = fields.text("save_mode", { oneOf: ["LISTING", "AS_DRAFT"] });
  const platforms = readPlatforms(fields);
  const category = categoryOf(body.category_id);
  const refused = categoryRefusal(category, platforms);
  if (refused || !category) return refused ?? { code: codes.invalid, message: "category_id" };
  if (body.category_version !== "v2") fields.fail("category_version", "must be v2 for ID shops");
  const title = fields.text("title", { required: true, min: 25, max: 255 }) ?? "";
  fields.text("description", { required: true, max: 10_000 });
  const images = readImages(market, fields);
  readBrand(fields);
  readAttributes(fields, category);
  readParcel(fields, category);
  const { skus, known } = readSkus(fields, isNew);
  if (fields.errors.length > 0) return { code: codes.invalid, message: fields.errors.join("; ") };
  if (!known) return { code: codes.warehouse, message: "the warehouse is invalid" };
  const categoryId = String(body.category_id);
  return { title, categoryId, images, platforms, draft: mode === "AS_DRAFT", skus };
}
