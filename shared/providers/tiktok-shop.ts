import type { MarketplaceClient } from "./marketplace.ts";
import { LIMITS } from "./tiktok-shop/limits.ts";
import { createLine, PLATFORM, type TikTokShopOptions } from "./tiktok-shop/line.ts";
import {
  createListing,
  findBySku,
  setListed,
  setPrices,
  setStocks,
  updateListing,
} from "./tiktok-shop/listings.ts";
import {
  findBrand,
  getSetup,
  listAttributes,
  listCategories,
  suggestCategory,
  uploadImage,
} from "./tiktok-shop/lookups.ts";
import { getOrders, listOrders } from "./tiktok-shop/orders.ts";
import { parsePush } from "./tiktok-shop/push.ts";
import { authoriseUrl, exchangeCode, refresh } from "./tiktok-shop/tokens.ts";

export type { TikTokShopOptions } from "./tiktok-shop/line.ts";

/**
 * TikTok Shop's Partner API for one app, listing on Tokopedia (providers/tokopedia.md §1: Tokopedia's own API has come
 * to its end). Every failure is a `MarketplaceError`.
 */
export function createTikTokShop(options: TikTokShopOptions): MarketplaceClient {
  const line = createLine(options);
  return {
    platform: PLATFORM,
    limits: LIMITS,
    authoriseUrl: async (input) => authoriseUrl(line, input),
    exchangeCode: ({ code }) => exchangeCode(line, code),
    refresh: ({ refreshToken }) => refresh(line, refreshToken),
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
