import type { Json } from "../common/fields.ts";
import type { Order } from "../common/market/goods.ts";
import type { Market } from "../common/market/market.ts";
import type { Handler, TwinAnswer, TwinRequest } from "../common/server.ts";
import { bad, badParam, good } from "./answers.ts";
import { shopOf } from "./catalogue.ts";
import { orderWords } from "./push.ts";

const windowSeconds = 15 * 86_400;
const second = (ms: number) => Math.floor(ms / 1000);

interface ListInput {
  field: "createdAt" | "updatedAt";
  from: number;
  to: number;
  size: number;
  start: number;
  status: string | null;
}

function readList({ query }: TwinRequest): ListInput | TwinAnswer {
  const field = query.get("time_range_field");
  if (field !== "create_time" && field !== "update_time") {
    return badParam("time_range_field must be create_time or update_time");
  }
  const from = Number(query.get("time_from") ?? Number.NaN);
  const to = Number(query.get("time_to") ?? Number.NaN);
  if (!Number.isInteger(from) || !Number.isInteger(to)) return badParam("time_from and time_to");
  if (to <= from || to - from > windowSeconds) {
    const words = "Start time must be earlier than end time and diff in 15days.";
    return bad("order.order_list_invalid_time", words);
  }
  const size = Number(query.get("page_size") ?? Number.NaN);
  if (!Number.isInteger(size) || size < 1 || size > 100)
    return badParam("page_size must be 1 to 100");
  const start = Number(query.get("cursor") || 0);
  if (!Number.isInteger(start) || start < 0) return badParam("cursor is invalid");
  const status = query.get("order_status");
  const words: string[] = Object.values(orderWords);
  if (status && !words.includes(status)) return badParam("order_status is invalid");
  return {
    field: field === "create_time" ? "createdAt" : "updatedAt",
    from,
    to,
    size,
    start,
    status,
  };
}

function list(market: Market, request: TwinRequest): TwinAnswer {
  const input = readList(request);
  if ("headers" in input) return input;
  const found = market.goods
    .ordersOf(shopOf(request))
    .filter((one) => {
      const at = second(one[input.field]);
      return (
        at >= input.from &&
        at <= input.to &&
        (!input.status || orderWords[one.stage] === input.status)
      );
    })
    .sort((a, b) => a[input.field] - b[input.field]);
  const end = input.start + input.size;
  const withStatus = (request.query.get("response_optional_fields") ?? "").includes("order_status");
  return good({
    more: end < found.length,
    next_cursor: end < found.length ? String(end) : "",
    order_list: found.slice(input.start, end).map((one) => ({
      order_sn: one.id,
      ...(withStatus && { order_status: orderWords[one.stage] }),
    })),
  });
}

/** Fields beyond the default ones come when they are asked for by name. */
function optional(order: Order): Record<string, unknown> {
  const { buyer } = order;
  return {
    total_amount: order.total,
    buyer_user_id: buyer.id,
    buyer_username: `${buyer.name.charAt(0)}****`,
    estimated_shipping_fee: order.shippingFee,
    actual_shipping_fee: order.shippingFee,
    shipping_carrier: "Reguler (Cashless)",
    payment_method: "ShopeePay",
    pay_time: order.paidAt === null ? null : second(order.paidAt),
    cancel_reason: order.cancelReason,
    cancel_by: order.stage === "cancelled" ? "buyer" : "",
    // Without a registered caller address buyer data comes masked (shopee.md section 7).
    recipient_address: {
      name: `${buyer.name.charAt(0)}****`,
      phone: "****78",
      city: buyer.city.toUpperCase(),
      state: "JAWA TIMUR",
      region: "ID",
      zipcode: "****",
      full_address: "****",
    },
    item_list: order.lines.map((line, index) => ({
      item_id: Number(line.productId),
      item_name: line.name,
      item_sku: line.sellerSku,
      model_id: 0,
      model_name: "",
      model_sku: "",
      model_quantity_purchased: line.quantity,
      model_original_price: line.price,
      model_discounted_price: line.price,
      order_item_id: Number(line.productId) + index,
    })),
  };
}

function detail(order: Order, asked: readonly string[]): Json {
  const extra = Object.entries(optional(order)).filter(([name]) => asked.includes(name));
  return {
    order_sn: order.id,
    region: "ID",
    currency: "IDR",
    cod: false,
    order_status: orderWords[order.stage],
    message_to_seller: "",
    create_time: second(order.createdAt),
    update_time: second(order.updatedAt),
    days_to_ship: 2,
    ship_by_date: second(order.createdAt) + 2 * 86_400,
    ...Object.fromEntries(extra),
  };
}

function details(market: Market, request: TwinRequest): TwinAnswer {
  const ids = (request.query.get("order_sn_list") ?? "").split(",").filter(Boolean);
  if (ids.length === 0 || ids.length > 50)
    return badParam("order_sn_list must have 1 to 50 numbers");
  const asked = (request.query.get("response_optional_fields") ?? "").split(",");
  const found = ids.map((id) => market.goods.orders.get(id));
  const own = found.filter((one) => one !== undefined && one.shopId === shopOf(request));
  if (own.length === 0)
    return bad("error_not_found", "Wrong parameters, detail: the order is not found.");
  return good({ order_list: own.map((one) => (one ? detail(one, asked) : {})) });
}

/** The order calls of the public reference; their pages cover at most 15 days. */
export function orderRoutes(market: Market): Record<string, Handler> {
  return {
    "GET /api/v2/order/get_order_list": (request) => list(market, request),
    "GET /api/v2/order/get_order_detail": (request) => details(market, request),
  };
}
