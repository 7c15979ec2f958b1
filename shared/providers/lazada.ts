import { LIMITS } from "./lazada/limits.ts";
import { createLine, type LazadaOptions, PLATFORM } from "./lazada/line.ts";
import { createListing, findBySku, setListed, updateListing } from "./lazada/listings.ts";
import { listAttributes, listCategories, suggestCategory, uploadImage } from "./lazada/lookups.ts";
import { setPrices, setStocks } from "./lazada/offers.ts";
import { getOrders, listOrders } from "./lazada/orders.ts";
import { parsePush } from "./lazada/push.ts";
import { authoriseUrl, exchangeCode, refresh } from "./lazada/tokens.ts";
import { checkBatch } from "./marketplace/batch.ts";
import type { MarketplaceClient } from "./marketplace.ts";

export type { LazadaOptions } from "./lazada/line.ts";

/** Lazada's Open Platform, Indonesia, for one app (providers/lazada.md). Every failure is a `MarketplaceError`. */
export function createLazada(options: LazadaOptions): MarketplaceClient {
  const line = createLine(options);
  return {
    platform: PLATFORM,
    limits: LIMITS,
    authoriseUrl: async (input) => authoriseUrl(line, input),
    exchangeCode: ({ code }) => exchangeCode(line, code),
    refresh: ({ refreshToken }) => refresh(line, refreshToken),
    // A listing at Lazada needs nothing of the shop.
    getSetup: async () => ({ logisticIds: [], warehouseId: null }),
    listCategories: (auth) => listCategories(line, auth),
    suggestCategory: (auth, name) => suggestCategory(line, auth, name),
    listAttributes: (auth, categoryId) => listAttributes(line, auth, categoryId),
    // A listing names its brand, and the list of brands cannot be searched: a wrong one is refused with the listing.
    findBrand: async (_auth, _categoryId, name) => ({ id: name.trim(), name: name.trim() }),
    uploadImage: (auth, image, type) => uploadImage(line, auth, image, type),
    findBySku: (auth, sku, known) => findBySku(line, auth, sku, known),
    createListing: (auth, listing) => createListing(line, auth, listing),
    updateListing: (auth, ref, listing) => updateListing(line, auth, ref, listing),
    setPrices: (auth, changes) => setPrices(line, auth, changes),
    setStocks: (auth, changes) => setStocks(line, auth, changes),
    async setListed(auth, refs, listed) {
      checkBatch(PLATFORM, refs.length, LIMITS.shelfBatch);
      return await setListed(line, auth, refs, listed);
    },
    listOrders: (auth, span) => listOrders(line, auth, span),
    getOrders: (auth, orderIds) => getOrders(line, auth, orderIds),
    parsePush: (input) => parsePush(options, input),
  };
}
