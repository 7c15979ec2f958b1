import { z } from "zod";
import { MarketplaceError } from "../marketplace/error.ts";
import { id, text } from "../marketplace/fields.ts";
import type { MarketImageType } from "../marketplace/limits.ts";
import { checkImage } from "../marketplace/listing-rules.ts";
import type { MarketAttribute, MarketCategory, ShopAuth } from "../marketplace.ts";
import { LIMITS } from "./limits.ts";
import { type LazadaLine, PLATFORM } from "./line.ts";

const LANGUAGE = { language_code: "id_ID" };
const TREE_BYTES = 8_000_000;
const DEEPEST = 12;

interface Node {
  category_id: string;
  name: string;
  leaf: boolean;
  children?: Node[] | null | undefined;
}
const Node: z.ZodType<Node> = z.object({
  category_id: id,
  name: text,
  leaf: z.boolean(),
  get children() {
    return z.array(Node).nullish();
  },
});
const Tree = z.object({ data: z.array(Node) });

export async function listCategories(line: LazadaLine, auth: ShopAuth): Promise<MarketCategory[]> {
  const { data } = await line.read(auth, "/category/tree/get", LANGUAGE, Tree, TREE_BYTES);
  return flat(data, null, 0);
}

function flat(nodes: Node[], parentId: string | null, depth: number): MarketCategory[] {
  if (depth >= DEEPEST) return [];
  return nodes.flatMap(({ category_id, name, leaf, children }) => [
    { id: category_id, parentId, name, isLeaf: leaf },
    ...flat(children ?? [], category_id, depth + 1),
  ]);
}

const Suggestions = z.object({
  data: z.object({
    categorySuggestions: z.array(z.object({ categoryId: id })).nullish(),
  }),
});
const NO_SUGGESTION = "701";

export async function suggestCategory(
  line: LazadaLine,
  auth: ShopAuth,
  productName: string,
): Promise<string | null> {
  const query = { product_name: productName.trim().slice(0, 255) };
  try {
    const path = "/product/category/suggestion/get";
    const { data } = await line.read(auth, path, query, Suggestions);
    return data.categorySuggestions?.[0]?.categoryId ?? null;
  } catch (error) {
    if (error instanceof MarketplaceError && error.code === NO_SUGGESTION) return null;
    throw error;
  }
}

const flag = z
  .union([z.number(), z.string(), z.boolean()])
  .nullish()
  .transform((value) => value === true || Number(value) === 1);
const Attributes = z.object({
  data: z.array(
    z.object({
      name: text,
      label: text,
      is_mandatory: flag,
      is_sale_prop: flag,
      attribute_type: text,
      input_type: text,
      options: z.array(z.object({ name: text })).nullish(),
    }),
  ),
});

/** What a listing says by itself, so that nobody is asked for it as an attribute. */
const OWN = new Set([
  "name",
  "name_en",
  "short_description",
  "short_description_en",
  "description",
  "description_en",
  "brand",
  "brand_id",
  "SellerSku",
  "price",
  "quantity",
  "special_price",
  "special_from_date",
  "special_to_date",
  "seller_promotion",
  "package_weight",
  "package_length",
  "package_width",
  "package_height",
  "package_content",
  "__images__",
  "tax_class",
]);

const INPUT: Record<string, MarketAttribute["input"]> = {
  numeric: "number",
  date: "date",
  singleselect: "one_of",
  enuminput: "one_of",
  multiselect: "many_of",
  multienuminput: "many_of",
};

/** The place in a listing stands in front of the name: `product`, `sku`, or `saleProp` within the SKU. */
export async function listAttributes(
  line: LazadaLine,
  auth: ShopAuth,
  categoryId: string,
): Promise<MarketAttribute[]> {
  const query = { primary_category_id: categoryId, ...LANGUAGE };
  const { data } = await line.read(auth, "/category/attributes/get", query, Attributes, TREE_BYTES);
  return data
    .filter(({ name, input_type }) => !OWN.has(name) && input_type.toLowerCase() !== "img")
    .map((row) => {
      const place = row.attribute_type === "sku" ? "sku" : "product";
      const input = INPUT[row.input_type.toLowerCase()] ?? "text";
      const picks = input === "one_of" || input === "many_of";
      return {
        id: `${row.is_sale_prop ? "saleProp" : place}.${row.name}`,
        name: row.label || row.name,
        required: row.is_mandatory,
        input,
        free: !picks || /input/i.test(row.input_type),
        // Lazada takes an option by its name.
        options: (row.options ?? []).map(({ name }) => ({ id: name, name })),
      };
    });
}

const Uploaded = z.object({ data: z.object({ image: z.object({ url: z.url() }) }) });

/** Uploads one picture (providers/lazada.md §4); listings take Lazada's own addresses only. */
export async function uploadImage(
  line: LazadaLine,
  auth: ShopAuth,
  image: Uint8Array,
  type: MarketImageType,
): Promise<string> {
  checkImage(PLATFORM, LIMITS, image, type);
  const file = { field: "image", name: `image.${type}`, type: `image/${type}`, bytes: image };
  const { data } = await line.upload(auth, "/image/upload", file, Uploaded);
  return data.image.url;
}
