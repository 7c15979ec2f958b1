import { marketHands } from "../common/market/hands.ts";
import { Market, type MarketOptions, type Platform } from "../common/market/market.ts";
import { marketPage } from "../common/market/pages.ts";
import type { Delivery } from "../common/outbox.ts";
import { startTwinServer } from "../common/server.ts";
import { bad } from "./answers.ts";
import { authRoutes, sellerReturn } from "./auth.ts";
import { catalogueRoutes } from "./catalogue.ts";
import { guard, type ShopeeKeys } from "./guard.ts";
import { imageRoutes } from "./images.ts";
import { itemRoutes } from "./items.ts";
import { orderRoutes } from "./orders.ts";
import { renderPush } from "./push.ts";
import { readRoutes } from "./reads.ts";

export interface ShopeeOptions extends MarketOptions, ShopeeKeys {
  /** The Push Partner Key of the Console; without it pushes are signed with the partner key. */
  pushKey?: string;
}

export interface ShopeeTwin {
  url: string;
  port: number;
  market: Market;
  /** Every delivery about an order, product or shop, or all of them. */
  notices(subject?: string): Delivery[];
  stop(): Promise<void>;
}

const minuteMs = 60_000;

function platform(pushKey: string): Platform {
  return {
    name: "Shopee",
    lives: {
      codeMs: 10 * minuteMs,
      accessMs: 4 * 60 * minuteMs,
      refreshMs: 30 * 24 * 60 * minuteMs,
      graceMs: 5 * minuteMs,
      rotates: true,
    },
    // No number is published (shopee.md section 6); these are chosen.
    rates: { all: 10, public: 100 },
    retry: {
      spacingMs: [5 * minuteMs, 30 * minuteMs, 180 * minuteMs],
      retriesAfter: () => 3,
      timeoutMs: 3000,
      hops: 0,
      accepts: (status, answer) => status >= 200 && status < 300 && answer === "",
    },
    shopId: (n) => String(14_700_000 + n),
    productId: (n) => String(2_300_000_000 + n),
    skuId: (n) => String(5_000_000_000 + n),
    orderId: (n, now) =>
      new Date(now).toISOString().slice(2, 10).replaceAll("-", "") +
      n.toString(36).toUpperCase().padStart(8, "0"),
    render: (event, url, now, forged) => renderPush(pushKey, event, url, now, forged),
  };
}

/**
 * A strict local Shopee Open Platform v2: authorisation, single-use refresh tokens, signatures, products, orders,
 * signed pushes that want an empty answer, and faults on demand (`PUT /_dials`). Written from the provider's facts alone.
 */
export async function startShopeeTwin(
  options: ShopeeOptions & { port?: number },
): Promise<ShopeeTwin> {
  const market = new Market(platform(options.pushKey ?? options.partnerKey), options);
  const server = await startTwinServer({
    name: "Shopee",
    port: options.port ?? 0,
    dials: market.dials,
    timers: market.timers,
    maxBodyBytes: 12 * 1024 * 1024,
    routes: {
      ...authRoutes(market, options),
      ...catalogueRoutes(market),
      ...imageRoutes(market),
      ...itemRoutes(market),
      ...readRoutes(market),
      ...orderRoutes(market),
      ...marketHands(market, (shop, code, body) => sellerReturn(market, shop, code, body)),
      ...market.own.routes(),
      "GET /": marketPage(market),
    },
    subjectOf: (request) => request.query.get("shop_id") ?? "",
    guard: (request, next) => guard(market, options, request, next),
    notFound: () => bad("error_not_found", "The requested path does not exist.", 404),
  });
  market.url = server.url;
  return {
    url: server.url,
    port: server.port,
    market,
    notices: (subject) => market.outbox.list(subject),
    stop: async () => {
      market.outbox.stop();
      await server.stop();
    },
  };
}
