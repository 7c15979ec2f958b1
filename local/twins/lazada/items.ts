import { isObject, type Json } from "../common/fields.ts";
import { halfReason } from "../common/market/faults.ts";
import type { Product, Sku } from "../common/market/goods.ts";
import type { Market } from "../common/market/market.ts";
import type { Handler, TwinAnswer, TwinRequest } from "../common/server.ts";
import { bad, type Detail, good } from "./answers.ts";
import { sellerOf } from "./guard.ts";
import { isRefusal, numberOf, readCreate, readProduct, skusOf } from "./input.ts";
import { parameter } from "./parameters.ts";

function create(market: Market, request: TwinRequest): TwinAnswer {
  const shopId = sellerOf(market, request);
  const input = readCreate(market, parameter(request, "payload"));
  if (isRefusal(input)) return bad(input.code, input.message, { detail: input.detail });
  const twice = input.skus.find(
    (one) => market.goods.bySellerSku(shopId, one.sellerSku).length > 0,
  );
  if (twice) {
    const detail = [
      { field: "SellerSku", message: "SellerSku repeat", seller_sku: twice.sellerSku },
    ];
    return bad("4105", "BIZ_CHECK_SELLER_SKU_DUPLICATE", { detail });
  }
  const product = market.newProduct({
    shopId,
    name: input.name,
    categoryId: input.categoryId,
    status: input.skus.every((one) => one.hidden) ? "hidden" : "live",
    images: input.images,
    skus: input.skus.map(({ sellerSku, price, quantity }) =>
      market.newSku({ sellerSku, price, stock: quantity }),
    ),
    body: input.body,
  });
  const skuList = product.skus.map((sku) => ({
    shop_sku: sku.shopSku,
    seller_sku: sku.sellerSku,
    sku_id: Number(sku.id),
  }));
  return good({ item_id: Number(product.id), sku_list: skuList, item_status: "Active" });
}

/** What a payload's Sku names: by SkuId and ItemId, or by ItemId and SellerSku. */
function find(market: Market, shopId: string, one: Json): { product: Product; sku: Sku } | null {
  const product = market.goods.product(shopId, String(one.ItemId ?? ""));
  const wanted = product?.skus.find(
    (sku) =>
      sku.id === String(one.SkuId ?? "") ||
      (one.SkuId === undefined && sku.sellerSku === one.SellerSku),
  );
  return product && wanted ? { product, sku: wanted } : null;
}

type Change = (sku: Sku, one: Json) => string | null;

/** A batch of SKUs: each is done alone; those that fail are told of in `detail`, under HTTP 200. */
function eachSku(market: Market, request: TwinRequest, change: Change): TwinAnswer {
  const shopId = sellerOf(market, request);
  const read = readProduct(parameter(request, "payload"));
  if (isRefusal(read)) return bad(read.code, read.message);
  const list = skusOf(read.product, read.isXml);
  if (!list) return bad("5", "E005: Invalid Request Format");
  if (list.length > 50) {
    return bad("4171", "The updated SKU quantity exceeds the maximum number 50");
  }
  const half = halfReason(market, request, shopId);
  const detail: Detail[] = [];
  for (const [index, one] of list.entries()) {
    const found = find(market, shopId, one);
    const spoilt = half !== null && index % 2 === 1 ? half : null;
    const reason = spoilt ?? (found ? change(found.sku, one) : "SELLER_SKU_NOT_FOUND");
    if (reason === null && found) market.touch(found.product);
    const named = { seller_sku: String(one.SellerSku ?? ""), sku_id: String(one.SkuId ?? "") };
    if (reason !== null) detail.push({ field: "Sku", message: reason, ...named });
  }
  return detail.length > 0 ? bad("501", "E501: Update product failed", { detail }) : good({});
}

function wrongStock(stock: number, sku: Sku, least: number): string | null {
  if (!Number.isInteger(stock) || stock < 0) return "4152 THD_INVENTORY_ERR_INV_PARAM_ILLEGAL";
  if (stock < sku.locked) return `4170 the stock is locked by a campaign at ${sku.locked}`;
  return stock < least ? `the quantity must not be under the locked amount ${least}` : null;
}

/** `Quantity` counts what open orders hold as well. */
const setPriceAndQuantity: Change = (sku, one) => {
  const price = one.Price === undefined ? sku.price : numberOf(one.Price);
  if (!Number.isInteger(price) || price <= 0) return "4104 BIZ_CHECK_PRICE_PRECISION_INVALID";
  if (one.Quantity !== undefined) {
    const quantity = numberOf(one.Quantity);
    const wrong = wrongStock(quantity, sku, sku.held);
    if (wrong) return wrong;
    sku.stock = quantity - sku.held;
  }
  sku.price = price;
  return null;
};

