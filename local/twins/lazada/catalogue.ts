import { createHash } from "node:crypto";
import type { Json } from "../common/fields.ts";
import {
  categoryPath,
  type SampleCategory,
  sampleBrands,
  sampleCategories,
  sampleCategory,
  suggestCategories,
} from "../common/market/categories.ts";
import { textOf } from "../common/market/faults.ts";
import { imageFacts } from "../common/market/image.ts";
import type { Market } from "../common/market/market.ts";
import type { Handler, TwinAnswer, TwinRequest } from "../common/server.ts";
import { bad, good, goodFlat } from "./answers.ts";
import { sellerOf } from "./guard.ts";
import { callOf, parameter } from "./parameters.ts";
import { readPayload } from "./payload.ts";

const base = 10_002_000;
const maxImageBytes = 3_145_728;

export function categoryOf(id: unknown): SampleCategory | null {
  return /^\d+$/.test(String(id)) ? sampleCategory(Number(id) - base) : null;
}

/** The dial hangs the first root beneath its own grandchild, a few turns deep. */
function nodes(parent: number, cycle: number): Json[] {
  return sampleCategories
    .filter((one) => one.parent === parent)
    .map((one) => {
      const children = nodes(one.id, cycle);
      const turn = cycle > 0 && one.parent === 1 ? nodes(0, cycle - 1).slice(0, 1) : [];
      const below = [...children, ...turn];
      return {
        category_id: base + one.id,
        name: one.name,
        leaf: one.leaf,
        var: true,
        ...(below.length > 0 && { children: below }),
      };
    });
}

function attributes(request: TwinRequest): TwinAnswer {
  const category = categoryOf(parameter(request, "primary_category_id"));
  if (!category) return bad("4227", "Query category is null");
  const own = category.attributes.map(({ id, key, name, required, values }) => ({
    id,
    name: key,
    label: name,
    is_mandatory: required ? 1 : 0,
    is_sale_prop: 0,
    attribute_type: "normal",
    input_type: values.length > 0 ? "singleSelect" : "text",
    options: values.map((value) => ({ id: value.id, name: value.name, en_name: value.name })),
    advanced: { is_key_prop: required ? 1 : 0 },
  }));
  const usual = (name: string, label: string, inputType: string, kind: string, mandatory = 1) => ({
    id: 1 + name.length,
    name,
    label,
    is_mandatory: mandatory,
    is_sale_prop: 0,
    attribute_type: kind,
    input_type: inputType,
    options: [],
    advanced: { is_key_prop: 0 },
  });
  return good([
    usual("name", "Nama Produk", "text", "normal"),
    usual("brand", "Merek", "singleSelect", "normal"),
    usual("description", "Deskripsi", "richText", "normal"),
    usual("SellerSku", "SKU Penjual", "text", "sku"),
    usual("price", "Harga", "numeric", "sku"),
    usual("package_weight", "Berat Paket (kg)", "numeric", "sku"),
    usual("package_length", "Panjang Paket (cm)", "numeric", "sku"),
    usual("package_width", "Lebar Paket (cm)", "numeric", "sku"),
    usual("package_height", "Tinggi Paket (cm)", "numeric", "sku"),
    ...own,
  ]);
}

function brands(request: TwinRequest): TwinAnswer {
  const start = Number(parameter(request, "startRow") || Number.NaN);
  const size = Number(parameter(request, "pageSize") || Number.NaN);
  if (!Number.isInteger(start) || !Number.isInteger(size) || size < 1 || size > 200) {
    return bad("MissingParameter", "startRow and pageSize (at most 200) are mandatory");
  }
  const module = sampleBrands.slice(start, start + size).map(({ id, name }) => ({
    brand_id: id,
    name,
    name_en: name,
    global_identifier: name.toLowerCase().replaceAll(" ", "_"),
  }));
  return goodFlat({
    data: {
      start_row: start,
      page_index: Math.floor(start / size) + 1,
      page_size: size,
      total_record: sampleBrands.length,
      module,
    },
    success: true,
  });
}

/** Kept under an address of Lazada's own, which alone a product may name. */
function keep(market: Market, bytes: Buffer): TwinAnswer {
  if (bytes.length > maxImageBytes) return bad("303", "E303: The image is too large");
  const facts = imageFacts(bytes);
  if (!facts) return bad("302", "Not supported URL");
  const sides = [facts.width, facts.height];
  if (sides.some((side) => side < 330 || side > 5000)) {
    return bad("303", "The image must be 330 to 5000 pixels wide and high");
  }
  const hash = createHash("md5").update(bytes).digest("hex");
  const url = `https://id-live.slatic.net/p/${hash}.${facts.type === "png" ? "png" : "jpg"}`;
  market.images.set(url, facts);
  return good({ image: { hash_code: hash, url } });
}

function upload(market: Market, request: TwinRequest): TwinAnswer {
  const { file } = callOf(request);
  if (!file) return bad("30", "E030: Empty Request");
  const refused = market.own.text("badImage", textOf(request, sellerOf(market, request)), "302");
  return refused === null ? keep(market, file) : bad(refused, "E300: Upload Image Failed");
}

/** Fetches the picture from where it lies, as Lazada does. */
async function migrate(market: Market, request: TwinRequest): Promise<TwinAnswer> {
  const payload = readPayload(parameter(request, "payload"));
  const image = payload?.Image;
  const url =
    typeof image === "object" && image !== null && "Url" in image ? String(image.Url) : "";
  if (!/^https?:\/\//.test(url)) return bad("301", "E301: Migrate Image Failed");
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(5000) });
    if (!answer.ok) return bad("301", "E301: Migrate Image Failed");
    return keep(market, Buffer.from(await answer.arrayBuffer()));
  } catch {
    return bad("301", "E301: Migrate Image Failed");
  }
}

/** What a product needs before it can be made: lazada.md section 4. */
export function catalogueRoutes(market: Market): Record<string, Handler> {
  return {
    "GET /rest/category/tree/get": (request) => {
      const text = textOf(request, sellerOf(market, request));
      return good(nodes(0, market.own.take("categoryCycle", text) ? 2 : 0));
    },
    "GET /rest/category/attributes/get": attributes,
    "GET /rest/category/brands/query": brands,
    "GET /rest/product/category/suggestion/get": (request) => {
      const name = parameter(request, "product_name");
      if (!name) return bad("MissingParameter", "product_name is mandatory");
      const found = suggestCategories(name).map((one) => ({
        categoryId: base + one.id,
        categoryName: one.name,
        categoryPath: categoryPath(one),
      }));
      return good({ categorySuggestions: found });
    },
    "POST /rest/image/upload": (request) => upload(market, request),
    "POST /rest/image/migrate": (request) => migrate(market, request),
  };
}
