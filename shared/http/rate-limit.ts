import type { Context, MiddlewareHandler } from "hono";
import type { ApiEnv } from "./api.ts";
import { AppError } from "./errors.ts";
import { familyOf } from "./families.ts";

let turn = 0;

/**
 * 100 requests a minute per address on the `{data,error,meta}` paths; 1,500 per address and route elsewhere, which a
 * household of polling apps does not reach; providers' notices are exempt. The address is the platform's own
 * `cf-connecting-ip`, which a caller cannot choose. The bindings' figures are fixed at deploy time, so
 * RATE_LIMIT_FACTOR spreads an address over that many buckets (demos and benchmarks).
 */
export const rateLimit: MiddlewareHandler<ApiEnv> = async (c, next) => {
  const { path } = c.req;
  if (!isNotice(path)) {
    const family = familyOf(path).name;
    const whole = family === "market" || family === "auth";
    const limiter = whole ? c.env.API_LIMIT : c.env.ROUTE_LIMIT;
    const key = whole ? bucketOf(c) : `${bucketOf(c)} ${routeOf(path)}`;
    const { success } = await limiter.limit({ key });
    if (!success) throw new AppError("rate_limited", "");
  }
  await next();
};

const isNotice = (path: string) =>
  path.startsWith("/api/webhooks/") || path === "/api/payment/callback";

function bucketOf(c: Context<ApiEnv>): string {
  const address = c.req.header("cf-connecting-ip") ?? "unknown";
  const factor = c.var.ctx.config.RATE_LIMIT_FACTOR;
  turn = (turn + 1) % factor;
  return factor === 1 ? address : `${address}/${turn}`;
}

/** The path without its ids: words alone name a route, so asking row by row is one bucket. */
const routeOf = (path: string) =>
  path
    .split("/")
    .filter((part) => /^[a-z][a-z.-]*$/.test(part))
    .join("/");
