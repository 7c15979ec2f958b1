import { z } from "zod";
import { refusal } from "../marketplace/call.ts";
import { id, text } from "../marketplace/fields.ts";
import type { MarketImageType } from "../marketplace/limits.ts";
import { checkImage } from "../marketplace/listing-rules.ts";
import type {
  MarketAttribute,
  MarketBrand,
  MarketCategory,
  ShopAuth,
  ShopSetup,
} from "../marketplace.ts";
import { LIMITS } from "./limits.ts";
import { PLATFORM, type TikTokLine } from "./line.ts";

/** Indonesia must use the second version of the tree. */
const VERSION = { category_version: "v2" };
export const LISTING_PLATFORM = "TOKOPEDIA";
const LOCALE = { locale: "id-ID" };
const TREE_BYTES = 8_000_000;

const Warehouses = z.object({
  data: z.object({
    warehouses: z
      .array(z.object({ id, is_default: z.boolean().nullish(), type: text, effect_status: text }))
      .nullish(),
  }),
});

/** Where the shop's stock lies: its default warehouse for sales. */
export async function getSetup(line: TikTokLine, auth: ShopAuth): Promise<ShopSetup> {
  const path = "/logistics/202309/warehouses";
  const { data } = await line.call(auth, { method: "GET", path, schema: Warehouses });
  const usable = (data.warehouses ?? []).filter(
    ({ type, effect_status }) =>
      (type === "" || type === "SALES_WAREHOUSE") &&
      (effect_status === "" || effect_status === "ENABLED"),
  );
  const warehouse = usable.find(({ is_default }) => is_default) ?? usable[0];
  if (!warehouse) {
    throw refusal(PLATFORM, "Buat gudang di Seller Center Tokopedia terlebih dahulu", "warehouse");
  }
  return { logisticIds: [], warehouseId: warehouse.id };
}

const Categories = z.object({
  data: z.object({
    categories: z
      .array(z.object({ id, parent_id: text, local_name: text, is_leaf: z.boolean() }))
      .nullish(),
  }),
});

export async function listCategories(line: TikTokLine, auth: ShopAuth): Promise<MarketCategory[]> {
  const { data } = await line.call(auth, {
    method: "GET",
    path: "/product/202309/categories",
    query: { ...VERSION, ...LOCALE, listing_platform: LISTING_PLATFORM },
    schema: Categories,
    maxBytes: TREE_BYTES,
  });
  return (data.categories ?? []).map((row) => ({
    id: row.id,
    parentId: row.parent_id === "" || row.parent_id === "0" ? null : row.parent_id,
    name: row.local_name,
    isLeaf: row.is_leaf,
  }));
}

const Recommended = z.object({ data: z.object({ leaf_category_id: text }).nullish() });

export async function suggestCategory(
  line: TikTokLine,
  auth: ShopAuth,
  productName: string,
): Promise<string | null> {
  const { data } = await line.call(auth, {
    method: "POST",
    path: "/product/202309/categories/recommend",
    json: {
      product_title: productName.trim().slice(0, 255),
      ...VERSION,
      listing_platform: LISTING_PLATFORM,
    },
    schema: Recommended,
    reads: true,
  });
  return data?.leaf_category_id || null;
}

const flag = z.boolean().nullish();
const Attributes = z.object({
  data: z.object({
    attributes: z
      .array(
        z.object({
          id,
          name: text,
          type: text,
          // The platform's own spelling, and the right one should it be mended.
          is_requried: flag,
          is_required: flag,
          is_customizable: flag,
          is_multiple_selection: flag,
          values: z.array(z.object({ id, name: text })).nullish(),
          value_data_format: text,
        }),
      )
      .nullish(),
  }),
});

export async function listAttributes(
  line: TikTokLine,
  auth: ShopAuth,
  categoryId: string,
): Promise<MarketAttribute[]> {
  const { data } = await line.call(auth, {
    method: "GET",
    path: `/product/202309/categories/${encodeURIComponent(categoryId)}/attributes`,
    query: { ...VERSION, ...LOCALE },
    schema: Attributes,
    maxBytes: TREE_BYTES,
  });
  // Ours have one variant, which needs no sales properties.
  const rows = (data.attributes ?? []).filter(({ type }) => type !== "SALES_PROPERTY");
  return rows.map((row) => {
    const options = row.values ?? [];
    const many = row.is_multiple_selection === true;
    const number = /INT|DECIMAL|NUMBER/i.test(row.value_data_format) ? "number" : "text";
    return {
      id: row.id,
      name: row.name,
      required: (row.is_requried ?? row.is_required) === true,
      input: options.length === 0 ? number : many ? "many_of" : "one_of",
      free: options.length === 0 || row.is_customizable === true,
      options,
    };
  });
}

const Brands = z.object({
  data: z.object({ brands: z.array(z.object({ id, name: text })).nullish() }),
});

export async function findBrand(
  line: TikTokLine,
  auth: ShopAuth,
  categoryId: string,
  name: string,
): Promise<MarketBrand | null> {
  const wanted = name.trim();
  const { data } = await line.call(auth, {
    method: "GET",
    path: "/product/202309/brands",
    query: { category_id: categoryId, brand_name: wanted, page_size: "100", ...VERSION },
    schema: Brands,
  });
  const same = (brand: MarketBrand) => brand.name.toLowerCase() === wanted.toLowerCase();
  return (data.brands ?? []).find(same) ?? null;
}

const Uploaded = z.object({ data: z.object({ uri: z.string().min(1).max(500) }) });

/** Uploads one picture (providers/tokopedia.md §5); this call wants no cipher. */
export async function uploadImage(
  line: TikTokLine,
  { shopCipher: _, ...auth }: ShopAuth,
  image: Uint8Array,
  type: MarketImageType,
): Promise<string> {
  checkImage(PLATFORM, LIMITS, image, type);
  const file = { field: "data", name: `image.${type}`, type: `image/${type}`, bytes: image };
  const fields = { use_case: "MAIN_IMAGE" };
  const path = "/product/202309/images/upload";
  return (await line.upload(auth, path, { fields, file }, Uploaded)).data.uri;
}
