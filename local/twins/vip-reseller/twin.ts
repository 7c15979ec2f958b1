import type { Delivery } from "../common/outbox.ts";
import { json, startTwinServer, type TwinRequest } from "../common/server.ts";
import { endpoint, refused } from "./calls.ts";
import { Vip, type VipOptions } from "./engine.ts";
import { readable } from "./form.ts";
import { handRoutes } from "./hands.ts";
import { nicknameCodes } from "./nicknames.ts";
import { orderPage } from "./pages.ts";
import type { VipState } from "./state.ts";

export interface VipResellerTwin {
  url: string;
  port: number;
  state: VipState;
  /** Every delivery of one order's notices, or all of them. */
  notices(trxid?: string): Delivery[];
  stop(): Promise<void>;
}

/** So many arrivals are remembered. */
const MOST_ARRIVALS = 10_000;

/** The fields readable, and what is known about the order that they name. */
function subjectOf(vip: Vip, request: TwinRequest): string {
  const said = readable(request);
  const order = said.split("\n").map((value) => vip.state.orders.get(value));
  const known = order.find((one) => one !== undefined);
  return known ? `${said}\n${vip.textOf(known)}` : said;
}

/**
 * A strict local VIP-Reseller: profile, game-feature, prepaid, social-media, orders that move by
 * themselves, signed notices, and faults on demand (`PUT /_dials`). It knows no idempotency key, so a
 * repeated order buys twice, as it does there. Written from the provider's facts alone.
 */
export async function startVipResellerTwin(
  options: VipOptions & { port?: number },
): Promise<VipResellerTwin> {
  const vip = new Vip(options);
  const arrivals: number[] = [];
  const server = await startTwinServer({
    name: "VIP-Reseller",
    port: options.port ?? 0,
    dials: vip.dials,
    timers: vip.timers,
    routes: {
      "POST /api/profile": endpoint(vip, "profile"),
      "POST /api/prepaid": endpoint(vip, "prepaid"),
      "POST /api/game-feature": endpoint(vip, "game-feature"),
      "POST /api/social-media": endpoint(vip, "social-media"),
      "GET /api/nickname-game-code.txt": () => ({
        status: 200,
        headers: { "content-type": "text/plain; charset=utf-8" },
        body: `${nicknameCodes.join("\n")}\n`,
      }),
      ...handRoutes(vip),
      ...vip.own.routes(),
      // When calls came, in ms of a clock that only goes forward: what a supplier that counts them sees.
      "GET /_arrivals": () => json(200, arrivals),
      "GET /": orderPage(vip),
    },
    aside: async ({ path }) => {
      if (path.startsWith("/api/")) arrivals.push(performance.now());
      if (arrivals.length > MOST_ARRIVALS) arrivals.shift();
      return null;
    },
    subjectOf: (request) => subjectOf(vip, request),
    guard: (_request, next) => next(),
    notFound: () => refused("Request not detected.", {}),
  });
  return {
    url: server.url,
    port: server.port,
    state: vip.state,
    notices: (trxid) => vip.outbox.list(trxid),
    stop: async () => {
      vip.outbox.stop();
      await server.stop();
    },
  };
}
