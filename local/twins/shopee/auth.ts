import { isObject, type Json, parseJson } from "../common/fields.ts";
import type { Shop } from "../common/market/goods.ts";
import type { Market } from "../common/market/market.ts";
import { agreed, consentPage } from "../common/market/pages.ts";
import type { Grant } from "../common/market/tokens.ts";
import { controlBody, type Handler, htmlAnswer, type TwinRequest } from "../common/server.ts";
import { bad, good, goodFlat } from "./answers.ts";
import { type ShopeeKeys, wrongSignature } from "./guard.ts";

function bodyOf(request: TwinRequest): Json {
  const body = parseJson(request.raw);
  return isObject(body) ? body : {};
}

function isUrl(text: string | null): text is string {
  return text !== null && /^https?:\/\//.test(text) && URL.canParse(text);
}

/** Where the seller's browser goes with the code: `code` and `shop_id` on the asked address, and the state. */
export function sellerReturn(market: Market, shop: Shop, code: string, body: Json): URL | null {
  const target = String(body.redirect_uri ?? body.redirect ?? "") || market.redirectUrl;
  if (!isUrl(target)) return null;
  const url = new URL(target);
  url.searchParams.set("code", code);
  url.searchParams.set("shop_id", shop.id);
  if (body.state !== undefined) url.searchParams.set("state", String(body.state));
  return url;
}

function tokens(market: Market, grant: Grant, more: Json): Json {
  return {
    ...more,
    access_token: grant.accessToken,
    refresh_token: grant.refreshToken,
    expire_in: Math.round((grant.accessUntil - market.clock()) / 1000),
  };
}

/** The partner id of the body must be a number, and that of the query. */
function wrongBody(keys: ShopeeKeys, body: Json) {
  if (body.partner_id !== keys.partnerId) return bad("error_param", "Invalid partner_id.");
  if (!Number.isInteger(body.shop_id)) {
    return bad("error_param", "shop_id is invalid, should be an integer.");
  }
  return null;
}

function getToken(market: Market, keys: ShopeeKeys, request: TwinRequest) {
  const body = bodyOf(request);
  const wrong = wrongBody(keys, body);
  if (wrong) return wrong;
  const { code } = body;
  if (typeof code !== "string") return bad("error_param", "There is no code.");
  const found = market.tokens.redeem(code);
  if (found?.state !== "live") return bad("invalid_code", "Invalid code.");
  if (found.shopId !== String(body.shop_id)) return bad("invalid_shop_id", "Invalid shop_id.");
  return goodFlat(tokens(market, market.tokens.grant(found.shopId), {}));
}

function refresh(market: Market, keys: ShopeeKeys, request: TwinRequest) {
  const body = bodyOf(request);
  const wrong = wrongBody(keys, body);
  if (wrong) return wrong;
  const token = typeof body.refresh_token === "string" ? body.refresh_token : "";
  const found = market.tokens.findRefresh(token);
  if (!found || found.state === "used") return bad("error_auth", "Invalid refresh_token.", 403);
  if (found.shopId !== String(body.shop_id)) {
    return bad("error_shop_refresh_token", "The refresh_token is not of this shop.", 403);
  }
  if (found.state === "revoked")
    return bad("shop_no_linked", "Partner and shop has no linked.", 403);
  if (found.state === "expired") return bad("refresh_token_expired", "refresh_token expired.", 403);
  const more = { partner_id: keys.partnerId, shop_id: body.shop_id };
  return goodFlat(tokens(market, market.tokens.refresh(token, found.shopId), more));
}

/** The current link is unsigned, the older one signed; both end on the same page. */
function authorisePages(market: Market, keys: ShopeeKeys): Record<string, Handler> {
  const refuse = (words: string) => htmlAnswer(`<!doctype html><p>${words}</p>`, 400);
  return {
    "GET /auth": (request) => {
      const { query } = request;
      if (query.get("partner_id") !== String(keys.partnerId)) return refuse("partner_id is wrong");
      if (query.get("auth_type") !== "seller") return refuse("auth_type must be seller");
      if (query.get("response_type") !== "code") return refuse("response_type must be code");
      if (!isUrl(query.get("redirect_uri"))) return refuse("redirect_uri is no address");
      return consentPage(market, request, "/_agree")(request);
    },
    "GET /api/v2/shop/auth_partner": (request) => {
      const wrong = wrongSignature(market, keys, request, []);
      if (wrong) return wrong;
      if (!isUrl(request.query.get("redirect"))) return refuse("redirect is no address");
      return consentPage(market, request, "/_agree")(request);
    },
    "POST /_agree": (request) => {
      const body = controlBody(request);
      const known = market.goods.shops.get(String(body.shop_id ?? ""));
      const shop = known ?? market.newShop("");
      const code = market.authorise(shop);
      return agreed(market, sellerReturn(market, shop, code, body), code);
    },
  };
}

export function authRoutes(market: Market, keys: ShopeeKeys): Record<string, Handler> {
  return {
    ...authorisePages(market, keys),
    "POST /api/v2/auth/token/get": (request) => getToken(market, keys, request),
    "POST /api/v2/auth/access_token/get": (request) => refresh(market, keys, request),
    "GET /api/v2/public/get_shops_by_partner": () => {
      const shops = [...market.goods.shops.values()].filter((shop) => shop.authorisedAt !== null);
      const list = shops.slice(0, 100).map((shop) => {
        const since = Math.floor((shop.authorisedAt ?? 0) / 1000);
        return {
          shop_id: Number(shop.id),
          region: "ID",
          auth_time: since,
          expire_time: since + 365 * 86_400,
        };
      });
      return goodFlat({ authed_shop_list: list, more: shops.length > 100 });
    },
    "GET /api/v2/shop/get_shop_info": ({ query }) => {
      const shop = market.goods.shops.get(query.get("shop_id") ?? "");
      const since = Math.floor((shop?.authorisedAt ?? 0) / 1000);
      return shop
        ? goodFlat({
            shop_name: shop.name,
            region: "ID",
            status: "NORMAL",
            auth_time: since,
            expire_time: since + 365 * 86_400,
          })
        : good({});
    },
  };
}
