import { isObject, type Json, parseJson } from "../common/fields.ts";
import type { Order, Product } from "../common/market/goods.ts";
import type { Market } from "../common/market/market.ts";
import type { Handler, TwinAnswer, TwinRequest } from "../common/server.ts";
import { bad, good } from "./answers.ts";
import { sellerOf } from "./guard.ts";
import { parameter } from "./parameters.ts";
import { orderWords } from "./push.ts";

const filters = ["all", "live", "inactive", "deleted", "pending", "rejected", "sold-out"];
const statusWords = {
  live: "Active",
  hidden: "InActive",
  review: "Pending QC",
  deleted: "Deleted",
};

function productView(product: Product): Json {
  const { body } = product;
  return {
    item_id: Number(product.id),
    primary_category: Number(product.categoryId),
    status: statusWords[product.status],
    created_time: String(product.createdAt),
    updated_time: String(product.updatedAt),
    images: product.images,
    attributes: isObject(body.Attributes) ? body.Attributes : {},
    skus: product.skus.map((sku) => ({
      Status: product.status === "live" ? "active" : "inactive",
      SkuId: Number(sku.id),
      SellerSku: sku.sellerSku,
      ShopSku: sku.shopSku,
      price: sku.price,
      special_price: 0,
      quantity: sku.stock + sku.held,
      Available: sku.stock,
      multiWarehouseInventories: [
        {
          warehouseCode: "dropshipping",
          occupyQuantity: sku.held,
          quantity: sku.stock + sku.held,
          totalQuantity: sku.stock + sku.held,
          withholdQuantity: 0,
          sellableQuantity: sku.stock,
        },
      ],
    })),
  };
}

function fits(product: Product, filter: string): boolean {
  if (filter === "all") return product.status !== "deleted";
  if (filter === "live") return product.status === "live";
  if (filter === "inactive") return product.status === "hidden";
  if (filter === "deleted") return product.status === "deleted";
  if (filter === "sold-out") return product.skus.every((sku) => sku.stock <= 0);
  return filter === "pending" && product.status === "review";
}

/** The list of SKUs as JSON text, null when it is broken, undefined when there is none. */
function skuList(request: TwinRequest): string[] | null | undefined {
  const text = parameter(request, "sku_seller_list");
  if (!text) return undefined;
  const list = parseJson(text);
  return Array.isArray(list) && list.length <= 100 ? list.map(String) : null;
}

function pageOf(request: TwinRequest, max: number): { offset: number; limit: number } | TwinAnswer {
  const limit = Number(parameter(request, "limit") || Math.min(20, max));
  const offset = Number(parameter(request, "offset") || 0);
  if (!Number.isInteger(limit) || limit < 1 || limit > max) {
    return bad("19", `E019: "${limit}" Invalid Limit`);
  }
  if (!Number.isInteger(offset) || offset < 0) return bad("14", `E014: "${offset}" Invalid Offset`);
  return { offset, limit };
}

function products(market: Market, request: TwinRequest): TwinAnswer {
  const filter = parameter(request, "filter");
  if (!filters.includes(filter)) return bad("36", "E036: Invalid status filter");
  const page = pageOf(request, 50);
  if ("headers" in page) return page;
  const skus = skuList(request);
  if (skus === null) return bad("70", "E070: You have corrupt data in your sku seller list.");
  const found = market.goods.of(sellerOf(market, request)).filter((one) => {
    const named = !skus || one.skus.some((sku) => skus.includes(sku.sellerSku));
    return fits(one, filter) && named && market.isIndexed(one);
  });
  const shown = found.slice(page.offset, page.offset + page.limit);
  return good({ total_products: found.length, products: shown.map(productView) });
}

function item(market: Market, request: TwinRequest): TwinAnswer {
  const id = parameter(request, "item_id");
  if (!id) return bad("200", "E200: Empty SellerSku");
  const product = market.goods.product(sellerOf(market, request), id);
  return product ? good(productView(product)) : bad("208", "E208: Item not exist");
}

const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$/;

/** A moment with its zone; NaN when the text is anything else. */
function moment(text: string): number {
  return iso.test(text) ? Date.parse(text.replace(/([+-]\d\d)(\d\d)$/, "$1:$2")) : Number.NaN;
}

interface Window {
  field: "createdAt" | "updatedAt";
  after: number;
  before: number;
}

function readWindow(request: TwinRequest): Window | TwinAnswer {
  const updated = parameter(request, "update_after");
  const created = parameter(request, "created_after");
  if (!updated && !created) return bad("17", 'E017: "" Invalid Date Format');
  const before = parameter(request, updated ? "update_before" : "created_before");
  const window: Window = {
    field: updated ? "updatedAt" : "createdAt",
    after: moment(updated || created),
    before: before ? moment(before) : Number.MAX_SAFE_INTEGER,
  };
  const valid = !Number.isNaN(window.after) && !Number.isNaN(window.before);
  return valid ? window : bad("17", `E017: "${updated || created}" Invalid Date Format`);
}

