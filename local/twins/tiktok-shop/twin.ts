import { marketHands } from "../common/market/hands.ts";
import {
  Market,
  type MarketEvent,
  type MarketOptions,
  type Platform,
} from "../common/market/market.ts";
import { marketPage } from "../common/market/pages.ts";
import type { Delivery } from "../common/outbox.ts";
import { startTwinServer } from "../common/server.ts";
import { bad, codes } from "./answers.ts";
import { authRoutes, sellerReturn, type TiktokOptions } from "./auth.ts";
import { catalogueRoutes } from "./catalogue.ts";
import { guard, shopId } from "./guard.ts";
import { productRoutes } from "./products.ts";
import { renderPush } from "./push.ts";
import { readRoutes } from "./reads.ts";

export interface TiktokShopTwin {
  url: string;
  port: number;
  market: Market;
  /** Every delivery about an order, product or shop, or all of them. */
  notices(subject?: string): Delivery[];
  stop(): Promise<void>;
}

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const hundredYearsMs = 36_500 * dayMs;

function platform(keys: TiktokOptions): Platform {
  const ids = new WeakMap<MarketEvent, string>();
  let told = 0;
  const idOf = (event: MarketEvent) => {
    const known = ids.get(event) ?? String(7_380_066_284_000_000_000n + BigInt(++told));
    ids.set(event, known);
    return known;
  };
  return {
    name: "TikTok Shop / Tokopedia",
    lives: {
      codeMs: 30 * minuteMs,
      accessMs: 7 * dayMs,
      refreshMs: hundredYearsMs,
      graceMs: 0,
      rotates: true,
    },
    // The official starting points (tokopedia.md section 6), at their upper end.
    rates: { write: 3, read: 10 },
    retry: {
      spacingMs: [2, 30, 180, 720].map((minutes) => minutes * minuteMs),
      retriesAfter: () => 4,
      timeoutMs: 3000,
      hops: 0,
      accepts: (status) => status === 200,
    },
    shopId: (n) => String(7_495_540_735_000_000_000n + BigInt(n)),
    productId: (n) => String(1_729_592_969_000_000_000n + BigInt(n)),
    skuId: (n) => String(1_729_592_970_000_000_000n + BigInt(n)),
    // Line items take the numbers between.
    orderId: (n) => String(576_653_688_000_000_000n + BigInt(n) * 1000n),
    render: (event, _url, now, forged) => renderPush(keys, event, idOf(event), now, forged),
  };
}

/**
 * A strict local TikTok Shop Partner API, which is Tokopedia today: authorisation, signed calls, image rules, products on
 * both platforms, orders, signed pushes, and faults on demand (`PUT /_dials`). Written from the provider's facts alone.
 */
export async function startTiktokShopTwin(
  options: MarketOptions & TiktokOptions & { port?: number },
): Promise<TiktokShopTwin> {
  const market = new Market(platform(options), options);
  const server = await startTwinServer({
    name: "TikTok Shop",
    port: options.port ?? 0,
    dials: market.dials,
    timers: market.timers,
    maxBodyBytes: 8 * 1024 * 1024,
    routes: {
      ...authRoutes(market, options),
      ...catalogueRoutes(market),
      ...productRoutes(market),
      ...readRoutes(market),
      ...marketHands(market, (_shop, code, body) =>
        sellerReturn(market, options.appKey, code, body),
      ),
      ...market.own.routes(),
      "GET /": marketPage(market),
    },
    subjectOf: (request) => shopId(market, request),
    guard: (request, next) => guard(market, options, request, next),
    notFound: () => bad(codes.misused, "Invalid path", { status: 404 }),
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
