import type { Json } from "../common/fields.ts";
import type { Shop } from "../common/market/goods.ts";
import type { Market } from "../common/market/market.ts";
import { agreed, consentPage } from "../common/market/pages.ts";
import type { Grant } from "../common/market/tokens.ts";
import {
  controlBody,
  type Handler,
  htmlAnswer,
  type TwinAnswer,
  type TwinRequest,
} from "../common/server.ts";
import { bad, goodFlat } from "./answers.ts";
import { parameter } from "./parameters.ts";
import type { LazadaKeys } from "./push.ts";

function isUrl(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text);
}

/** Where the seller's browser goes: the code and the state, but no seller id. */
export function sellerReturn(market: Market, _shop: Shop, code: string, body: Json): URL | null {
  const target = String(body.redirect_uri ?? "") || market.redirectUrl;
  if (!isUrl(target)) return null;
  const url = new URL(target);
  url.searchParams.set("code", code);
  if (body.state !== undefined) url.searchParams.set("state", String(body.state));
  return url;
}

function tokens(market: Market, grant: Grant, listName: string): TwinAnswer {
  const seconds = (until: number) => Math.round((until - market.clock()) / 1000);
  const name = market.goods.shops.get(grant.shopId)?.name ?? "";
  const seller = {
    country: "id",
    user_id: `10${grant.shopId}`,
    seller_id: grant.shopId,
    short_code: `ID${grant.shopId}`,
  };
  return goodFlat({
    access_token: grant.accessToken,
    expires_in: seconds(grant.accessUntil),
    refresh_token: grant.refreshToken,
    refresh_expires_in: seconds(grant.refreshUntil),
    country: "id",
    [listName]: [seller],
    account: `${name.toLowerCase().replaceAll(/\W+/g, "-")}@example.com`,
    account_platform: "seller_center",
  });
}

function create(market: Market, request: TwinRequest): TwinAnswer {
  const found = market.tokens.redeem(parameter(request, "code"));
  if (found?.state !== "live") return bad("InvalidCode", "Invalid authorization code");
  return tokens(market, market.tokens.grant(found.shopId), "country_user_info");
}

function refresh(market: Market, request: TwinRequest): TwinAnswer {
  const token = parameter(request, "refresh_token");
  const found = market.tokens.findRefresh(token);
  if (found?.state !== "live") {
    return bad("IllegalRefreshToken", "The specified refresh token is invalid or expired");
  }
  return tokens(market, market.tokens.refresh(token, found.shopId), "country_user_info_list");
}

/** lazada.md section 1: everything in the link must be right, the callback to the letter. */
function authorisePage(market: Market, keys: LazadaKeys): Handler {
  const refuse = (words: string) => htmlAnswer(`<!doctype html><p>${words}</p>`, 400);
  return (request) => {
    const { query } = request;
    const callback = query.get("redirect_uri") ?? "";
    if (query.get("client_id") !== keys.appKey) return refuse("client_id is wrong");
    if (query.get("response_type") !== "code") return refuse("response_type must be code");
    if (query.get("force_auth") !== "true") return refuse("force_auth must be true");
    if (!isUrl(callback)) return refuse("redirect_uri is no address");
    if (market.redirectUrl && callback !== market.redirectUrl) {
      return refuse("redirect_uri is not the callback of the app");
    }
    return consentPage(market, request, "/_agree")(request);
  };
}

export function authRoutes(market: Market, keys: LazadaKeys): Record<string, Handler> {
  return {
    "GET /oauth/authorize": authorisePage(market, keys),
    "POST /_agree": (request) => {
      const body = controlBody(request);
      const shop = market.goods.shops.get(String(body.shop_id ?? "")) ?? market.newShop("");
      const code = market.authorise(shop);
      return agreed(market, sellerReturn(market, shop, code, body), code);
    },
    "GET /rest/auth/token/create": (request) => create(market, request),
    "POST /rest/auth/token/create": (request) => create(market, request),
    "GET /rest/auth/token/refresh": (request) => refresh(market, request),
    "POST /rest/auth/token/refresh": (request) => refresh(market, request),
  };
}
