import type { Json } from "../common/fields.ts";
import type { Product } from "../common/market/goods.ts";
import type { Market } from "../common/market/market.ts";
import type { Handler, TwinAnswer, TwinRequest } from "../common/server.ts";
import { badParam, good } from "./answers.ts";
import { channels, numbersOf, pageOf, shopOf } from "./catalogue.ts";

const statusWords = {
  live: "NORMAL",
  hidden: "UNLIST",
  review: "REVIEWING",
  deleted: "SELLER_DELETE",
};
const allStatuses = ["NORMAL", "BANNED", "UNLIST", "REVIEWING", "SELLER_DELETE", "SHOPEE_DELETE"];

const second = (ms: number) => Math.floor(ms / 1000);

function itemView(product: Product): Json {
  const [sku] = product.skus;
  const { body } = product;
  const price = { currency: "IDR", original_price: sku?.price, current_price: sku?.price };
  return {
    item_id: Number(product.id),
    category_id: Number(product.categoryId),
    item_name: product.name,
    description: body.description,
    item_sku: sku?.sellerSku ?? "",
    create_time: second(product.createdAt),
    update_time: second(product.updatedAt),
    attribute_list: body.attribute_list ?? [],
    price_info: [price],
    stock_info_v2: {
      summary_info: { total_reserved_stock: sku?.locked, total_available_stock: sku?.stock },
      seller_stock: [{ location_id: "", stock: sku?.stock }],
      shopee_stock: [],
    },
    image: { image_id_list: product.images, image_url_list: [] },
    weight: String(body.weight),
    dimension: body.dimension ?? {},
    logistic_info: channels.map(({ id, name }) => ({
      logistic_id: id,
      logistic_name: name,
      enabled: true,
    })),
    condition: body.condition ?? "NEW",
    item_status: statusWords[product.status],
    has_model: false,
    brand: body.brand,
    item_dangerous: body.item_dangerous ?? 0,
  };
}

function itemList(market: Market, request: TwinRequest): TwinAnswer {
  const page = pageOf(request, 100);
  if (typeof page === "string") return badParam(page);
  const { query } = request;
  const wanted = query.getAll("item_status");
  if (wanted.length === 0) return badParam("item_status is required");
  if (!wanted.every((one) => allStatuses.includes(one))) return badParam("item_status is invalid");
  const from = Number(query.get("update_time_from") ?? 0);
  const to = Number(query.get("update_time_to") ?? Number.MAX_SAFE_INTEGER);
  const found = market.goods.of(shopOf(request)).filter((one) => {
    const at = second(one.updatedAt);
    return wanted.includes(statusWords[one.status]) && at >= from && at <= to;
  });
  const end = page.offset + page.size;
  return good({
    item: found.slice(page.offset, end).map((one) => ({
      item_id: Number(one.id),
      item_status: statusWords[one.status],
      update_time: second(one.updatedAt),
    })),
    total_count: found.length,
    has_next_page: end < found.length,
    ...(end < found.length && { next_offset: end }),
  });
}

/** By SKU alone when one is given; names hold the text. */
function search(market: Market, request: TwinRequest): TwinAnswer {
  const page = pageOf(request, 100);
  if (typeof page === "string") return badParam(page);
  const { query } = request;
  const sku = query.get("item_sku");
  const name = query.get("item_name")?.toLowerCase();
  const wanted = query.getAll("item_status");
  const found = market.goods.of(shopOf(request)).filter((one) => {
    if (one.status === "deleted" || !market.isIndexed(one)) return false;
    if (wanted.length > 0 && !wanted.includes(statusWords[one.status])) return false;
    if (sku) return one.skus.some(({ sellerSku }) => sellerSku === sku);
    return name ? one.name.toLowerCase().includes(name) : true;
  });
  const end = page.offset + page.size;
  return good({
    item_id_list: found.slice(page.offset, end).map((one) => Number(one.id)),
    total_count: found.length,
    next_offset: end < found.length ? String(end) : "",
  });
}

function baseInfo(market: Market, request: TwinRequest): TwinAnswer {
  const ids = numbersOf(request, "item_id_list");
  if (!ids || ids.length > 50) return badParam("item_id_list must have 1 to 50 ids");
  const found = ids.map((id) => market.goods.product(shopOf(request), String(id)));
  return good({ item_list: found.filter((one) => one !== null).map(itemView) });
}

/** The reading product calls of shopee.md section 5. */
export function readRoutes(market: Market): Record<string, Handler> {
  return {
    "GET /api/v2/product/get_item_list": (request) => itemList(market, request),
    "GET /api/v2/product/search_item": (request) => search(market, request),
    "GET /api/v2/product/get_item_base_info": (request) => baseInfo(market, request),
    "GET /api/v2/product/get_model_list": () => good({ tier_variation: [], model: [] }),
  };
}