const wibText = (ms: number) =>
  `${new Date(ms + 7 * 3_600_000).toISOString().slice(0, 19).replace("T", " ")} +0700`;

function orderView(order: Order): Json {
  const { buyer } = order;
  const address = {
    first_name: buyer.name,
    last_name: "",
    phone: buyer.phone,
    address1: buyer.address,
    address3: "Jawa Timur",
    address4: buyer.city,
    city: buyer.city,
    country: "Indonesia",
    post_code: "",
  };
  return {
    order_id: Number(order.id),
    order_number: Number(order.id),
    statuses: [orderWords[order.stage]],
    created_at: wibText(order.createdAt),
    updated_at: wibText(order.updatedAt),
    price: (order.total - order.shippingFee).toFixed(2),
    shipping_fee: order.shippingFee.toFixed(2),
    voucher: "0.00",
    payment_method: "MIXEDCARD",
    items_count: order.lines.reduce((sum, line) => sum + line.quantity, 0),
    customer_first_name: buyer.name,
    customer_last_name: "",
    address_shipping: address,
    address_billing: address,
    remarks: "",
  };
}

function orders(market: Market, request: TwinRequest): TwinAnswer {
  const window = readWindow(request);
  if ("headers" in window) return window;
  const page = pageOf(request, 100);
  if ("headers" in page) return page;
  const status = parameter(request, "status");
  const words: string[] = [
    ...Object.values(orderWords),
    "ready_to_ship",
    "packed",
    "returned",
    "failed",
  ];
  if (status && !words.includes(status)) return bad("36", "E036: Invalid status filter");
  const direction = parameter(request, "sort_direction") || "DESC";
  if (!["ASC", "DESC"].includes(direction)) return bad("74", "E074: Invalid sort direction.");
  const by = parameter(request, "sort_by") || "created_at";
  if (!["created_at", "updated_at"].includes(by)) return bad("75", "E075: Invalid sort filter.");
  const field = by === "created_at" ? "createdAt" : "updatedAt";
  const sign = direction === "ASC" ? 1 : -1;
  const found = market.goods
    .ordersOf(sellerOf(market, request))
    .filter((one) => one[window.field] >= window.after && one[window.field] <= window.before)
    .filter((one) => !status || orderWords[one.stage] === status)
    .sort((a, b) => sign * (a[field] - b[field]));
  const shown = found.slice(page.offset, page.offset + page.limit);
  return good({ count: shown.length, countTotal: found.length, orders: shown.map(orderView) });
}

/** One order item for each unit, as Lazada counts them. */
function itemsOf(order: Order): Json[] {
  const units = order.lines.flatMap((line) => Array.from({ length: line.quantity }, () => line));
  return units.map((line, index) => ({
    order_item_id: Number(order.id) + 1 + index,
    order_id: Number(order.id),
    name: line.name,
    sku: line.sellerSku,
    shop_sku: `${line.productId}_ID-${line.skuId}`,
    sku_id: line.skuId,
    product_id: line.productId,
    item_price: line.price,
    paid_price: line.price,
    currency: "IDR",
    status: orderWords[order.stage],
    reason: order.cancelReason,
    created_at: wibText(order.createdAt),
    updated_at: wibText(order.updatedAt),
  }));
}

function own(market: Market, request: TwinRequest, id: string): Order | null {
  const order = market.goods.orders.get(id);
  return order && order.shopId === sellerOf(market, request) ? order : null;
}

function manyItems(market: Market, request: TwinRequest): TwinAnswer {
  const ids = parseJson(parameter(request, "order_ids"));
  if (!Array.isArray(ids))
    return bad("56", "E056: Invalid OrdersIdList format. Must use array format [1,2]");
  if (ids.length > 50) return bad("38", "E038: Too many orders were requested");
  const found = ids.map((id) => own(market, request, String(id))).filter((one) => one !== null);
  if (found.length === 0) return bad("39", "E039: No orders were found");
  return good(
    found.map((order) => ({
      order_id: Number(order.id),
      order_number: Number(order.id),
      order_items: itemsOf(order),
    })),
  );
}

/** Reading products (lazada.md section 4) and orders (the public reference). */
export function readRoutes(market: Market): Record<string, Handler> {
  const onOrder =
    (view: (order: Order) => unknown): Handler =>
    (request) => {
      const id = parameter(request, "order_id");
      const order = own(market, request, id);
      return order ? good(view(order)) : bad("16", `E016: "${id}" Invalid Order ID`);
    };
  return {
    "GET /rest/products/get": (request) => products(market, request),
    "GET /rest/product/item/get": (request) => item(market, request),
    "GET /rest/orders/get": (request) => orders(market, request),
    "GET /rest/order/get": onOrder(orderView),
    "GET /rest/order/items/get": onOrder(itemsOf),
    "GET /rest/orders/items/get": (request) => manyItems(market, request),
  };
}
