import { isObject, type Json } from "../fields.ts";
import type { Delivery } from "../outbox.ts";
import { controlAnswer, controlBody, type Handler, json, type TwinRequest } from "../server.ts";
import { type Order, type Product, type Shop, type Sku, stages } from "./goods.ts";
import type { Market } from "./market.ts";

const text = (value: unknown) => (typeof value === "string" ? value : "");
const isYes = (value: unknown) => value === true || value === "true";

function shopView(market: Market, shop: Shop): Json {
  const calls = Object.fromEntries(market.calls.get(shop.id) ?? []);
  const connected = market.tokens.liveRefreshes(shop.id) > 0;
  return { shop_id: shop.id, name: shop.name, cipher: shop.cipher, connected, calls };
}

export function orderView(market: Market, order: Order): Json {
  return { ...order, notices: market.outbox.list(order.id) };
}

function stateOf(market: Market, shopId: string | null): Json {
  const of = <T extends { shopId: string }>(all: Iterable<T>) =>
    [...all].filter((one) => shopId === null || one.shopId === shopId);
  const shops = [...market.goods.shops.values()].filter((one) => !shopId || one.id === shopId);
  return {
    shops: shops.map((shop) => shopView(market, shop)),
    products: of(market.goods.products.values()).filter((one) => one.status !== "deleted"),
    orders: of(market.goods.orders.values()),
  };
}

/** A code for a shop (a new one unless it is named), and where the seller's browser would go with it. */
function authorise(
  market: Market,
  body: Json,
  redirect: (shop: Shop, code: string) => URL | null,
): Json | null {
  const id = text(body.shop_id);
  const shop = id ? market.goods.shops.get(id) : market.newShop(text(body.name));
  if (!shop) return null;
  const code = market.authorise(shop);
  return { shop_id: shop.id, code, location: redirect(shop, code)?.href ?? null };
}

interface Wanted {
  product: Product;
  sku: Sku;
  quantity: number;
}

function findGoods(
  market: Market,
  shopId: string,
  body: Json,
): { product: Product; sku: Sku } | null {
  if (body.product_id !== undefined) {
    const product = market.goods.product(shopId, String(body.product_id));
    const sku = product?.skus[0];
    return product && sku ? { product, sku } : null;
  }
  return market.goods.bySellerSku(shopId, text(body.seller_sku))[0] ?? null;
}

/** What a buyer may take, or why not; `force` sells what is not there, as a race at a marketplace does. */
function readWanted(market: Market, shopId: string, body: Json): Wanted | string {
  const found = findGoods(market, shopId, body);
  if (!found) return "no such product in this shop";
  const quantity = Number(body.quantity ?? 1);
  if (!Number.isInteger(quantity) || quantity < 1) return "quantity must be a whole number above 0";
  if (isYes(body.force)) return { ...found, quantity };
  if (found.product.status !== "live") return `the product is ${found.product.status}`;
  if (found.sku.stock < quantity) return `only ${found.sku.stock} left`;
  return { ...found, quantity };
}

async function buy(market: Market, body: Json): Promise<Json | string> {
  const shop = market.goods.shops.get(text(body.shop_id));
  if (!shop) return "no such shop";
  const lines = Array.isArray(body.lines) ? body.lines.filter(isObject) : [body];
  const wanted: Wanted[] = [];
  for (const line of lines) {
    const one = readWanted(market, shop.id, { ...line, force: body.force });
    if (typeof one === "string") return one;
    wanted.push(one);
  }
  return orderView(market, await market.buy(shop, wanted, !isYes(body.unpaid)));
}

async function move(market: Market, order: Order, to: unknown): Promise<Json | string> {
  const stage = stages.find((one) => one === to);
  if (!stage) return `to must be one of ${stages.join(", ")}`;
  if (order.stage === "cancelled" || stage === "unpaid") return `the order is ${order.stage}`;
  await market.move(order, stage);
  return orderView(market, order);
}

