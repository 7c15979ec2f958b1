import type { MiddlewareHandler } from "hono";
import type { ApiEnv } from "./api.ts";
import { AppError } from "./errors.ts";
import { familyOf } from "./families.ts";

let turn = 0;

/**
 * 100 requests a minute per address on the `{data,error,meta}` paths; webhooks are exempt. The address is the
 * platform's own `cf-connecting-ip`, which a caller cannot choose. The binding's figure is fixed at deploy time,
 * so RATE_LIMIT_FACTOR spreads an address over that many buckets (demos and benchmarks).
 */
export const rateLimit: MiddlewareHandler<ApiEnv> = async (c, next) => {
  const { path } = c.req;
  const family = familyOf(path).name;
  if ((family === "market" || family === "auth") && !path.startsWith("/api/webhooks/")) {
    const address = c.req.header("cf-connecting-ip") ?? "unknown";
    const factor = c.var.ctx.config.RATE_LIMIT_FACTOR;
    turn = (turn + 1) % factor;
    const key = factor === 1 ? address : `${address}/${turn}`;
    const { success } = await c.env.API_LIMIT.limit({ key });
    if (!success) throw new AppError("rate_limited", "");
  }
  await next();
};
