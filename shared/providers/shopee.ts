import type { MarketplaceClient } from "./marketplace.ts";
import { LIMITS } from "./shopee/limits.ts";
import { createLine, PLATFORM, type ShopeeOptions } from "./shopee/line.ts";
import {
  createListing,
  findBySku,
  setListed,
  setPrices,
  setStocks,
  updateListing,
} from "./shopee/listings.ts";
import {
  findBrand,
  getSetup,
  listAttributes,
  listCategories,
  suggestCategory,
  uploadImage,
} from "./shopee/lookups.ts";
import { getOrders, listOrders } from "./shopee/orders.ts";
import { parsePush } from "./shopee/push.ts";
import { authoriseUrl, exchangeCode, refresh } from "./shopee/tokens.ts";

export type { ShopeeOptions } from "./shopee/line.ts";

/** Shopee's Open Platform v2 for one app (providers/shopee.md). Every failure is a `MarketplaceError`. */
export function createShopee(options: ShopeeOptions): MarketplaceClient {
  const line = createLine(options);
  return {
    platform: PLATFORM,
    limits: LIMITS,
    authoriseUrl: (input) => authoriseUrl(line, input),
    exchangeCode: (input) => exchangeCode(line, input),
    refresh: (input) => refresh(line, input),
    getSetup: (auth) => getSetup(line, auth),
    listCategories: (auth) => listCategories(line, auth),
    suggestCategory: (auth, name) => suggestCategory(line, auth, name),
    listAttributes: (auth, categoryId) => listAttributes(line, auth, categoryId),
    findBrand: (auth, categoryId, name) => findBrand(line, auth, categoryId, name),
    uploadImage: (auth, image, type) => uploadImage(line, auth, image, type),
    findBySku: (auth, sku, known) => findBySku(line, auth, sku, known),
    createListing: (auth, listing) => createListing(line, auth, listing),
    updateListing: (auth, ref, listing) => updateListing(line, auth, ref, listing),
    setPrices: (auth, changes) => setPrices(line, auth, changes),
    setStocks: (auth, changes) => setStocks(line, auth, changes),
    setListed: (auth, refs, listed) => setListed(line, auth, refs, listed),
    listOrders: (auth, span) => listOrders(line, auth, span),
    getOrders: (auth, orderIds) => getOrders(line, auth, orderIds),
    parsePush: (input) => parsePush(options, input),
  };
}
