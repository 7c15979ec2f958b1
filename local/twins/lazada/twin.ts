import { marketHands } from "../common/market/hands.ts";
import { Market, type MarketOptions, type Platform } from "../common/market/market.ts";
import { marketPage } from "../common/market/pages.ts";
import type { Delivery } from "../common/outbox.ts";
import { startTwinServer } from "../common/server.ts";
import { bad } from "./answers.ts";
import { authRoutes, sellerReturn } from "./auth.ts";
import { catalogueRoutes } from "./catalogue.ts";
import { guard, sellerOf } from "./guard.ts";
import { itemRoutes } from "./items.ts";
import { type LazadaKeys, renderPush } from "./push.ts";
import { readRoutes } from "./reads.ts";

export interface LazadaTwin {
  url: string;
  port: number;
  market: Market;
  /** Every delivery about an order, product or shop, or all of them. */
  notices(subject?: string): Delivery[];
  stop(): Promise<void>;
}

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

function platform(keys: LazadaKeys): Platform {
  return {
    name: "Lazada",
    lives: {
      codeMs: 30 * minuteMs,
      accessMs: 10 * dayMs,
      refreshMs: 50 * dayMs,
      graceMs: 0,
      rotates: false,
    },
    // Only the rate of prices and stock is published (lazada.md section 5).
    rates: { all: 10, stock: 50 },
    retry: {
      spacingMs: Array.from({ length: 12 }, () => 30 * minuteMs),
      retriesAfter: () => 12,
      timeoutMs: 500,
      hops: 0,
      accepts: (status) => status === 200,
    },
    shopId: (n) => String(400_100_000 + n),
    productId: (n) => String(7_406_000_000 + n),
    skuId: (n) => String(13_440_000_000 + n),
    // Order items take the numbers between.
    orderId: (n) => String(260_422_000_000_000 + n * 1000),
    render: (event, _url, now, forged) => renderPush(keys, event, now, forged),
  };
}

/**
 * A strict local Lazada: authorisation, signed form calls, image hosting, products, orders, signed pushes that want 200
 * within half a second, and faults on demand (`PUT /_dials`). Written from the provider's facts alone.
 */
export async function startLazadaTwin(
  options: MarketOptions & LazadaKeys & { port?: number },
): Promise<LazadaTwin> {
  const market = new Market(platform(options), options);
  const server = await startTwinServer({
    name: "Lazada",
    port: options.port ?? 0,
    dials: market.dials,
    timers: market.timers,
    maxBodyBytes: 5 * 1024 * 1024,
    routes: {
      ...authRoutes(market, options),
      ...catalogueRoutes(market),
      ...itemRoutes(market),
      ...readRoutes(market),
      ...marketHands(market, (shop, code, body) => sellerReturn(market, shop, code, body)),
      ...market.own.routes(),
      "GET /": marketPage(market),
    },
    subjectOf: (request) => sellerOf(market, request),
    guard: (request, next) => guard(market, options, request, next),
    notFound: () => bad("InvalidApiPath", "Invalid API path"),
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
