import { isObject, parseJson } from "../common/fields.ts";
import {
  type SampleCategory,
  sampleBrands,
  sampleCategories,
  sampleCategory,
  suggestCategories,
} from "../common/market/categories.ts";
import { textOf } from "../common/market/faults.ts";
import { imageFacts } from "../common/market/image.ts";
import type { Market } from "../common/market/market.ts";
import { readMultipart } from "../common/market/multipart.ts";
import type { Handler, TwinAnswer, TwinRequest } from "../common/server.ts";
import { bad, codes, good, invalid } from "./answers.ts";
import { shopId } from "./guard.ts";

const base = 600_000;
export const warehouses = [
  { id: "7068517275539719942", name: "Gudang Blitar", type: "SALES_WAREHOUSE", isDefault: true },
  { id: "7068517275539719943", name: "Gudang Retur", type: "RETURN_WAREHOUSE", isDefault: false },
] as const;

const useCases = [
  "MAIN_IMAGE",
  "ATTRIBUTE_IMAGE",
  "DESCRIPTION_IMAGE",
  "CERTIFICATION_IMAGE",
  "SIZE_CHART_IMAGE",
];
const platforms = ["TIKTOK_SHOP", "TOKOPEDIA"] as const;
const maxImageBytes = 5 * 1024 * 1024;

export function categoryOf(id: unknown): SampleCategory | null {
  return typeof id === "string" && /^\d+$/.test(id) ? sampleCategory(Number(id) - base) : null;
}

const idOf = (id: number) => String(base + id);

/** Indonesian shops have the v2 tree alone. */
function wrongVersion({ query }: TwinRequest): TwinAnswer | null {
  return query.get("category_version") === "v2"
    ? null
    : invalid("category_version must be v2 for ID shops");
}

function list(market: Market, request: TwinRequest): TwinAnswer {
  const wrong = wrongVersion(request);
  if (wrong) return wrong;
  const platform = request.query.get("listing_platform") ?? "TIKTOK_SHOP";
  const known = platforms.find((one) => one === platform);
  if (!known) return invalid("listing_platform is invalid");
  const cycle = market.own.take("categoryCycle", textOf(request, shopId(market, request)));
  const deep = sampleCategories.find((one) => one.leaf)?.parent ?? 1;
  const parent = (one: SampleCategory) => {
    if (cycle && one.id === 1) return idOf(deep);
    return one.parent === 0 ? "0" : idOf(one.parent);
  };
  return good({
    categories: sampleCategories.map((one) => ({
      id: idOf(one.id),
      parent_id: parent(one),
      local_name: one.name,
      is_leaf: one.leaf,
      permission_statuses: [one.platforms.includes(known) ? "AVAILABLE" : "NON_MAIN_CATEGORY"],
    })),
  });
}

function leafOf(request: TwinRequest): SampleCategory | TwinAnswer {
  const wrong = wrongVersion(request);
  if (wrong) return wrong;
  const category = categoryOf(request.params.id);
  if (!category) return invalid("the category does not exist");
  return category.leaf ? category : bad(codes.notLeaf, "the category is not a leaf");
}

/** The misspelt `is_requried` is the platform's own. */
function attributes(request: TwinRequest): TwinAnswer {
  const category = leafOf(request);
  if ("headers" in category) return category;
  return good({
    attributes: category.attributes.map(({ id, name, required, values }) => ({
      id: String(id),
      name,
      type: "PRODUCT_PROPERTY",
      is_requried: required,
      is_customizable: values.length === 0,
      is_multiple_selection: false,
      values: values.map((value) => ({ id: String(value.id), name: value.name })),
    })),
  });
}

function rules(request: TwinRequest): TwinAnswer {
  const category = leafOf(request);
  if ("headers" in category) return category;
  return good({
    product_certifications: [],
    size_chart: { is_supported: false, is_required: false },
    cod: { is_supported: true },
    package_dimension: { is_required: category.sized },
    epr: { is_required: false },
  });
}

