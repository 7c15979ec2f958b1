import { Fields, isObject, type Json, parseJson } from "../common/fields.ts";
import { halfReason, textOf } from "../common/market/faults.ts";
import type { Product, Sku } from "../common/market/goods.ts";
import type { Market } from "../common/market/market.ts";
import type { Handler, TwinAnswer, TwinRequest } from "../common/server.ts";
import { bad, codes, good, invalid } from "./answers.ts";
import { shopId, shopOf } from "./guard.ts";
import { isRefusal, readInventory, readPlatforms, readPrice, readProduct } from "./input.ts";

function bodyOf(request: TwinRequest): Json {
  const body = parseJson(request.raw);
  return isObject(body) ? body : {};
}

function skuViews(product: Product): Json[] {
  return product.skus.map((sku) => ({
    id: sku.id,
    seller_sku: sku.sellerSku,
    sales_attributes: [],
    external_sku_id: "",
  }));
}

/** A product is looked at before it is live; the seller is told. */
function review(market: Market, request: TwinRequest, product: Product): void {
  const wait = market.own.number("reviewMs", textOf(request, product.shopId), 300);
  market.timers.later(wait, () => {
    if (product.status !== "review") return;
    product.status = "live";
    market.touch(product);
    const shop = market.goods.shops.get(product.shopId);
    if (shop) void market.push({ kind: "product", shop, product });
  });
}

/** `idempotency_key` is taken and does nothing: only a look by seller SKU tells whether a product is there. */
function create(market: Market, request: TwinRequest): TwinAnswer {
  const body = bodyOf(request);
  const input = readProduct(market, body, true);
  if (isRefusal(input)) return bad(input.code, input.message);
  const product = market.newProduct({
    shopId: shopId(market, request),
    name: input.title,
    categoryId: input.categoryId,
    status: input.draft ? "hidden" : "review",
    images: input.images,
    skus: input.skus.map((sku) => market.newSku(sku)),
    body: { ...body, listing_platforms: input.platforms },
  });
  if (!input.draft) review(market, request, product);
  return good({ product_id: product.id, skus: skuViews(product), warnings: [] });
}

/** The product that the path names, or what to answer. */
function named(market: Market, request: TwinRequest): Product | TwinAnswer {
  const id = request.params.id ?? "";
  const product = market.goods.product(shopId(market, request), id);
  if (product) return product;
  const isDeleted = market.goods.products.get(id)?.status === "deleted";
  const isOthers = market.goods.products.has(id) && !isDeleted;
  return isOthers
    ? bad(codes.notYours, "the product is not listed in this shop")
    : bad(codes.noProduct, "Product does not exist");
}

/** PUT replaces everything, `partial_edit` what is sent. */
function edit(market: Market, request: TwinRequest, isPartial: boolean): TwinAnswer {
  const product = named(market, request);
  if ("headers" in product) return product;
  const body = bodyOf(request);
  const skus = isPartial && body.skus === undefined ? skusAsSent(product) : body.skus;
  const whole: Json = isPartial ? { ...product.body, ...body, skus } : body;
  const input = readProduct(market, whole, false);
  if (isRefusal(input)) return bad(input.code, input.message);
  for (const sent of input.skus) {
    const sku = product.skus.find((one) => one.id === sent.id);
    if (!sku) return invalid("skus.id is not a SKU of this product");
    sku.sellerSku = sent.sellerSku;
    sku.price = sent.price;
    if (sent.stock >= 0) sku.stock = sent.stock;
  }
  Object.assign(product, { name: input.title, images: input.images, categoryId: input.categoryId });
  product.body = { ...whole, listing_platforms: input.platforms };
  market.touch(product);
  return good({ product_id: product.id, skus: skuViews(product), warnings: [] });
}

function skusAsSent(product: Product): Json[] {
  return product.skus.map((sku) => ({
    id: sku.id,
    seller_sku: sku.sellerSku,
    price: { amount: String(sku.price), currency: "IDR" },
  }));
}

type Change = (sku: Sku, one: Fields) => { code: number; message: string } | null;

