import { type FaultForms, withMarketFaults } from "../common/market/faults.ts";
import type { Market } from "../common/market/market.ts";
import type { TwinAnswer, TwinRequest } from "../common/server.ts";
import { bad } from "./answers.ts";
import { isSame, requestSign } from "./signature.ts";

export interface ShopeeKeys {
  partnerId: number;
  partnerKey: string;
}

/** shopee.md section 4: signed without token and shop. */
const publicPaths = new Set([
  "/api/v2/auth/token/get",
  "/api/v2/auth/access_token/get",
  "/api/v2/media_space/upload_image",
  "/api/v2/public/get_shops_by_partner",
]);

const windowSeconds = 300;

const invalidToken = () =>
  bad("invalid_acceess_token", "Invalid access_token, please have a check.", 403);
const notLinked = () => bad("shop_no_linked", "Partner and shop has no linked.", 403);

const forms: FaultForms = {
  limited: (_waitMs, status) =>
    bad(
      "error_rate_limit",
      "Too many requests. You have reached the rate limit. Please try again later.",
      status ?? 200,
    ),
  inside: (code) => bad(code ?? "error_server", "Something wrong. Please try later."),
  expired: invalidToken,
  revoked: notLinked,
};

function wrongPartner(keys: ShopeeKeys, given: string | null): TwinAnswer | null {
  if (!given) return bad("error_param", "There is no partner_id in query.", 403);
  if (given === String(keys.partnerId)) return null;
  return bad("invalid_partner_id", "Invalid partner_id, please have a check.", 403);
}

function wrongTime(market: Market, given: string | null): TwinAnswer | null {
  if (!given) return bad("error_param", "no timestamp.", 403);
  if (!/^\d{10}$/.test(given)) return bad("error_param", "Invalid timestamp", 403);
  const off = Math.abs(market.seconds() - Number(given));
  return off <= windowSeconds ? null : bad("error_param", "Timestamp is expired.", 403);
}

/** What is wrong with the query's common parameters, its signature last. */
export function wrongSignature(
  market: Market,
  keys: ShopeeKeys,
  request: TwinRequest,
  tail: readonly string[],
): TwinAnswer | null {
  const { query } = request;
  const wrong =
    wrongPartner(keys, query.get("partner_id")) ?? wrongTime(market, query.get("timestamp"));
  if (wrong) return wrong;
  const sign = query.get("sign");
  if (!sign) return bad("error_param", "There is no sign in query.", 403);
  const parts = [String(keys.partnerId), request.path, query.get("timestamp") ?? "", ...tail];
  return isSame(sign, requestSign(keys.partnerKey, parts))
    ? null
    : bad("error_sign", "Wrong sign.", 403);
}

function wrongToken(market: Market, token: string, shopId: string): TwinAnswer | null {
  const found = market.tokens.findAccess(token);
  if (!found || found.state === "expired" || found.state === "used") return invalidToken();
  if (found.shopId !== shopId) return bad("error_auth", "Invalid partner_id or shopid.", 403);
  return found.state === "revoked" ? notLinked() : null;
}

/** A shop call: common parameters, signature, token, then the shop's rate and what the dials say. */
async function guardShop(
  market: Market,
  keys: ShopeeKeys,
  request: TwinRequest,
  next: () => Promise<TwinAnswer>,
): Promise<TwinAnswer> {
  const token = request.query.get("access_token");
  const shopId = request.query.get("shop_id");
  if (!token) return bad("error_param", "There is no access_token in query.", 403);
  if (!shopId) return bad("error_param", "There is no shop_id in query.", 403);
  if (!/^\d+$/.test(shopId)) {
    return bad("error_param", "shop_id is invalid, should be an integer.", 403);
  }
  const wrong =
    wrongSignature(market, keys, request, [token, shopId]) ?? wrongToken(market, token, shopId);
  return wrong ?? (await withMarketFaults(market, request, shopId, "all", forms, next));
}

/** Who may call what, as shopee.md sections 4 and 6 say. */
export async function guard(
  market: Market,
  keys: ShopeeKeys,
  request: TwinRequest,
  next: () => Promise<TwinAnswer>,
): Promise<TwinAnswer> {
  const signedLink = request.path === "/api/v2/shop/auth_partner";
  if (!request.path.startsWith("/api/v2/") || signedLink) return await next();
  if (!publicPaths.has(request.path)) return await guardShop(market, keys, request, next);
  const wrong = wrongSignature(market, keys, request, []);
  return wrong ?? (await withMarketFaults(market, request, "public", "public", forms, next));
}
