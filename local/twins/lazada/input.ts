import { isObject, type Json } from "../common/fields.ts";
import { type SampleCategory, sampleBrands } from "../common/market/categories.ts";
import type { Market } from "../common/market/market.ts";
import type { Detail } from "./answers.ts";
import { categoryOf } from "./catalogue.ts";
import { listOf, readPayload } from "./payload.ts";

export interface SkuInput {
  sellerSku: string;
  price: number;
  quantity: number;
  hidden: boolean;
}

export interface ProductInput {
  name: string;
  categoryId: string;
  images: string[];
  skus: SkuInput[];
  body: Json;
}

export interface Refusal {
  code: string;
  message: string;
  detail: Detail[];
}

export function isRefusal(value: object): value is Refusal {
  return "detail" in value;
}

function refuse(code: string, message: string, detail: Detail[] = []): Refusal {
  return { code, message, detail };
}

/** A number as text or as itself, as the payload allows both. */
export function numberOf(value: unknown): number {
  if (typeof value === "number") return value;
  return typeof value === "string" && value.trim() !== "" ? Number(value) : Number.NaN;
}

function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** `Request.Product` of a payload, and whether it came as XML. */
export function readProduct(payload: string): { product: Json; isXml: boolean } | Refusal {
  if (!payload) return refuse("MissingParameter", "payload is mandatory");
  const request = readPayload(payload);
  if (!request) return refuse("1001", "The payload is not a valid JSON or XML");
  const { Product: product } = request;
  if (!isObject(product)) return refuse("1", "E001: Parameter Product is mandatory");
  return { product, isXml: payload.trimStart().startsWith("<") };
}

export function skusOf(product: Json, isXml: boolean): Json[] | null {
  const list = isObject(product.Skus) ? listOf(product.Skus.Sku, isXml) : null;
  return list && list.length > 0 && list.every(isObject) ? list : null;
}

function wrongImages(market: Market, images: unknown[] | null): Refusal | null {
  if (!images || images.length === 0) return refuse("4139", "BIZ_CHECK_MAIN_IMAGE_REQUIRE");
  if (images.length > 8)
    return refuse("4169", "CHK_IMAGE_MAX_ITEMS: Upload a maximum of 8 pictures");
  const outside = images.find((one) => !market.images.has(textOf(one)));
  if (outside === undefined) return null;
  return refuse("4138", "BIZ_CHECK_EXIST_OUTER_IMAGE", [
    { field: "Images", message: `The image exists in the outer link: ${textOf(outside)}` },
  ]);
}

/** Name, description, brand and what the category wants. */
function wrongAttributes(attributes: Json, category: SampleCategory): Refusal | null {
  const detail: Detail[] = [];
  const miss = (field: string, message = "Mandatory") => detail.push({ field, message });
  const name = textOf(attributes.name);
  if (!name) miss("name");
  if (name.length > 255) miss("name", "The max length can not exceed 255");
  const description = textOf(attributes.description);
  if (!description) miss("description");
  if (description.length > 25_000) miss("description", "The max length can not exceed 25000");
  for (const { key, required, values } of category.attributes) {
    const given = textOf(attributes[key]);
    if (required && !given) miss(key);
    const known = values.length === 0 || values.some((value) => value.name === given);
    if (given && !known) miss(key, "CHK_ENUM_PROP_VALUE_NOT_IN_OPTION");
  }
  if (detail.length > 0) return refuse("500", "E500: Create product failed", detail);
  const brand = textOf(attributes.brand) || textOf(attributes.brand_id);
  const named = sampleBrands.some((one) => one.name === brand || String(one.id) === brand);
  if (named || brand === "No Brand") return null;
  return refuse("4142", "THD_BRAND_ID_IS_NOT_VALID_IN_CATEGORY", [
    { field: "brand", message: brand },
  ]);
}

const sides = ["package_length", "package_width", "package_height"];

function wrongSku(sku: Json): Detail | null {
  const sellerSku = textOf(sku.SellerSku);
  const wrong = (field: string, message: string) => ({ field, message, seller_sku: sellerSku });
  if (!sellerSku || sellerSku.length > 200) return wrong("SellerSku", "SELLER_SKU_INVALID");
  const price = numberOf(sku.price);
  if (!(price > 0) || !Number.isInteger(price)) {
    return wrong("price", "BIZ_CHECK_PRICE_PRECISION_INVALID");
  }
  const quantity = numberOf(sku.quantity);
  if (!Number.isInteger(quantity) || quantity < 0) return wrong("quantity", "illegal parameter");
  const side = sides.find((one) => !(numberOf(sku[one]) > 0));
  if (side) return wrong(side, "BIZ_CHECK_PACKAGE_DECIMAL_INVALID");
  const weight = textOf(sku.package_weight);
  if (!/^\d+(\.\d{1,2})?$/.test(weight) || Number(weight) <= 0) {
    return wrong("package_weight", "BIZ_CHECK_PACKAGE_DECIMAL_INVALID");
  }
  return Number(weight) > 40 ? wrong("package_weight", "BIZ_CHECK_MAX_PACKAGE_WEIGHT") : null;
}

function readSku(sku: Json): SkuInput {
  return {
    sellerSku: textOf(sku.SellerSku),
    price: numberOf(sku.price),
    quantity: numberOf(sku.quantity),
    hidden: textOf(sku.Status) === "inactive",
  };
}

/** A whole product as `/product/create` wants it (lazada.md section 4), or why not. */
export function readCreate(market: Market, payload: string): ProductInput | Refusal {
  const read = readProduct(payload);
  if (isRefusal(read)) return read;
  const { product, isXml } = read;
  const category = categoryOf(product.PrimaryCategory);
  if (!category)
    return refuse("201", `E201: ${textOf(product.PrimaryCategory)} Invalid CategoryId`);
  if (!category.leaf) return refuse("4134", "Please select the last level category.");
  const images = isObject(product.Images) ? listOf(product.Images.Image, isXml) : null;
  const attributes = isObject(product.Attributes) ? product.Attributes : {};
  const wrong = wrongImages(market, images) ?? wrongAttributes(attributes, category);
  if (wrong) return wrong;
  const skus = skusOf(product, isXml);
  if (!skus) return refuse("5", "E005: Invalid Request Format");
  const detail = skus.map(wrongSku).filter((one) => one !== null);
  if (detail.length > 0) return refuse("500", "E500: Create product failed", detail);
  return {
    name: textOf(attributes.name),
    categoryId: textOf(product.PrimaryCategory),
    images: (images ?? []).map(textOf),
    skus: skus.map(readSku),
    body: { ...product, Attributes: attributes },
  };
}
