import { oneOf } from "../../../../shared/providers/marketplace/one-of.ts";
import type {
  BatchOutcome,
  ListingInput,
  ListingRef,
  MarketAttribute,
  MarketCategory,
  MarketOrder,
  MarketplaceClient,
  MarketplaceLimits,
  MarketTokens,
  Platform,
  RemoteListing,
  RemoteStatus,
  ShopAuth,
} from "../../../../shared/providers/marketplace.ts";
import { unique } from "../../../testing/factories.ts";
import { FAST, type FakeCall, type Faults, fault } from "./faults.ts";

const READ = /^(get|list|find|suggest)/;

/** A listing as the fake platform has it. */
export interface FakeItem extends ListingInput {
  itemId: string;
  skuId: string;
  status: RemoteStatus;
}

/**
 * A marketplace in memory behind the client's interface: tokens that end and refresh tokens that are good for one use,
 * listings that are unique by SKU only if one looks, and faults at every call. A test has one of its own.
 */
export class FakeShop implements MarketplaceClient {
  readonly platform: Platform;
  readonly shopId = unique("S");
  limits: MarketplaceLimits = { ...FAST };
  faults: Faults = {};
  readonly calls: FakeCall[] = [];
  readonly items = new Map<string, FakeItem>();
  readonly orders = new Map<string, MarketOrder>();
  categories: MarketCategory[] = [
    { id: "1", parentId: null, name: "Makanan", isLeaf: false },
    { id: "11", parentId: "1", name: "Camilan", isLeaf: true },
  ];
  suggestion: string | null = "11";
  attributes: MarketAttribute[] = [];
  /** Of an access token from now on. */
  lifeMs = 4 * 3_600_000;
  readonly refreshUses = new Map<string, number>();
  readonly #codes = new Map<string, string>();
  readonly #access = new Map<string, { endsAt: number }>();
  readonly #refresh = new Set<string>();
  /** The most calls that were under way at once. */
  busiest = 0;
  underWay = 0;

  constructor(platform: Platform = "shopee") {
    this.platform = platform;
  }

  /** A code as the callback carries it. */
  grant(shopId = this.shopId): string {
    const code = unique("code");
    this.#codes.set(code, shopId);
    return code;
  }

  revokeAll(): void {
    this.#access.clear();
    this.#refresh.clear();
  }

