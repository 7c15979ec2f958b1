import type { MiddlewareHandler } from "hono";
import type { ApiEnv } from "../../../shared/http/api.ts";

/** Of answers that are the same for everybody and that apps ask for every few seconds: a cache may answer some of them. */
export const polled: MiddlewareHandler<ApiEnv> = async (c, next) => {
  await next();
  if (c.res.ok) c.header("cache-control", "public, max-age=2");
};
