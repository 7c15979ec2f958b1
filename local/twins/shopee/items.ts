import { Fields, isObject, type Json, parseJson } from "../common/fields.ts";
import { halfReason } from "../common/market/faults.ts";
import type { Product } from "../common/market/goods.ts";
import type { Market } from "../common/market/market.ts";
import type { Handler, TwinAnswer, TwinRequest } from "../common/server.ts";
import { bad, badParam, good } from "./answers.ts";
import { shopOf } from "./catalogue.ts";
import { isRefusal, readChange, readItem, readPrice, readStock } from "./input.ts";

function bodyOf(request: TwinRequest): Json | null {
  const body = parseJson(request.raw);
  return isObject(body) ? body : null;
}

/** The item that a body names by `item_id`, a number. */
function named(
  market: Market,
  request: TwinRequest,
): { product: Product; body: Json } | TwinAnswer {
  const body = bodyOf(request);
  if (!body) return badParam("the body must be a JSON object");
  if (!Number.isSafeInteger(body.item_id)) return badParam("item_id is invalid");
  const product = market.goods.product(shopOf(request), String(body.item_id));
  return product ? { product, body } : bad("error_item_not_found", "Product not found");
}

const isAnswer = (value: object): value is TwinAnswer => "status" in value && "headers" in value;

function addItem(market: Market, request: TwinRequest): TwinAnswer {
  const body = bodyOf(request);
  const input = readItem(market, body);
  if (isRefusal(input)) return bad(input.code, input.message);
  const { name, price, stock, sku, images } = input;
  const product = market.newProduct({
    shopId: shopOf(request),
    name,
    categoryId: String(input.categoryId),
    status: input.hidden ? "hidden" : "live",
    images,
    skus: [market.newSku({ sellerSku: sku, price, stock })],
    body: body ?? {},
  });
  return good({
    item_id: Number(product.id),
    item_name: name,
    item_sku: sku,
    item_status: input.hidden ? "UNLIST" : "NORMAL",
  });
}

function updateItem(market: Market, request: TwinRequest): TwinAnswer {
  const found = named(market, request);
  if (isAnswer(found)) return found;
  const { product, body } = found;
  const { item_id: _, ...change } = body;
  const input = readChange(market, product.body, change);
  if (isRefusal(input)) return bad(input.code, input.message);
  product.body = { ...product.body, ...change };
  product.name = input.name;
  product.categoryId = String(input.categoryId);
  product.images = input.images;
  if ("item_status" in change) product.status = input.hidden ? "hidden" : "live";
  const [sku] = product.skus;
  if (sku) sku.sellerSku = input.sku;
  market.touch(product);
  return good({ item_id: Number(product.id), item_name: input.name, item_sku: input.sku });
}

interface Outcome {
  done: Json;
  failed: string | null;
}

/** A batch of models: each stands or falls alone, under an answer that is a success. */
function eachModel(
  market: Market,
  request: TwinRequest,
  listName: string,
  act: (one: Fields, product: Product) => Outcome,
): TwinAnswer {
  const found = named(market, request);
  if (isAnswer(found)) return found;
  const fields = new Fields(found.body);
  const list = fields.list(listName, { required: true, min: 1, max: 50 });
  const [wrong] = fields.errors;
  if (wrong) return badParam(wrong);
  const half = halfReason(market, request, found.product.shopId);
  const success: Json[] = [];
  const failure: Json[] = [];
  for (const [index, value] of list.entries()) {
    const one = new Fields(value);
    const model = Number(one.raw("model_id") ?? 0);
    const spoilt = half !== null && index % 2 === 1 ? half : null;
    const known = model === 0 ? null : "Model not found";
    const outcome = (spoilt ?? known) === null ? act(one, found.product) : null;
    const reason = spoilt ?? known ?? one.errors[0] ?? outcome?.failed ?? null;
    if (reason === null) success.push({ model_id: model, ...outcome?.done });
    else failure.push({ model_id: model, failed_reason: reason });
  }
  if (success.length > 0) market.touch(found.product);
  return good({ success_list: success, failure_list: failure });
}

function updateStock(market: Market, request: TwinRequest): TwinAnswer {
  return eachModel(market, request, "stock_list", (one, product) => {
    const stock = readStock(one);
    const [sku] = product.skus;
    if (!sku || one.errors.length > 0) return { done: {}, failed: null };
    if (stock < sku.locked) {
      return { done: {}, failed: `stock cannot be less than the reserved stock ${sku.locked}` };
    }
    sku.stock = stock;
    return { done: { location_id: "", stock }, failed: null };
  });
}

function updatePrice(market: Market, request: TwinRequest): TwinAnswer {
  return eachModel(market, request, "price_list", (one, product) => {
    const price = readPrice(one, "original_price");
    const [sku] = product.skus;
    if (!sku || one.errors.length > 0) return { done: {}, failed: null };
    if (sku.locked > 0) return { done: {}, failed: "price is locked by a promotion" };
    sku.price = price;
    return { done: { original_price: price }, failed: null };
  });
}

function unlist(market: Market, request: TwinRequest): TwinAnswer {
  const fields = new Fields(bodyOf(request));
  const list = fields.list("item_list", { required: true, min: 1, max: 50 });
  const [wrong] = fields.errors;
  if (wrong) return badParam(wrong);
  const shopId = shopOf(request);
  const half = halfReason(market, request, shopId);
  const success: Json[] = [];
  const failure: Json[] = [];
  for (const [index, value] of list.entries()) {
    const { item_id: id, unlist: away } = isObject(value) ? value : {};
    const product = Number.isSafeInteger(id) ? market.goods.product(shopId, String(id)) : null;
    const spoilt = half !== null && index % 2 === 1 ? half : null;
    const reason = spoilt ?? (product ? null : "Product not found");
    if (reason !== null || !product || typeof away !== "boolean") {
      failure.push({ item_id: id ?? 0, failed_reason: reason ?? "unlist must be a boolean" });
      continue;
    }
    product.status = away ? "hidden" : "live";
    market.touch(product);
    success.push({ item_id: id, unlist: away });
  }
  const none = success.length === 0 && failure.length > 0;
  if (none) return bad("error_unlist_item_all_failed", "Unlist item all failed.");
  return good({ success_list: success, failure_list: failure });
}

function deleteItem(market: Market, request: TwinRequest): TwinAnswer {
  const found = named(market, request);
  if (isAnswer(found)) return found;
  found.product.status = "deleted";
  market.touch(found.product);
  return good({});
}

/** The writing product calls of shopee.md section 5. None has an idempotency key: a repeated one makes another. */
export function itemRoutes(market: Market): Record<string, Handler> {
  return {
    "POST /api/v2/product/add_item": (request) => addItem(market, request),
    "POST /api/v2/product/update_item": (request) => updateItem(market, request),
    "POST /api/v2/product/update_stock": (request) => updateStock(market, request),
    "POST /api/v2/product/update_price": (request) => updatePrice(market, request),
    "POST /api/v2/product/unlist_item": (request) => unlist(market, request),
    "POST /api/v2/product/delete_item": (request) => deleteItem(market, request),
  };
}