async function renotify(market: Market, order: Order, body: Json): Promise<Json | string> {
  const shop = market.goods.shops.get(order.shopId);
  if (!shop) return "the shop is gone";
  const url = text(body.url) || (market.options.keepPushes ? "" : (market.options.pushUrl ?? ""));
  const forged = body.sign === false || body.sign === "false";
  const times = Math.min(Math.max(1, Number(body.times ?? 1)), 100);
  const notice = market.noticeOf({ kind: "order", shop, order }, url);
  const sends: Promise<Delivery>[] = Array.from({ length: times }, () =>
    market.outbox.sendAsIs(notice, forged),
  );
  return { deliveries: await Promise.all(sends) };
}

type Hand = (body: Json, request: TwinRequest) => Json | string | Promise<Json | string>;

/** A hand answers JSON, 409 with words when it cannot, and sends a person's browser back. */
function hand(act: Hand): Handler {
  return async (request) => {
    const result = await act(controlBody(request), request);
    if (typeof result === "string") return json(409, { error: result });
    return controlAnswer(request, result);
  };
}

function onShop(market: Market, act: (shop: Shop, body: Json) => Json | Promise<Json>): Handler {
  return hand((body, { params }) => {
    const shop = market.goods.shops.get(params.id ?? "");
    return shop ? act(shop, body) : "no such shop";
  });
}

function onOrder(
  market: Market,
  act: (order: Order, body: Json) => Promise<Json | string>,
): Handler {
  return hand((body, { params }) => {
    const order = market.goods.orders.get(params.id ?? "");
    return order ? act(order, body) : "no such order";
  });
}

function shopHands(market: Market): Record<string, Handler> {
  return {
    "POST /_shops": hand((body) => shopView(market, market.newShop(text(body.name)))),
    "POST /_revoke/:id": onShop(market, async (shop) => {
      await market.soon(market.revoke(shop));
      return shopView(market, shop);
    }),
    "POST /_expire/:id": onShop(market, (shop, body) => {
      const what = body.what === "refresh" || body.what === "both" ? body.what : "access";
      market.tokens.expire(shop.id, what);
      return shopView(market, shop);
    }),
    "POST /_age/:id": onShop(market, (shop, body) => {
      market.tokens.age(shop.id, Number(body.seconds ?? 0) * 1000);
      return shopView(market, shop);
    }),
    "POST /_expiring/:id": onShop(market, async (shop) => {
      await market.soon(market.push({ kind: "expiring", shop }));
      return shopView(market, shop);
    }),
  };
}

/** What people and tests do to a marketplace: sellers agree and revoke, buyers buy, time passes. */
export function marketHands(
  market: Market,
  redirect: (shop: Shop, code: string, body: Json) => URL | null,
): Record<string, Handler> {
  return {
    ...shopHands(market),
    "POST /_authorise": hand(
      (body) =>
        authorise(market, body, (shop, code) => redirect(shop, code, body)) ?? "no such shop",
    ),
    "POST /_clock": hand((body) => {
      market.shiftMs = Number(body.shift_ms ?? 0);
      return { now: new Date(market.clock()).toISOString() };
    }),
    "POST /_buy": hand((body) => buy(market, body)),
    "POST /_move/:id": onOrder(market, (order, body) => move(market, order, body.to)),
    "POST /_notify/:id": onOrder(market, (order, body) => renotify(market, order, body)),
    "POST /_lock/:id": hand((body, { params }) => {
      const found = market.goods.sku(params.id ?? "");
      if (!found) return "no such SKU";
      found.sku.locked = Number(body.quantity ?? 0);
      return { sku: found.sku };
    }),
    "GET /_state": ({ query }) => json(200, stateOf(market, query.get("shop_id"))),
    "GET /_notices": ({ query }) =>
      json(200, market.outbox.list(query.get("subject") ?? undefined)),
  };
}
