import type { Fetch } from "./http.ts";
import {
  getNickname,
  getProfile,
  type NicknameInput,
  type Profile,
} from "./vip-reseller/account.ts";
import {
  type CallbackHeaders,
  carriesSignature,
  readCallbacks,
  type SupplierCallback,
} from "./vip-reseller/callback.ts";
import { createLine, type MayLeave } from "./vip-reseller/line.ts";
import {
  createOrder,
  type GameOrderInput,
  getOrders,
  type OrderQuery,
  type OrderResult,
  type PrepaidOrderInput,
  type SocialOrderInput,
  type SupplierOrder,
} from "./vip-reseller/orders.ts";
import type { Pace } from "./vip-reseller/pace.ts";
import {
  eachService,
  getServiceStock,
  type ListCounts,
  listServices,
  type ServiceStock,
  type SupplierFamily,
  type SupplierService,
} from "./vip-reseller/services.ts";

export type { NicknameInput, Profile } from "./vip-reseller/account.ts";
export type { CallbackHeaders, SupplierCallback } from "./vip-reseller/callback.ts";
export type { MayLeave } from "./vip-reseller/line.ts";
export type {
  GameOrderInput,
  OrderQuery,
  OrderResult,
  PrepaidOrderInput,
  RefusalReason,
  SocialOrderInput,
  SupplierOrder,
  SupplierStatus,
} from "./vip-reseller/orders.ts";
export { mapStatus } from "./vip-reseller/orders.ts";
export {
  type Gate,
  type Lane,
  type Pace,
  type Patience,
  paceOf,
  type Turn,
} from "./vip-reseller/pace.ts";
export {
  type AccountLevel,
  type LevelPrices,
  priceAt,
  type ServiceStock,
  SUPPLIER_FAMILIES,
  type SupplierFamily,
  type SupplierService,
} from "./vip-reseller/services.ts";

export interface VipResellerOptions {
  apiId: string;
  apiKey: string;
  /** With `/api`: `https://vip-reseller.co.id/api`. */
  baseUrl: string;
  timeoutMs: number;
  fetch: Fetch;
  /** Resolves when the next request may leave; throws a `ProviderError` (`busy`) rather than waiting too long. */
  pace: Pace;
  random?: () => number;
  sleep?: (ms: number) => Promise<void>;
}

/**
 * VIP-Reseller's API (providers/vip-reseller.md). Every failure is a `ProviderError`; code `busy`: our own pacing let
 * nothing leave. Reads are repeated a few times, orders never: the supplier knows no idempotency key.
 */
export interface VipReseller {
  /** The account: its balance, and the level whose prices it pays. */
  getProfile(): Promise<Profile>;
  getBalance(): Promise<{ balance: number }>;
  /** The whole list of games; the same as `getGameServices`. */
  getServices(): Promise<SupplierService[]>;
  getGameServices(): Promise<SupplierService[]>;
  getPrepaidServices(): Promise<SupplierService[]>;
  getSocialMediaServices(): Promise<SupplierService[]>;
  /**
   * Reads a price list piece by piece as it arrives, so that no list has to fit into memory. `take` gets at most
   * `size` rows at a time. Returns how many rows there were, unreadable ones apart. Not repeated after the first piece.
   */
  eachService(
    family: SupplierFamily,
    size: number,
    take: (rows: SupplierService[]) => Promise<void>,
  ): Promise<ListCounts>;
  /** How much of a game's service the supplier has; null where it does not know the service. */
  getServiceStock(code: string): Promise<ServiceStock | null>;
  /**
   * Buys. `refused` means surely not bought. A thrown error with outcome `unknown` may have bought: look into the
   * history (`get…OrderStatus({limit})`) and never send it again; with `not_done` nothing has left.
   * `mayLeave` is asked once its turn has come: that may be long after the call.
   */
  createGameOrder(input: GameOrderInput, mayLeave?: MayLeave): Promise<OrderResult>;
  createPrepaidOrder(input: PrepaidOrderInput, mayLeave?: MayLeave): Promise<OrderResult>;
  createSocialMediaOrder(input: SocialOrderInput, mayLeave?: MayLeave): Promise<OrderResult>;
  /** The order of an id (an empty list: the supplier knows none), or the latest ones, as the supplier lists them. */
  getGameOrderStatus(query: OrderQuery): Promise<SupplierOrder[]>;
  getPrepaidOrderStatus(query: OrderQuery): Promise<SupplierOrder[]>;
  getSocialMediaOrderStatus(query: OrderQuery): Promise<SupplierOrder[]>;
  /** The same by family, for callers that hold any kind of order. */
  getOrderStatus(family: SupplierFamily, query: OrderQuery): Promise<SupplierOrder[]>;
  /** The name of a player, or null where the supplier knows no such player. */
  getNickname(input: NicknameInput): Promise<string | null>;
  /**
   * Checks and reads a callback in either form: all orders that it names; none when it is unsigned, forged or
   * unreadable. Both forms can be replayed: it is a hint, to be confirmed by `getOrderStatus` before money moves.
   */
  parseCallbacks(rawBody: string, headers: CallbackHeaders): Promise<SupplierCallback[]>;
  /** Whether the supplier itself sent it, though it may say nothing that can be read. */
  isSigned(headers: CallbackHeaders): Promise<boolean>;
  /** The first of them, or null. */
  parseCallback(rawBody: string, headers: CallbackHeaders): Promise<SupplierCallback | null>;
}

/** The client of one VIP-Reseller account. */
export function createVipReseller(options: VipResellerOptions): VipReseller {
  const line = createLine(options);
  return {
    getProfile: () => getProfile(line),
    async getBalance() {
      return { balance: (await getProfile(line)).balance };
    },
    getServices: () => listServices(line, "game"),
    getGameServices: () => listServices(line, "game"),
    getPrepaidServices: () => listServices(line, "prepaid"),
    getSocialMediaServices: () => listServices(line, "social"),
    eachService: (family, size, take) => eachService(line, family, size, take),
    getServiceStock: (code) => getServiceStock(line, code),
    createGameOrder: (input, mayLeave) => createOrder(line, "game", input, mayLeave),
    createPrepaidOrder: (input, mayLeave) => createOrder(line, "prepaid", input, mayLeave),
    createSocialMediaOrder: (input, mayLeave) => createOrder(line, "social", input, mayLeave),
    getGameOrderStatus: (query) => getOrders(line, "game", query),
    getPrepaidOrderStatus: (query) => getOrders(line, "prepaid", query),
    getSocialMediaOrderStatus: (query) => getOrders(line, "social", query),
    getOrderStatus: (family, query) => getOrders(line, family, query),
    getNickname: (input) => getNickname(line, input),
    parseCallbacks: (rawBody, headers) => readCallbacks(options, rawBody, headers),
    isSigned: (headers) => carriesSignature(options, headers),
    parseCallback: async (rawBody, headers) =>
      (await readCallbacks(options, rawBody, headers))[0] ?? null,
  };
}
