import type { Context, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import type { ApiEnv } from "./api.ts";
import { callerAddress } from "./caller.ts";
import { AppError } from "./errors.ts";
import { familyOf } from "./families.ts";

/** The bucket that took a route's last request, of those that its addresses are spread over. */
const turns = new Map<string, number>();

/** Public reads that every app in a live asks for every few seconds; a mobile carrier has many apps behind one address. */
const POLLED = [
  "/api/live-session/:roomId/viewers",
  "/api/api/live-session/:roomId/viewers",
  "/api/live-messages/:roomId",
  "/api/hosts/live",
  "/api/hosts/hot",
];
/** How many buckets an address has of a route; of the panel dialect for 6,000, the most that a reseller's key allows. */
const SHARES = new Map([...POLLED.map((route) => [route, 10] as const), ["/api/v2", 4]]);

/**
 * 100 requests a minute per address on the `{data,error,meta}` paths; 1,500 per address and route elsewhere, 15,000 of
 * what apps poll in a live, 6,000 of a reseller's panel; providers' notices are exempt. The address is the platform's own
 * `cf-connecting-ip`, which a caller cannot choose. The bindings' figures are fixed at deploy time, so what may be asked
 * for more often has its address spread over more buckets, and RATE_LIMIT_FACTOR spreads all (demos and benchmarks).
 */
export const rateLimit: MiddlewareHandler<ApiEnv> = async (c, next) => {
  const { path } = c.req;
  if (!isNotice(path)) {
    const family = familyOf(path).name;
    const whole = family === "market" || family === "auth";
    const limiter = whole ? c.env.API_LIMIT : c.env.ROUTE_LIMIT;
    const route = routeOf(c);
    const shares = SHARES.get(route) ?? 1;
    const buckets = c.var.ctx.config.RATE_LIMIT_FACTOR * shares;
    const bucket = bucketOf(callerAddress(c), route, buckets);
    const { success } = await limiter.limit({ key: whole ? bucket : `${bucket} ${route}` });
    if (!success) throw new AppError("rate_limited", "");
  }
  await next();
};

const isNotice = (path: string) =>
  path.startsWith("/api/webhooks/") || path === "/api/payment/callback";

/** The bucket that counts an address's next request of a route, of the many that it may be spread over. */
export function bucketOf(address: string, route: string, buckets: number): string {
  if (buckets === 1) return address;
  const turn = ((turns.get(route) ?? 0) + 1) % buckets;
  turns.set(route, turn);
  return `${address}/${turn}`;
}

/**
 * The pattern of the route that will answer: asking row by row is one bucket, and so is asking for what is not there. A panel
 * that is set up with a slash at the end asks the same route.
 */
function routeOf(c: Context<ApiEnv>): string {
  const bare = c.req.path.replace(/\/$/, "");
  const matched = matchedRoutes(c).find(({ method }) => method !== "ALL")?.path;
  return matched ?? (SHARES.has(bare) ? bare : "none");
}
