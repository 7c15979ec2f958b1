import { z } from "zod";
import { inTurn, refusal } from "../marketplace/call.ts";
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
import { multipart } from "../multipart.ts";
import { LIMITS } from "./limits.ts";
import { PLATFORM, type ShopeeLine } from "./line.ts";

const LANGUAGE = { language: "id" };
/** The Indonesian tree is some thousand rows. */
const TREE_BYTES = 8_000_000;

const Channels = z.object({
  response: z.object({
    logistics_channel_list: z.array(
      z.object({
        logistics_channel_id: id,
        enabled: z.boolean(),
        // A fulfilment channel stands behind the checkout channel that it names here.
        mask_channel_id: z.union([z.string(), z.number()]).nullish().transform(String),
        fee_type: text,
      }),
    ),
  }),
});
/** These want a size or a fee for each product, which only the seller knows. */
const NEEDS_MORE = new Set(["SIZE_SELECTION", "CUSTOM_PRICE"]);

/** The delivery channels that the shop has switched on (providers/shopee.md §5, lookups). */
export async function getSetup(line: ShopeeLine, auth: ShopAuth): Promise<ShopSetup> {
  const { response } = await line.read(auth, "logistics/get_channel_list", {}, Channels);
  const usable = response.logistics_channel_list.filter(
    ({ enabled, mask_channel_id, fee_type }) =>
      enabled &&
      !NEEDS_MORE.has(fee_type) &&
      ["0", "undefined", "null", ""].includes(mask_channel_id),
  );
  if (usable.length === 0) {
    throw refusal(PLATFORM, "Aktifkan minimal satu jasa kirim di toko Shopee Anda", "no_channel");
  }
  return {
    logisticIds: usable.map(({ logistics_channel_id }) => logistics_channel_id),
    warehouseId: null,
  };
}

const Categories = z.object({
  response: z.object({
    category_list: z.array(
      z.object({
        category_id: id,
        parent_category_id: id,
        original_category_name: text,
        display_category_name: text,
        has_children: z.boolean(),
      }),
    ),
  }),
});

export async function listCategories(line: ShopeeLine, auth: ShopAuth): Promise<MarketCategory[]> {
  const { response } = await line.read(auth, "product/get_category", LANGUAGE, Categories, {
    maxBytes: TREE_BYTES,
  });
  return response.category_list.map((row) => ({
    id: row.category_id,
    parentId: row.parent_category_id === "0" ? null : row.parent_category_id,
    name: row.display_category_name || row.original_category_name,
    isLeaf: !row.has_children,
  }));
}

const Suggested = z.object({ response: z.object({ category_id: z.array(id) }) });

export async function suggestCategory(
  line: ShopeeLine,
  auth: ShopAuth,
  productName: string,
): Promise<string | null> {
  const query = { item_name: productName.trim().slice(0, 255) };
  const { response } = await line.read(auth, "product/category_recommend", query, Suggested);
  return response.category_id[0] ?? null;
}

const Attributes = z.object({
  response: z.object({
    list: z.array(
      z.object({
        category_id: id,
        attribute_tree: z
          .array(
            z.object({
              attribute_id: id,
              mandatory: z.boolean().nullish(),
              name: text,
              attribute_info: z
                .object({
                  input_type: z.number().nullish(),
                  input_validation_type: z.number().nullish(),
                })
                .nullish(),
              attribute_value_list: z.array(z.object({ value_id: id, name: text })).nullish(),
            }),
          )
          .nullish(),
      }),
    ),
  }),
});

const DROP_DOWN = 1;
const COMBO_BOX = 2;
const MANY_DROP_DOWN = 4;
const MANY_COMBO_BOX = 5;

function inputOf(type: number | null | undefined, check: number | null | undefined) {
  if (type === DROP_DOWN || type === COMBO_BOX) return "one_of";
  if (type === MANY_DROP_DOWN || type === MANY_COMBO_BOX) return "many_of";
  if (check === 1 || check === 3) return "number";
  return check === 4 ? "date" : "text";
}

export async function listAttributes(
  line: ShopeeLine,
  auth: ShopAuth,
  categoryId: string,
): Promise<MarketAttribute[]> {
  const query = { category_id_list: categoryId, ...LANGUAGE };
  const { response } = await line.read(auth, "product/get_attribute_tree", query, Attributes, {
    maxBytes: TREE_BYTES,
  });
  const tree = response.list.find((entry) => entry.category_id === categoryId)?.attribute_tree;
  return (tree ?? []).map((row) => {
    const type = row.attribute_info?.input_type;
    return {
      id: row.attribute_id,
      name: row.name,
      required: row.mandatory === true,
      input: inputOf(type, row.attribute_info?.input_validation_type),
      free: type !== DROP_DOWN && type !== MANY_DROP_DOWN,
      options: (row.attribute_value_list ?? []).map(({ value_id, name }) => ({
        id: value_id,
        name,
      })),
    };
  });
}

const Brands = z.object({
  response: z.object({
    brand_list: z
      .array(z.object({ brand_id: id, original_brand_name: text, display_brand_name: text }))
      .nullish(),
    has_next_page: z.boolean().nullish(),
    next_offset: z.union([z.string(), z.number()]).nullish().transform(String),
  }),
});
const BRAND_PAGES = 30;

/** A brand of the category by its name. Shopee lists them only page by page. */
export async function findBrand(
  line: ShopeeLine,
  auth: ShopAuth,
  categoryId: string,
  name: string,
): Promise<MarketBrand | null> {
  const wanted = name.trim().toLowerCase();
  let offset = "0";
  for (let page = 0; page < BRAND_PAGES; page += 1) {
    const query = { category_id: categoryId, status: "1", offset, page_size: "100" };
    const { response } = await line.read(auth, "product/get_brand_list", query, Brands);
    const found = (response.brand_list ?? []).find((brand) =>
      [brand.original_brand_name, brand.display_brand_name].some(
        (known) => known.toLowerCase() === wanted,
      ),
    );
    if (found) return { id: found.brand_id, name: found.original_brand_name };
    if (!response.has_next_page) return null;
    offset = response.next_offset;
  }
  return null;
}

const Uploaded = z.object({
  response: z.object({ image_info: z.object({ image_id: z.string().min(1).max(200) }) }),
});

/** Uploads one picture (providers/shopee.md §5): signed without the shop, and no path but this one serves products. */
export async function uploadImage(
  line: ShopeeLine,
  auth: ShopAuth,
  image: Uint8Array,
  type: MarketImageType,
): Promise<string> {
  checkImage(PLATFORM, LIMITS, image, type);
  const file = { field: "image", name: `image.${type}`, type: `image/${type}`, bytes: image };
  const raw = multipart({ fields: {}, file });
  const { response } = await line.open("media_space/upload_image", Uploaded, {
    raw,
    ...inTurn(auth, "write"),
  });
  return response.image_info.image_id;
}