/** A batch of one product's SKUs: failures are listed under a success. */
function eachSku(market: Market, request: TwinRequest, change: Change): TwinAnswer {
  const product = named(market, request);
  if ("headers" in product) return product;
  const fields = new Fields(bodyOf(request));
  const list = fields.list("skus", { required: true, min: 1, max: 300 });
  if (fields.errors[0]) return invalid(fields.errors[0]);
  const half = halfReason(market, request, product.shopId);
  const errors: Json[] = [];
  for (const [index, value] of list.entries()) {
    const one = new Fields(value);
    const id = one.text("id", { required: true });
    const sku = product.skus.find((known) => known.id === id);
    const spoilt =
      half !== null && index % 2 === 1 ? { code: codes.internal, message: half } : null;
    const missing = sku ? null : { code: codes.invalid, message: "the SKU does not exist" };
    const failed = spoilt ?? missing ?? (sku ? change(sku, one) : null);
    if (failed) errors.push({ ...failed, detail: { sku_id: id ?? "", extra_errors: [] } });
  }
  if (errors.length < list.length) market.touch(product);
  return good(errors.length > 0 ? { errors } : {});
}

const words = (one: Fields) => ({ code: codes.invalid, message: one.errors.join("; ") });

const setInventory: Change = (sku, one) => {
  const { quantity, isKnown } = readInventory(one);
  if (one.errors.length > 0) return words(one);
  if (!isKnown) return { code: codes.warehouse, message: "the warehouse is invalid" };
  if (quantity < sku.locked)
    return { code: codes.invalid, message: "the stock is locked by a campaign" };
  sku.stock = quantity;
  return null;
};

const setPrice: Change = (sku, one) => {
  const price = readPrice(one);
  if (one.errors.length > 0) return words(one);
  if (sku.locked > 0) return { code: codes.invalid, message: "the price is locked by a campaign" };
  sku.price = price;
  return null;
};

/** At most 20 products; each stands or falls alone. */
function eachProduct(
  market: Market,
  request: TwinRequest,
  act: (product: Product) => void,
): TwinAnswer {
  const fields = new Fields(bodyOf(request));
  const ids = fields.list("product_ids", { required: true, min: 1, max: 20 });
  readPlatforms(fields);
  if (fields.errors.length > 0) return invalid(fields.errors.join("; "));
  const shop = shopOf(market, request);
  const half = halfReason(market, request, shop?.id ?? "");
  const errors: Json[] = [];
  for (const [index, id] of ids.entries()) {
    const product = typeof id === "string" ? market.goods.product(shop?.id ?? "", id) : null;
    const spoilt = half !== null && index % 2 === 1 ? half : null;
    if (product && spoilt === null) {
      act(product);
      market.touch(product);
    } else {
      const missing = { code: codes.noProduct, message: "Product does not exist" };
      const failed = spoilt === null ? missing : { code: codes.invalid, message: spoilt };
      errors.push({ ...failed, detail: { product_id: String(id) } });
    }
  }
  return good(errors.length > 0 ? { errors } : {});
}

/** The writing product calls of tokopedia.md section 5. */
export function productRoutes(market: Market): Record<string, Handler> {
  const prefix = "/product/202309/products";
  const status = (to: Product["status"]): Handler => {
    return (request) =>
      eachProduct(market, request, (product) => {
        product.status = to;
      });
  };
  return {
    [`POST ${prefix}`]: (request) => create(market, request),
    [`PUT ${prefix}/:id`]: (request) => edit(market, request, false),
    [`POST ${prefix}/:id/partial_edit`]: (request) => edit(market, request, true),
    "POST /product/202509/products/:id/partial_edit": (request) => edit(market, request, true),
    [`POST ${prefix}/:id/inventory/update`]: (request) => eachSku(market, request, setInventory),
    [`POST ${prefix}/:id/prices/update`]: (request) => eachSku(market, request, setPrice),
    [`POST ${prefix}/activate`]: status("live"),
    [`POST ${prefix}/deactivate`]: status("hidden"),
    [`DELETE ${prefix}`]: status("deleted"),
  };
}