  expireAccess(): void {
    for (const token of this.#access.values()) token.endsAt = 0;
  }

  count(name: FakeCall["name"]): number {
    return this.calls.filter((call) => call.name === name).length;
  }

  item(sku: string): FakeItem | undefined {
    return [...this.items.values()].find((item) => item.sku === sku && item.status !== "deleted");
  }

  copiesOf(sku: string): number {
    return [...this.items.values()].filter((item) => item.sku === sku).length;
  }

  authoriseUrl = async ({ state, redirectUrl }: { state: string; redirectUrl: string }) =>
    `https://fake.example/auth?${new URLSearchParams({ state, redirect: redirectUrl })}`;

  exchangeCode = ({ code }: { code: string }) =>
    this.#does("exchangeCode", null, () => {
      const shopId = this.#codes.get(code);
      this.#codes.delete(code);
      if (shopId === undefined) throw fault("rejected", "Kode otorisasi tidak berlaku");
      return {
        tokens: this.#newTokens(),
        shops: [{ shopId, name: "Toko Uji", shopCipher: null }] as [
          { shopId: string; name: string; shopCipher: null },
        ],
      };
    });

  refresh = ({ refreshToken }: { refreshToken: string }) =>
    this.#does("refresh", null, () => {
      this.refreshUses.set(refreshToken, (this.refreshUses.get(refreshToken) ?? 0) + 1);
      if (!this.#refresh.delete(refreshToken)) throw fault("token_revoked", "Izin berakhir");
      return this.#newTokens();
    });

  #newTokens(): MarketTokens {
    const [accessToken, refreshToken] = [unique("acc"), unique("ref")];
    this.#access.set(accessToken, { endsAt: Date.now() + this.lifeMs });
    this.#refresh.add(refreshToken);
    return {
      accessToken,
      refreshToken,
      accessExpiresAt: new Date(Date.now() + this.lifeMs),
      refreshExpiresAt: new Date(Date.now() + 30 * 86_400_000),
    };
  }

  async #does<T>(
    name: FakeCall["name"],
    sku: string | null,
    act: () => T,
    auth?: ShopAuth,
  ): Promise<T> {
    const kind = READ.test(name) ? "read" : "write";
    await auth?.turn?.(kind);
    const call = { name, sku, kind, at: Date.now() } as const;
    this.calls.push(call);
    this.underWay += 1;
    this.busiest = Math.max(this.busiest, this.underWay);
    try {
      if (auth) this.#check(auth);
      await this.faults.before?.(call);
      const result = act();
      await this.faults.after?.(call);
      return result;
    } finally {
      this.underWay -= 1;
    }
  }

  #check({ accessToken }: ShopAuth): void {
    const token = this.#access.get(accessToken);
    if (!token) throw fault("token_revoked", "Izin dicabut");
    if (token.endsAt <= Date.now()) throw fault("token_expired");
  }

  getSetup = (auth: ShopAuth) =>
    this.#does("getSetup", null, () => ({ logisticIds: ["8003"], warehouseId: "W1" }), auth);
  listCategories = (auth: ShopAuth) =>
    this.#does("listCategories", null, () => this.categories, auth);
  suggestCategory = (auth: ShopAuth) =>
    this.#does("suggestCategory", null, () => this.suggestion, auth);
  listAttributes = (auth: ShopAuth) =>
    this.#does("listAttributes", null, () => this.attributes, auth);
  findBrand = (auth: ShopAuth, _category: string, name: string) =>
    this.#does("findBrand", null, () => (name === "Kopi Kita" ? { id: "77", name } : null), auth);
  uploadImage = (auth: ShopAuth) => this.#does("uploadImage", null, () => unique("img"), auth);

  findBySku = (auth: ShopAuth, sku: string, known?: string) =>
    this.#does(
      "findBySku",
      sku,
      () => {
        const standing = [...this.items.values()].filter(
          (item) => item.sku === sku && item.status !== "deleted",
        );
        return oneOf(standing.map(remote), known);
      },
      auth,
    );

  createListing = (auth: ShopAuth, listing: ListingInput) =>
    this.#does(
      "createListing",
      listing.sku,
      () => {
        const made: FakeItem = {
          ...listing,
          itemId: unique("I"),
          skuId: unique("K"),
          status: "live",
        };
        this.items.set(made.itemId, made);
        return remote(made);
      },
      auth,
    );

  updateListing = (auth: ShopAuth, ref: ListingRef, listing: ListingInput) =>
    this.#does(
      "updateListing",
      ref.sku,
      () => {
        const { priceIdr: _price, stock: _stock, ...content } = listing;
        Object.assign(this.#live(ref), content);
      },
      auth,
    );

  setPrices = (auth: ShopAuth, changes: { ref: ListingRef; priceIdr: number }[]) =>
    this.#lines("setPrices", auth, changes, (item, { priceIdr }) => {
      item.priceIdr = priceIdr;
    });
  setStocks = (auth: ShopAuth, changes: { ref: ListingRef; stock: number }[]) =>
    this.#lines("setStocks", auth, changes, (item, { stock }) => {
      item.stock = stock;
    });
  setListed = (auth: ShopAuth, refs: ListingRef[], listed: boolean) =>
    this.#lines(
      "setListed",
      auth,
      refs.map((ref) => ({ ref })),
      (item) => {
        item.status = listed ? "live" : "unlisted";
      },
    );

  #live(ref: ListingRef): FakeItem {
    const item = this.items.get(ref.itemId);
    if (!item || item.status === "deleted") throw fault("not_found");
    return item;
  }

  #lines<C extends { ref: ListingRef }>(
    name: FakeCall["name"],
    auth: ShopAuth,
    changes: C[],
    act: (item: FakeItem, change: C) => void,
  ): Promise<BatchOutcome[]> {
    const one = changes.length === 1 ? (changes[0]?.ref.sku ?? null) : null;
    const apply = (change: C): BatchOutcome => {
      const { sku } = change.ref;
      const refused = this.faults.line?.(name, sku);
      if (refused) return { sku, ok: false, ...refused };
      const item = this.items.get(change.ref.itemId);
      if (!item || item.status === "deleted") {
        return { sku, ok: false, fault: "not_found", reason: "tidak ada" };
      }
      act(item, change);
      return { sku, ok: true };
    };
    return this.#does(name, one, () => changes.map(apply), auth);
  }

  /** Two to a page, so that there is more than one. */
  listOrders = (auth: ShopAuth, span: { since: Date; until: Date; cursor?: string | null }) =>
    this.#does(
      "listOrders",
      null,
      () => {
        const at = Number(span.cursor ?? 0);
        const changed = [...this.orders.values()].filter(
          ({ updatedAt }) =>
            updatedAt !== null && updatedAt >= span.since && updatedAt <= span.until,
        );
        const next = at + 2;
        const orders = changed
          .slice(at, next)
          .map(({ orderId, status, updatedAt }) => ({ orderId, status, updatedAt }));
        return { orders, cursor: next < changed.length ? String(next) : null };
      },
      auth,
    );

  getOrders = (auth: ShopAuth, ids: string[]) =>
    this.#does(
      "getOrders",
      null,
      () => ids.flatMap((id) => this.orders.get(id) ?? []).map((order) => structuredClone(order)),
      auth,
    );

  /** Signed by its shop's id. */
  parsePush: MarketplaceClient["parsePush"] = async ({ authorization, rawBody }) => {
    if (authorization !== `signed ${this.shopId}`) return null;
    const { key, event } = JSON.parse(rawBody);
    return { key, shopId: this.shopId, at: null, signedWith: "app", event };
  };
}

const remote = (item: FakeItem): RemoteListing => ({
  itemId: item.itemId,
  skuId: item.skuId,
  sku: item.sku,
  status: item.status,
  priceIdr: item.priceIdr,
  stock: item.stock,
  warnings: [],
});
