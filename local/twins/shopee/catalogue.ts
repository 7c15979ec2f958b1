import {
  type SampleAttribute,
  type SampleCategory,
  sampleBrands,
  sampleCategories,
  sampleCategory,
  suggestCategories,
} from "../common/market/categories.ts";
import { textOf } from "../common/market/faults.ts";
import type { Market } from "../common/market/market.ts";
import type { Handler, TwinRequest } from "../common/server.ts";
import { badParam, good } from "./answers.ts";

const base = 100_000;
export const channels = [
  { id: 8003, name: "Reguler (Cashless)", maxKg: 30 },
  { id: 8005, name: "Hemat Kargo", maxKg: 60 },
] as const;

export function categoryOf(id: unknown): SampleCategory | null {
  return typeof id === "number" ? sampleCategory(id - base) : null;
}

function attributeView({ id, name, required, values }: SampleAttribute) {
  return {
    attribute_id: id,
    name,
    mandatory: required,
    attribute_value_list: values.map((value) => ({ value_id: value.id, name: value.name })),
    attribute_info: {
      input_type: values.length > 0 ? 1 : 3,
      input_validation_type: values.length > 0 ? 0 : 2,
      format_type: 1,
      max_value_count: 1,
    },
  };
}

/** The dial puts the tree's first root beneath one of its own grandchildren. */
function listCategories(market: Market, request: TwinRequest) {
  const cycle = market.own.take("categoryCycle", textOf(request, shopOf(request)));
  const deep = sampleCategories.find((one) => one.leaf)?.parent ?? 1;
  return good({
    category_list: sampleCategories.map(({ id, parent, name, leaf }) => ({
      category_id: base + id,
      parent_category_id: cycle && id === 1 ? base + deep : parent === 0 ? 0 : base + parent,
      original_category_name: name,
      display_category_name: name,
      has_children: !leaf,
    })),
  });
}

export function shopOf(request: TwinRequest): string {
  return request.query.get("shop_id") ?? "";
}

/** Numbers of a list in the query: repeated, or joined by commas. */
export function numbersOf(request: TwinRequest, name: string): number[] | null {
  const numbers = request.query
    .getAll(name)
    .flatMap((one) => one.split(","))
    .map(Number);
  return numbers.length > 0 && numbers.every(Number.isSafeInteger) ? numbers : null;
}

function attributeTree(request: TwinRequest) {
  const ids = numbersOf(request, "category_id_list");
  if (!ids || ids.length > 20) return badParam("category_id_list must have 1 to 20 ids");
  return good({
    list: ids.map((id) => ({
      category_id: id,
      attribute_tree: categoryOf(id)?.attributes.map(attributeView) ?? [],
      warning: categoryOf(id) ? "" : "category not found",
    })),
  });
}

/** `offset` and `page_size` of a list, or what is wrong with them. */
export function pageOf(
  request: TwinRequest,
  max: number,
): { offset: number; size: number } | string {
  const size = Number(request.query.get("page_size") ?? Number.NaN);
  const offset = Number(request.query.get("offset") || 0);
  if (!Number.isInteger(size) || size < 1 || size > max) return `page_size must be 1 to ${max}`;
  return Number.isInteger(offset) && offset >= 0 ? { offset, size } : "offset is invalid";
}

function brandList(request: TwinRequest) {
  const page = pageOf(request, 100);
  if (typeof page === "string") return badParam(page);
  const { query } = request;
  if (!["1", "2"].includes(query.get("status") ?? "")) return badParam("status must be 1 or 2");
  const category = categoryOf(Number(query.get("category_id")));
  if (!category?.leaf) return badParam("category_id is invalid");
  const end = page.offset + page.size;
  const brands = query.get("status") === "1" ? sampleBrands : [];
  return good({
    brand_list: brands.slice(page.offset, end).map(({ id, name }) => ({
      brand_id: id,
      original_brand_name: name,
      display_brand_name: name,
    })),
    has_next_page: end < brands.length,
    next_offset: end < brands.length ? end : 0,
    is_mandatory: true,
    input_type: "DROP_DOWN",
  });
}

/** What a product needs before it can be made: shopee.md section 5. */
export function catalogueRoutes(market: Market): Record<string, Handler> {
  return {
    "GET /api/v2/product/get_category": (request) => listCategories(market, request),
    "GET /api/v2/product/get_attribute_tree": attributeTree,
    "GET /api/v2/product/get_brand_list": brandList,
    "GET /api/v2/product/category_recommend": ({ query }) => {
      const name = query.get("item_name");
      if (!name) return badParam("item_name is required");
      return good({ category_id: suggestCategories(name).map(({ id }) => base + id) });
    },
    "GET /api/v2/logistics/get_channel_list": () =>
      good({
        logistics_channel_list: channels.map(({ id, name, maxKg }) => ({
          logistics_channel_id: id,
          logistics_channel_name: name,
          cod_enabled: true,
          enabled: true,
          fee_type: "SIZE_INPUT",
          size_list: [],
          weight_limit: { item_max_weight: maxKg, item_min_weight: 0.01 },
          item_max_dimension: {
            height: 100,
            width: 100,
            length: 100,
            unit: "cm",
            dimension_sum: 280,
          },
          force_enable: false,
          mask_channel_id: 0,
        })),
      }),
  };
}
