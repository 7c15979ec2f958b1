import { AppError } from "../http/errors.ts";
import type { MarketCategory } from "./marketplace/category-paths.ts";
import type { MarketImageType, MarketplaceLimits } from "./marketplace/limits.ts";
import type { MarketOrder, OrderPage } from "./marketplace/orders.ts";
import { PLATFORM_NAME, type Platform } from "./marketplace/platforms.ts";
import type { MarketPush, PushInput } from "./marketplace/push.ts";

export { leafPaths, type MarketCategory } from "./marketplace/category-paths.ts";
export { type MarketFault, MarketplaceError } from "./marketplace/error.ts";
export type { MarketImageType, MarketplaceLimits } from "./marketplace/limits.ts";
export type {
  MarketOrder,
  MarketOrderLine,
  MarketOrderStatus,
  OrderPage,
  OrderRef,
} from "./marketplace/orders.ts";
export { PLATFORM_NAME, PLATFORMS, type Platform } from "./marketplace/platforms.ts";
export type { MarketPush, PushInput } from "./marketplace/push.ts";

export interface MarketTokens {
  accessToken: string;
  accessExpiresAt: Date;
  /** Good for one refresh at Shopee and TikTok Shop: store the new pair before using it. */
  refreshToken: string;
  /** Then the seller has to connect again. */
  refreshExpiresAt: Date | null;
}

/** A shop as its platform names it; the same `shopId` stands in its pushes. */
export interface MarketShop {
  shopId: string;
  name: string | null;
  /** TikTok Shop's second name of the shop, wanted by nearly every call. */
  shopCipher: string | null;
}

/** What a seller has granted. Most have one shop; where there are several, the seller picks. */
export interface MarketGrant {
  tokens: MarketTokens;
  shops: [MarketShop, ...MarketShop[]];
}

/** Whether a request only asks: platforms count the two apart. */
export type CallKind = "read" | "write";

export interface ShopAuth {
  accessToken: string;
  shopId: string;
  shopCipher: string | null;
  /** The shop's pace: awaited before every single request, repeats too, whatever number of them a method takes. */
  turn?: (kind: CallKind) => Promise<void>;
}

/** What a listing needs of the shop itself; plain data, to be kept with the connection and asked for anew daily. */
export interface ShopSetup {
  /** Shopee: the delivery channels that the shop has switched on. */
  logisticIds: string[];
  /** TikTok Shop: where the stock lies. */
  warehouseId: string | null;
}

export interface MarketAttribute {
  id: string;
  name: string;
  required: boolean;
  /** `text`: any words; `one_of`, `many_of`: ids of `options`, words of one's own only where `free`. */
  input: "text" | "number" | "date" | "one_of" | "many_of";
  free: boolean;
  options: { id: string; name: string }[];
}

/** The brand of a listing needs an id of the platform. */
export interface MarketBrand {
  id: string;
  name: string;
}

export interface ListingInput {
  /** Ours, unique in the shop: what a doubtful creation is looked up by. */
  sku: string;
  name: string;
  /** Plain text; the client makes HTML of it where the platform wants that. */
  description: string;
  priceIdr: number;
  stock: number;
  weightGram: number;
  sizeCm: { length: number; width: number; height: number };
  categoryId: string;
  /** Null: a product without a brand. */
  brand: MarketBrand | null;
  attributes: { id: string; optionIds?: string[]; text?: string }[];
  /** References that `uploadImage` gave, the first one in front. */
  images: string[];
  setup: ShopSetup;
}

/** A listing by all names that the platforms ask for. Keep all of them. */
export interface ListingRef {
  itemId: string;
  /** Null only at Shopee, whose items without variants have none. */
  skuId: string | null;
  sku: string;
}

export type RemoteStatus = "live" | "review" | "unlisted" | "blocked" | "deleted";

export interface RemoteListing extends ListingRef {
  status: RemoteStatus;
  priceIdr: number | null;
  stock: number | null;
  /** The platform's words where it accepted with a complaint. */
  warnings: string[];
  /** Other items of the same SKU that stand there, which nobody keeps in step; told by `findBySku`. */
  others?: string[];
}

export interface PriceChange {
  ref: ListingRef;
  priceIdr: number;
}
export interface StockChange {
  ref: ListingRef;
  stock: number;
  setup: ShopSetup;
}