const setSellable: Change = (sku, one) => {
  const stock = numberOf(one.SellableQuantity);
  const wrong = wrongStock(stock, sku, 0);
  if (!wrong) sku.stock = stock;
  return wrong;
};

const adjustSellable: Change = (sku, one) => {
  const stock = sku.stock + numberOf(one.SellableQuantity);
  const wrong = wrongStock(stock, sku, 0);
  if (!wrong) sku.stock = stock;
  return wrong;
};

/** Changes what is sent and leaves the rest; a SellerSku stays what it was. */
function update(market: Market, request: TwinRequest): TwinAnswer {
  const read = readProduct(parameter(request, "payload"));
  if (isRefusal(read)) return bad(read.code, read.message);
  const { product: sent, isXml } = read;
  const product = market.goods.product(sellerOf(market, request), String(sent.ItemId ?? ""));
  if (!product) return bad("4137", "ITEM_NOT_FOUND");
  const before = isObject(product.body.Attributes) ? product.body.Attributes : {};
  const attributes = { ...before, ...(isObject(sent.Attributes) ? sent.Attributes : {}) };
  const skus = skusOf(sent, isXml) ?? [];
  const unknown = skus.find((one) => !product.skus.some((sku) => sku.id === String(one.SkuId)));
  if (unknown) return bad("4136", "SELLER_SKU_NOT_FOUND");
  const whole = JSON.stringify({
    Request: {
      Product: { ...product.body, ...sent, Attributes: attributes, Skus: product.body.Skus },
    },
  });
  const input = readCreate(market, whole);
  if (isRefusal(input)) return bad(input.code, input.message, { detail: input.detail });
  Object.assign(product, {
    name: input.name,
    images: input.images,
    categoryId: input.categoryId,
    body: input.body,
  });
  for (const one of skus) {
    if (one.Status === "active") product.status = "live";
    if (one.Status === "inactive") product.status = "hidden";
    const sku = product.skus.find((known) => known.id === String(one.SkuId));
    const price = numberOf(one.price);
    if (sku && price > 0) sku.price = price;
  }
  market.touch(product);
  return good({ item_status: product.status === "live" ? "Active" : "InActive" });
}

function deactivate(market: Market, request: TwinRequest): TwinAnswer {
  const read = readProduct(parameter(request, "apiRequestBody"));
  if (isRefusal(read)) return bad(read.code, read.message);
  if (read.product.ItemId === undefined) return bad("E0001", "Parameter ItemId is mandatory");
  const product = market.goods.product(sellerOf(market, request), String(read.product.ItemId));
  if (!product) return bad("E0002", "Product not exists");
  if (product.status !== "live") return bad("E0004", "Product Status not online");
  product.status = "hidden";
  market.touch(product);
  return good({});
}

/** `SkuId_<item>_<sku>` each; a product without SKUs is gone. */
function remove(market: Market, request: TwinRequest): TwinAnswer {
  let ids: unknown;
  try {
    ids = JSON.parse(parameter(request, "sku_id_list"));
  } catch {
    ids = null;
  }
  if (!Array.isArray(ids) || ids.length === 0) return bad("5", "E005: Invalid Request Format");
  if (ids.length > 50) return bad("204", "E204: Too many SKU in one request");
  const shopId = sellerOf(market, request);
  for (const id of ids) {
    const [, item = "", sku = ""] = String(id).split("_");
    const product = market.goods.product(shopId, item);
    if (!product?.skus.some((one) => one.id === sku))
      return bad("503", "E503: Remove product failed");
    product.skus = product.skus.filter((one) => one.id !== sku);
    if (product.skus.length === 0) product.status = "deleted";
    market.touch(product);
  }
  return good({});
}

/** The writing product calls of lazada.md section 4. */
export function itemRoutes(market: Market): Record<string, Handler> {
  return {
    "POST /rest/product/create": (request) => create(market, request),
    "POST /rest/product/update": (request) => update(market, request),
    "POST /rest/product/price_quantity/update": (request) =>
      eachSku(market, request, setPriceAndQuantity),
    "POST /rest/product/stock/sellable/update": (request) => eachSku(market, request, setSellable),
    "POST /rest/product/stock/sellable/adjust": (request) =>
      eachSku(market, request, adjustSellable),
    "POST /rest/product/deactivate": (request) => deactivate(market, request),
    "POST /rest/product/remove": (request) => remove(market, request),
  };
}
