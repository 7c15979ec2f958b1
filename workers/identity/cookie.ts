import type { CookieOptions } from "hono/utils/cookie";
import type { Config } from "../../shared/config/config.ts";

/**
 * How a browser keeps the token: out of scripts' reach, not sent along from other sites, for all stores of the
 * domain. On a laptop's `localhost` browsers keep no cookie for a whole domain, so it stays with the host.
 */
export function sessionCookieOptions(config: Config, requestUrl: string): CookieOptions {
  const { protocol, hostname } = new URL(requestUrl);
  const domain = config.STORE_DOMAIN;
  const shared = domain !== "localhost" && (hostname === domain || hostname.endsWith(`.${domain}`));
  return {
    path: "/",
    httpOnly: true,
    sameSite: "Lax",
    secure: protocol === "https:",
    ...(shared ? { domain } : {}),
  };
}