/** Answers of a batch, in the order of its input. A batch that failed as a whole throws instead. */
export type BatchOutcome =
  | { sku: string; ok: true }
  | { sku: string; ok: false; fault: "rejected" | "locked" | "not_found"; reason: string };

/**
 * A marketplace where sellers also offer their products. Every failure is a `MarketplaceError`, whose `fault` says
 * what to do about it and whose `reason` the seller may read. Reads are repeated a few times, writes never.
 */
export interface MarketplaceClient {
  readonly platform: Platform;
  readonly limits: MarketplaceLimits;
  /** Where the seller grants access. `state` comes back untouched. */
  authoriseUrl(input: { state: string; redirectUrl: string }): Promise<string>;
  /**
   * Redeems the code of the callback: once, within 10 minutes (Shopee) or 30. Shopee's callback also carries
   * `shop_id` or `main_account_id`, of which one must be given.
   */
  exchangeCode(input: {
    code: string;
    shopId?: string | undefined;
    mainAccountId?: string | undefined;
  }): Promise<MarketGrant>;
  /** Must be serialised per shop. Fault `token_revoked`: only the seller can help. */
  refresh(input: { refreshToken: string; shopId: string }): Promise<MarketTokens>;
  getSetup(auth: ShopAuth): Promise<ShopSetup>;
  /** The whole tree, flat, as the platform has it: also with a cycle, see `leafPaths`. */
  listCategories(auth: ShopAuth): Promise<MarketCategory[]>;
  /** The platform's own guess of a leaf, or null where it has none. */
  suggestCategory(auth: ShopAuth, productName: string): Promise<string | null>;
  listAttributes(auth: ShopAuth, categoryId: string): Promise<MarketAttribute[]>;
  findBrand(auth: ShopAuth, categoryId: string, name: string): Promise<MarketBrand | null>;
  /** JPEG and PNG only. Returns what `ListingInput.images` takes. */
  uploadImage(auth: ShopAuth, image: Uint8Array, type: MarketImageType): Promise<string>;
  /**
   * Deleted ones apart. Ask before every creation that may have been sent before. `known`: the item that is preferred
   * where several stand under the SKU.
   */
  findBySku(auth: ShopAuth, sku: string, known?: string): Promise<RemoteListing | null>;
  /** Fault `duplicate`: look it up by its SKU. Fault `unknown`: it may exist, look it up before trying again. */
  createListing(auth: ShopAuth, listing: ListingInput): Promise<RemoteListing>;
  /** Replaces what the listing says; leaves price and stock alone. May be repeated. */
  updateListing(auth: ShopAuth, ref: ListingRef, listing: ListingInput): Promise<void>;
  /** At most `limits.priceBatch` at once. May be repeated. */
  setPrices(auth: ShopAuth, changes: PriceChange[]): Promise<BatchOutcome[]>;
  /** At most `limits.stockBatch` at once. May be repeated. */
  setStocks(auth: ShopAuth, changes: StockChange[]): Promise<BatchOutcome[]>;
  /** Takes listings off the shelf, or puts them back. At most `limits.shelfBatch` at once. May be repeated. */
  setListed(auth: ShopAuth, refs: ListingRef[], listed: boolean): Promise<BatchOutcome[]>;
  /**
   * A page of the orders that changed within the span, of any length. Go on with its `cursor` until that is null; the
   * next span then starts at this `until`, better some minutes before.
   */
  listOrders(
    auth: ShopAuth,
    span: { since: Date; until: Date; cursor?: string | null },
  ): Promise<OrderPage>;
  /** At most `limits.orderBatch` at once; unknown and unreadable ones are left out. Holds no data of a person. */
  getOrders(auth: ShopAuth, orderIds: string[]): Promise<MarketOrder[]>;
  /** Checks and reads a push; null where it is not the platform's own or not readable. A hint: ask before acting. */
  parsePush(input: PushInput): Promise<MarketPush | null>;
}

/** Null where this server has no keys of the platform. */
export type Marketplaces = Record<Platform, MarketplaceClient | null>;

/** The client of a platform, or 503 in words where this server has no keys of it. */
export function marketplaceOf(marketplaces: Marketplaces, platform: Platform): MarketplaceClient {
  const client = marketplaces[platform];
  if (client) return client;
  const words = `Integrasi ${PLATFORM_NAME[platform]} belum diaktifkan di server ini`;
  throw new AppError("not_configured", words);
}
