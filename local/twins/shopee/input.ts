import { Fields, isObject, type Json } from "../common/fields.ts";
import type { SampleCategory } from "../common/market/categories.ts";
import { sampleBrands } from "../common/market/categories.ts";
import type { Market } from "../common/market/market.ts";
import { categoryOf, channels } from "./catalogue.ts";

export interface Refusal {
  code: string;
  message: string;
}

export interface ItemInput {
  name: string;
  categoryId: number;
  price: number;
  stock: number;
  sku: string;
  images: string[];
  hidden: boolean;
}

function amount(fields: Fields, name: string, rule: { min: number; max: number }): number {
  const value = fields.raw(name);
  if (typeof value !== "number" || !Number.isFinite(value)) {
    fields.fail(name, "must be a number");
    return 0;
  }
  if (value < rule.min || value > rule.max) {
    fields.fail(name, `must be between ${rule.min} and ${rule.max}`);
  }
  return value;
}

/** Rupiah have no decimals. */
export function readPrice(fields: Fields, name: string): number {
  const value = amount(fields, name, { min: 99, max: 150_000_000 });
  if (!Number.isInteger(value)) fields.fail(name, "must have no decimals in this region");
  return value;
}

export function readStock(fields: Fields): number {
  const list = fields.list("seller_stock", { required: true, min: 1, max: 1 });
  return (
    fields
      .at("seller_stock", 0, list[0] ?? {})
      .int("stock", { required: true, min: 0, max: 999_999 }) ?? 0
  );
}

function readImages(market: Market, fields: Fields): string[] {
  const list = fields.inner("image").list("image_id_list", { required: true, min: 1, max: 9 });
  for (const one of list) {
    const known = typeof one === "string" && market.images.has(one);
    if (!known)
      fields.fail("image.image_id_list", `has an id that was not uploaded: ${String(one)}`);
  }
  return list.map(String);
}

function readLogistics(fields: Fields, weightKg: number): void {
  const list = fields.list("logistic_info", { required: true, min: 1 });
  let enabled = 0;
  list.forEach((value, index) => {
    const one = fields.at("logistic_info", index, value);
    const id = one.int("logistic_id", { required: true });
    if (typeof one.raw("enabled") !== "boolean") one.fail("enabled", "must be a boolean");
    const channel = channels.find((known) => known.id === id);
    if (!channel) one.fail("logistic_id", "is not a channel of this shop");
    else if (weightKg > channel.maxKg) one.fail("logistic_id", "does not carry this weight");
    if (one.raw("enabled") === true) enabled += 1;
  });
  if (enabled === 0) fields.fail("logistic_info", "needs an enabled channel");
}

function readBrand(fields: Fields): void {
  const brand = fields.inner("brand");
  const id = brand.int("brand_id", { required: true });
  const name = brand.text("original_brand_name", { required: true });
  const known = sampleBrands.find((one) => one.id === id);
  if (id === 0) return;
  if (known?.name !== name) brand.fail("brand_id", "is not a brand of this category");
}

function readDimension(fields: Fields, category: SampleCategory | null): void {
  if (!fields.has("dimension")) {
    if (category?.sized) fields.fail("dimension", "is required in this category");
    return;
  }
  const size = fields.inner("dimension");
  for (const side of ["package_height", "package_length", "package_width"]) {
    size.int(side, { required: true, min: 1, max: 100 });
  }
}

/** The values of one attribute: an id of its list, or 0 with a name where the text is free. */
function readValues(fields: Fields, attribute: SampleCategory["attributes"][number]): void {
  const values = fields.list("attribute_value_list", { required: true, min: 1, max: 1 });
  const value = fields.at("attribute_value_list", 0, values[0] ?? {});
  const id = value.int("value_id", { required: true });
  if (id === 0) {
    value.text("original_value_name", { required: true });
    if (attribute.values.length > 0)
      value.fail("value_id", "must be one of the attribute's values");
  } else if (!attribute.values.some((one) => one.id === id)) {
    value.fail("value_id", "is not a value of this attribute");
  }
}

/** In Indonesia every mandatory attribute must be there. */
function readAttributes(fields: Fields, category: SampleCategory): void {
  const given = new Set<number>();
  for (const [index, value] of fields.list("attribute_list").entries()) {
    const one = fields.at("attribute_list", index, value);
    const id = one.int("attribute_id", { required: true });
    const attribute = category.attributes.find((known) => known.id === id);
    if (attribute) {
      given.add(attribute.id);
      readValues(one, attribute);
    } else {
      one.fail("attribute_id", "is not an attribute of this category");
    }
  }
  for (const { id, name, required } of category.attributes) {
    if (required && !given.has(id))
      fields.fail("attribute_list", `lacks the mandatory attribute ${id} (${name})`);
  }
}

function refusal(fields: Fields): Refusal | null {
  const [first] = fields.errors;
  return first === undefined ? null : { code: "error_param", message: fields.errors.join("; ") };
}

/** A whole item as `add_item` wants it (shopee.md section 5), or why not. */
export function readItem(market: Market, body: unknown): ItemInput | Refusal {
  if (!isObject(body)) return { code: "error_param", message: "the body must be a JSON object" };
  if ("normal_stock" in body)
    return { code: "error_param", message: "normal_stock is offline, use seller_stock" };
  const fields = new Fields(body);
  const name = fields.text("item_name", { required: true, max: 255 }) ?? "";
  fields.text("description", { required: true, max: 5000 });
  const categoryId = fields.int("category_id", { required: true }) ?? 0;
  const category = categoryOf(categoryId);
  if (!category) return { code: "error_category_not_exist", message: "Category does not exist" };
  if (!category.leaf)
    return { code: "error_category_is_not_leaf", message: "Category is not a leaf" };
  const price = readPrice(fields, "original_price");
  const weight = amount(fields, "weight", { min: 0.01, max: 60 });
  const images = readImages(market, fields);
  readLogistics(fields, weight);
  const stock = readStock(fields);
  readBrand(fields);
  readDimension(fields, category);
  readAttributes(fields, category);
  const sku = fields.text("item_sku", { max: 100 }) ?? "";
  fields.text("condition", { oneOf: ["NEW", "USED"] });
  const status = fields.text("item_status", { oneOf: ["NORMAL", "UNLIST"] });
  return (
    refusal(fields) ?? { name, categoryId, price, stock, sku, images, hidden: status === "UNLIST" }
  );
}

/** What `update_item` may not carry: price and stock have calls of their own. */
export function readChange(market: Market, before: Json, body: Json): ItemInput | Refusal {
  for (const name of ["original_price", "seller_stock", "normal_stock"]) {
    if (name in body) return { code: "error_param", message: `${name} cannot be changed here` };
  }
  return readItem(market, { ...before, ...body });
}

export function isRefusal(value: object): value is Refusal {
  return "code" in value && "message" in value;
}
