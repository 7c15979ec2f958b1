import { randomBytes } from "node:crypto";
import { type Clock, Timers } from "../clock.ts";
import { Dials } from "../dials.ts";
import { firstNumber } from "../first-number.ts";
import { type Delivery, type Notice, Outbox, type Rendered, type RetryRule } from "../outbox.ts";
import { OwnDials } from "../own-dials.ts";
import { Goods, type Order, type Product, type Shop, type Sku, type Stage } from "./goods.ts";
import type { ImageFacts } from "./image.ts";
import { Rates } from "./rate.ts";
import { TokenBook, type TokenLives } from "./tokens.ts";

const dialMeanings = {
  storm:
    "a call is over the rate: the platform's own answer, with this HTTP status if it is a number",
  errorInside: "a call is answered 200 with this error code and does not act, unless acts is true",
  halfBatch: "every second item of a batch fails, with this reason",
  expireToken: "a call's access token has expired",
  revokeToken: "a call's seller has cut the connection",
  callsPerSecond: "a shop may make so many calls a second",
  categoryCycle: "the category tree has a cycle",
  lateIndexMs: "a new product is not found by its SKU for so long",
  reviewMs: "TikTok Shop: the wait before a new product is live (300)",
  badImage: "an uploaded image is refused, with this reason",
} as const;

export type MarketDial = keyof typeof dialMeanings;

/** What a push tells of. */
export type MarketEvent =
  | { kind: "order"; shop: Shop; order: Order }
  | { kind: "product"; shop: Shop; product: Product }
  | { kind: "authorised" | "revoked" | "expiring"; shop: Shop };

/** What differs between the marketplaces beneath their calls. */
export interface Platform {
  name: string;
  lives: TokenLives;
  /** Calls a second that a shop may make, by the kind of call. */
  rates: Readonly<Record<string, number>>;
  retry: RetryRule;
  shopId(n: number): string;
  productId(n: number): string;
  skuId(n: number): string;
  orderId(n: number, now: number): string;
  /** Body and headers of a push as of now. */
  render(event: MarketEvent, url: string, now: number, forged: boolean): Rendered;
}

export interface MarketOptions {
  /** The one address of the app that pushes go to and, where the platform does so, are signed for. */
  pushUrl?: string;
  /** Keep pushes instead of sending them: read them from `/_notices` (tests). */
  keepPushes?: boolean;
  /** Where a seller returns to when the authorise link does not say, or must equal what it says. */
  redirectUrl?: string;
  /** Calls a second for each shop and kind, instead of the platform's. */
  callsPerSecond?: number;
  clock?: Clock;
}

export interface CallCount {
  all: number;
  limited: number;
}

/** What the three marketplaces have in common: shops, tokens, goods, orders, pushes, faults and limits. */
export class Market {
  readonly goods = new Goods();
  readonly dials = new Dials();
  readonly own = new OwnDials<MarketDial>(this.dials, dialMeanings);
  readonly timers = new Timers();
  readonly rates = new Rates();
  readonly images = new Map<string, ImageFacts>();
  /** By shop, then by path. */
  readonly calls = new Map<string, Map<string, CallCount>>();
  readonly options: MarketOptions;
  readonly platform: Platform;
  readonly tokens: TokenBook;
  readonly outbox: Outbox;
  /** Known once the server listens. */
  url = "";
  redirectUrl: string;
  shiftMs = 0;
  private made = 0;
  private readonly first = firstNumber();

  constructor(platform: Platform, options: MarketOptions) {
    this.platform = platform;
    this.options = options;
    this.redirectUrl = options.redirectUrl ?? "";
    this.tokens = new TokenBook(this.clock, platform.lives);
    this.outbox = new Outbox(this.dials, this.timers, this.clock, platform.retry);
  }

  readonly clock: Clock = () => (this.options.clock ?? Date.now)() + this.shiftMs;

