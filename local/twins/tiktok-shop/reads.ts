import { Fields, isObject, type Json, parseJson } from "../common/fields.ts";
import type { Order, Product } from "../common/market/goods.ts";
import type { Market } from "../common/market/market.ts";
import type { Handler, TwinAnswer, TwinRequest } from "../common/server.ts";
import { bad, codes, good, invalid } from "./answers.ts";
import { warehouses } from "./catalogue.ts";
import { shopId } from "./guard.ts";
import { orderWords } from "./push.ts";

const statusWords = {
  live: "ACTIVATE",
  hidden: "SELLER_DEACTIVATED",
  review: "PENDING",
  deleted: "DELETED",
} as const;
const second = (ms: number) => Math.floor(ms / 1000);

interface Page {
  size: number;
  start: number;
}

/** `page_size`, and the opaque `page_token` of the answer before. */
function pageOf({ query }: TwinRequest): Page | TwinAnswer {
  const size = Number(query.get("page_size") ?? Number.NaN);
  if (!Number.isInteger(size) || size < 1 || size > 100)
    return invalid("page_size must be 1 to 100");
  const token = query.get("page_token");
  if (!token) return { size, start: 0 };
  const start = Number(Buffer.from(token, "base64").toString("utf8").split(":")[1] ?? Number.NaN);
  return Number.isInteger(start) ? { size, start } : invalid("page_token is invalid");
}

/** Holds characters that a URL escapes, so that who signs the encoded form is found out. */
function tokenFor(start: number): string {
  return Buffer.from(`from:${start}:>>>???`).toString("base64");
}

function slice<T>(found: readonly T[], { size, start }: Page): { shown: T[]; next: string } {
  const end = start + size;
  return { shown: found.slice(start, end), next: end < found.length ? tokenFor(end) : "" };
}

function productView(product: Product): Json {
  const platforms = product.body.listing_platforms;
  return {
    id: product.id,
    title: product.name,
    status: statusWords[product.status],
    create_time: second(product.createdAt),
    update_time: second(product.updatedAt),
    sales_regions: ["ID"],
    integrated_platform_statuses: (Array.isArray(platforms) ? platforms : []).map((platform) => ({
      platform,
      status: statusWords[product.status],
    })),
    skus: product.skus.map((sku) => ({
      id: sku.id,
      seller_sku: sku.sellerSku,
      price: {
        currency: "IDR",
        tax_exclusive_price: String(sku.price),
        sale_price: String(sku.price),
      },
      inventory: [{ warehouse_id: warehouses[0].id, quantity: sku.stock }],
    })),
  };
}

function search(market: Market, request: TwinRequest): TwinAnswer {
  const page = pageOf(request);
  if ("headers" in page) return page;
  const body = parseJson(request.raw || "{}");
  const fields = new Fields(body);
  const skus = fields.list("seller_skus", { max: 100 });
  const status = fields.text("status", {
    oneOf: [
      "ALL",
      "DRAFT",
      "FAILED",
      "FREEZE",
      "PLATFORM_DEACTIVATED",
      ...Object.values(statusWords),
    ],
  });
  if (fields.errors.length > 0) return invalid(fields.errors.join("; "));
  const all = market.goods.of(shopId(market, request)).filter((one) => {
    if (one.status === "deleted" && status !== "DELETED") return false;
    if (status && status !== "ALL" && statusWords[one.status] !== status) return false;
    if (skus.length > 0 && !one.skus.some((sku) => skus.includes(sku.sellerSku))) return false;
    return market.isIndexed(one);
  });
  const found = all.slice(0, 10_000);
  const { shown, next } = slice(found, page);
  return good({
    total_count: found.length,
    next_page_token: next,
    products: shown.map(productView),
  });
}

/** What a product was made of, and what it is now. */
function detail(market: Market, request: TwinRequest): TwinAnswer {
  const product = market.goods.product(shopId(market, request), request.params.id ?? "");
  if (!product) return bad(codes.noProduct, "Product does not exist");
  const { description, package_weight, main_images, product_attributes } = product.body;
  return good({
    ...productView(product),
    description,
    package_weight,
    main_images,
    product_attributes,
    category_chains: [{ id: product.categoryId, is_leaf: true }],
  });
}