function recommend(request: TwinRequest): TwinAnswer {
  const body = parseJson(request.raw);
  const title = isObject(body) && typeof body.product_title === "string" ? body.product_title : "";
  if (!title) return invalid("product_title is required");
  const [best] = suggestCategories(title);
  if (!best) return invalid("no category is found");
  const chain: SampleCategory[] = [];
  for (let one: SampleCategory | null = best; one; one = sampleCategory(one.parent))
    chain.unshift(one);
  return good({
    leaf_category_id: idOf(best.id),
    categories: chain.map((one, index) => ({
      id: idOf(one.id),
      name: one.name,
      level: index + 1,
      is_leaf: one.leaf,
      permission_statuses: ["AVAILABLE"],
    })),
  });
}

function brands({ query }: TwinRequest): TwinAnswer {
  const size = Number(query.get("page_size") ?? Number.NaN);
  if (!Number.isInteger(size) || size < 1 || size > 100)
    return invalid("page_size must be 1 to 100");
  const start = Number(query.get("page_token") || 0);
  const name = query.get("brand_name")?.toLowerCase() ?? "";
  const found = sampleBrands.filter((one) => one.name.toLowerCase().includes(name));
  const end = start + size;
  return good({
    brands: found.slice(start, end).map((one) => ({
      id: String(7_000_000_000_000_000_000n + BigInt(one.id)),
      name: one.name,
      authorized_status: "UNAUTHORIZED",
      is_t1_brand: false,
      brand_status: "AVAILABLE",
    })),
    total_count: found.length,
    next_page_token: end < found.length ? String(end) : "",
  });
}

function upload(market: Market, request: TwinRequest): TwinAnswer {
  const parts = readMultipart(request.header("content-type"), request.bytes);
  const file = parts?.find((part) => part.name === "data" && part.filename !== null);
  if (!file) return invalid("data must be a file of a multipart/form-data body");
  const useCase = parts?.find((part) => part.name === "use_case")?.bytes.toString() ?? "MAIN_IMAGE";
  if (!useCases.includes(useCase)) return invalid("use_case is invalid");
  const text = textOf(request, shopId(market, request));
  const refused = market.own.text("badImage", text, "the image violates the rules");
  if (refused !== null) return invalid(refused);
  if (file.bytes.length > maxImageBytes) return invalid("the image is over 5 MB");
  const facts = imageFacts(file.bytes);
  if (!facts) return invalid("the image is neither JPG nor PNG");
  const { width, height } = facts;
  if ([width, height].some((side) => side < 300 || side > 4000)) {
    return invalid("the image must be 300 to 4000 pixels wide and high");
  }
  const uri = `tos-useast2a-i/${market.keepImage(facts)}`;
  market.images.set(uri, facts);
  return good({
    uri,
    url: `https://p16-oec-va.ibyteimg.com/${uri}`,
    width,
    height,
    use_case: useCase,
  });
}

/** What a product needs before it can be made: tokopedia.md section 5. */
export function catalogueRoutes(market: Market): Record<string, Handler> {
  const prefix = "/product/202309";
  return {
    [`GET ${prefix}/categories`]: (request) => list(market, request),
    [`GET ${prefix}/categories/:id/attributes`]: attributes,
    [`GET ${prefix}/categories/:id/rules`]: rules,
    [`POST ${prefix}/categories/recommend`]: recommend,
    [`GET ${prefix}/brands`]: brands,
    [`POST ${prefix}/images/upload`]: (request) => upload(market, request),
    "GET /logistics/202309/warehouses": () =>
      good({
        warehouses: warehouses.map(({ id, name, type, isDefault }) => ({
          id,
          name,
          type,
          effect_status: "ENABLED",
          sub_type: "DOMESTIC_WAREHOUSE",
          is_default: isDefault,
          address: { region: "Indonesia", region_code: "ID", state: "Jawa Timur", city: "Blitar" },
        })),
      }),
  };
}