  seconds(): number {
    return Math.floor(this.clock() / 1000);
  }

  number(): number {
    this.made += 1;
    return this.first + this.made;
  }

  newShop(name: string): Shop {
    const id = this.platform.shopId(this.number());
    const cipher = `ROW_${randomBytes(12).toString("base64url")}`;
    const shop = { id, name: name || `Toko ${this.made}`, cipher, authorisedAt: null };
    this.goods.shops.set(id, shop);
    return shop;
  }

  /** The seller agrees: a code to be exchanged. */
  authorise(shop: Shop): string {
    shop.authorisedAt = this.clock();
    void this.push({ kind: "authorised", shop });
    return this.tokens.code(shop.id);
  }

  /** The seller cuts the connection. */
  async revoke(shop: Shop): Promise<Delivery> {
    this.tokens.revoke(shop.id);
    shop.authorisedAt = null;
    return await this.push({ kind: "revoked", shop });
  }

  newSku(fields: { sellerSku: string; price: number; stock: number }): Sku {
    const n = this.number();
    return { ...fields, id: this.platform.skuId(n), shopSku: "", held: 0, locked: 0 };
  }

  newProduct(fields: Omit<Product, "id" | "createdAt" | "updatedAt">): Product {
    const now = this.clock();
    const id = this.platform.productId(this.number());
    const product = { ...fields, id, createdAt: now, updatedAt: now };
    for (const sku of product.skus) sku.shopSku = `${id}_ID-${sku.id}`;
    this.goods.add(product);
    return product;
  }

  touch(product: Product): void {
    product.updatedAt = this.clock();
  }

  /** Whether a search by SKU already sees a product. */
  isIndexed(product: Product): boolean {
    const wait = this.own.number("lateIndexMs", `${product.shopId}\n${product.name}`, 0);
    return this.clock() >= product.createdAt + wait;
  }

  keepImage(facts: ImageFacts): string {
    const id = `id-${randomBytes(16).toString("hex")}`;
    this.images.set(id, facts);
    return id;
  }

  async buy(
    shop: Shop,
    wanted: { product: Product; sku: Sku; quantity: number }[],
    paid: boolean,
  ): Promise<Order> {
    const now = this.clock();
    const order = this.goods.open(
      this.platform.orderId(this.number(), now),
      shop.id,
      wanted,
      paid,
      now,
    );
    await this.soon(this.push({ kind: "order", shop, order }));
    return order;
  }

  async move(order: Order, to: Stage): Promise<void> {
    this.goods.move(order, to, this.clock());
    const shop = this.goods.shops.get(order.shopId);
    if (shop) await this.soon(this.push({ kind: "order", shop, order }));
  }

  /** A hand waits this long for the first delivery of its push, so that a test need not poll. */
  async soon(sent: Promise<unknown>): Promise<void> {
    await Promise.race([sent, this.timers.wait(2000)]);
  }

  noticeOf(event: MarketEvent, url: string): Notice {
    const signedFor = url || this.options.pushUrl || "";
    return {
      subject: subjectOf(event),
      event: event.kind,
      url,
      text: event.shop.id,
      render: (forged) => this.platform.render(event, signedFor, this.clock(), forged),
    };
  }

  push(event: MarketEvent): Promise<Delivery> {
    const { pushUrl = "", keepPushes = false } = this.options;
    return this.outbox.send(this.noticeOf(event, keepPushes ? "" : pushUrl));
  }

  count(shopId: string, path: string): CallCount {
    const paths = this.calls.get(shopId) ?? new Map<string, CallCount>();
    this.calls.set(shopId, paths);
    const count = paths.get(path) ?? { all: 0, limited: 0 };
    paths.set(path, count);
    return count;
  }
}

function subjectOf(event: MarketEvent): string {
  if (event.kind === "order") return event.order.id;
  return event.kind === "product" ? event.product.id : event.shop.id;
}