/** One line item for each unit, as TikTok Shop counts them. */
function orderView(order: Order): Json {
  const units = order.lines.flatMap((line) => Array.from({ length: line.quantity }, () => line));
  const { buyer } = order;
  return {
    id: order.id,
    status: orderWords[order.stage],
    commerce_platform: "TOKOPEDIA",
    create_time: second(order.createdAt),
    update_time: second(order.updatedAt),
    ...(order.paidAt !== null && { paid_time: second(order.paidAt) }),
    cancel_reason: order.cancelReason,
    is_cod: false,
    user_id: String(buyer.id),
    warehouse_id: warehouses[0].id,
    payment: {
      currency: "IDR",
      sub_total: String(order.total - order.shippingFee),
      shipping_fee: String(order.shippingFee),
      total_amount: String(order.total),
      original_total_product_price: String(order.total - order.shippingFee),
    },
    // Not there while an order is unpaid.
    ...(order.stage !== "unpaid" && {
      recipient_address: {
        name: buyer.name,
        phone_number: `(+62)${buyer.phone.slice(2)}`,
        full_address: `${buyer.address}, ${buyer.city}, Jawa Timur`,
        region_code: "ID",
      },
    }),
    line_items: units.map((line, index) => ({
      id: String(BigInt(order.id) + BigInt(index + 1)),
      product_id: line.productId,
      product_name: line.name,
      sku_id: line.skuId,
      seller_sku: line.sellerSku,
      sku_name: "Default",
      original_price: String(line.price),
      sale_price: String(line.price),
      currency: "IDR",
      display_status: orderWords[order.stage],
    })),
  };
}

function searchOrders(market: Market, request: TwinRequest): TwinAnswer {
  const page = pageOf(request);
  if ("headers" in page) return page;
  const { query } = request;
  const sortField = query.get("sort_field") ?? "create_time";
  const order = query.get("sort_order") ?? "DESC";
  if (!["create_time", "update_time"].includes(sortField)) return invalid("sort_field is invalid");
  if (!["ASC", "DESC"].includes(order)) return invalid("sort_order is invalid");
  const body = parseJson(request.raw || "{}");
  const fields = new Fields(body);
  const status = fields.text("order_status");
  const bound = (name: string, otherwise: number) => fields.int(name) ?? otherwise;
  const created = [
    bound("create_time_ge", 0),
    bound("create_time_lt", Number.MAX_SAFE_INTEGER),
  ] as const;
  const updated = [
    bound("update_time_ge", 0),
    bound("update_time_lt", Number.MAX_SAFE_INTEGER),
  ] as const;
  if (fields.errors.length > 0 || !isObject(body)) return invalid(fields.errors.join("; "));
  const within = (at: number, [from, to]: readonly [number, number]) => at >= from && at < to;
  const by = sortField === "create_time" ? "createdAt" : "updatedAt";
  const found = market.goods
    .ordersOf(shopId(market, request))
    .filter((one) => !status || orderWords[one.stage] === status)
    .filter(
      (one) => within(second(one.createdAt), created) && within(second(one.updatedAt), updated),
    )
    .sort((a, b) => (order === "ASC" ? 1 : -1) * (a[by] - b[by]));
  const { shown, next } = slice(found, page);
  return good({ next_page_token: next, total_count: found.length, orders: shown.map(orderView) });
}

/** Ids are joined by commas, or sent as a JSON list. */
function idsOf(text: string): string[] {
  const list = text.startsWith("[") ? parseJson(text) : text.split(",");
  return Array.isArray(list) ? list.map(String).filter(Boolean) : [];
}

function ordersById(market: Market, request: TwinRequest): TwinAnswer {
  const ids = idsOf(request.query.get("ids") ?? "");
  if (ids.length === 0 || ids.length > 50) return invalid("ids must have 1 to 50 order ids");
  const own = shopId(market, request);
  const found = ids.map((id) => market.goods.orders.get(id));
  return good({
    orders: found.filter((one) => one?.shopId === own).map((one) => (one ? orderView(one) : {})),
  });
}

/** Reading products (tokopedia.md section 5) and orders (the public reference). */
export function readRoutes(market: Market): Record<string, Handler> {
  return {
    "POST /product/202502/products/search": (request) => search(market, request),
    "POST /product/202309/products/search": (request) => search(market, request),
    "GET /product/202309/products/:id": (request) => detail(market, request),
    "POST /order/202309/orders/search": (request) => searchOrders(market, request),
    "GET /order/202309/orders": (request) => ordersById(market, request),
  };
}
