import type { Json } from "../common/fields.ts";
import type { Shop } from "../common/market/goods.ts";
import type { Market } from "../common/market/market.ts";
import { agreed, consentPage } from "../common/market/pages.ts";
import type { Found, Grant } from "../common/market/tokens.ts";
import {
  controlBody,
  type Handler,
  htmlAnswer,
  type TwinAnswer,
  type TwinRequest,
} from "../common/server.ts";
import { bad, codes, good } from "./answers.ts";
import { shopOf } from "./guard.ts";
import type { TiktokKeys } from "./push.ts";

export interface TiktokOptions extends TiktokKeys {
  serviceId: string;
}

const scopes = [
  "seller.product.basic",
  "seller.product.write",
  "seller.order.info",
  "seller.authorization.info",
  "seller.logistics",
];

/** Where the seller's browser goes: the address registered with the service, never one from the link. */
export function sellerReturn(market: Market, appKey: string, code: string, body: Json): URL | null {
  const target = market.redirectUrl || String(body.redirect_uri ?? "");
  if (!/^https?:\/\//.test(target) || !URL.canParse(target)) return null;
  const url = new URL(target);
  url.searchParams.set("app_key", appKey);
  url.searchParams.set("code", code);
  url.searchParams.set("locale", "id-ID");
  url.searchParams.set("shop_region", "ID");
  if (body.state !== undefined) url.searchParams.set("state", String(body.state));
  return url;
}

/** The `expire_in` are moments, not durations. */
function pair(market: Market, grant: Grant): TwinAnswer {
  const shop = market.goods.shops.get(grant.shopId);
  return good({
    access_token: grant.accessToken,
    access_token_expire_in: Math.floor(grant.accessUntil / 1000),
    refresh_token: grant.refreshToken,
    refresh_token_expire_in: Math.floor(grant.refreshUntil / 1000),
    open_id: `open-${grant.shopId}`,
    seller_name: shop?.name ?? "",
    seller_base_region: "ID",
    user_type: 0,
    granted_scopes: scopes,
  });
}

function wrongApp(keys: TiktokKeys, { query }: TwinRequest, grantType: string): TwinAnswer | null {
  const isKnown =
    query.get("app_key") === keys.appKey && query.get("app_secret") === keys.appSecret;
  if (!isKnown) return bad(codes.badGrant, "app_key or app_secret is invalid");
  if (query.get("grant_type") === grantType) return null;
  return bad(codes.badGrant, `grant_type must be ${grantType}`);
}

const whyNot = (what: string, found: Found | null) =>
  bad(codes.badGrant, `${what} is ${found === null ? "invalid" : found.state}`);

function getToken(market: Market, keys: TiktokKeys, request: TwinRequest): TwinAnswer {
  const wrong = wrongApp(keys, request, "authorized_code");
  if (wrong) return wrong;
  const found = market.tokens.redeem(request.query.get("auth_code") ?? "");
  if (found?.state !== "live") return whyNot("auth_code", found);
  return pair(market, market.tokens.grant(found.shopId));
}

function refresh(market: Market, keys: TiktokKeys, request: TwinRequest): TwinAnswer {
  const wrong = wrongApp(keys, request, "refresh_token");
  if (wrong) return wrong;
  const token = request.query.get("refresh_token") ?? "";
  const found = market.tokens.findRefresh(token);
  if (found?.state !== "live") return whyNot("refresh_token", found);
  return pair(market, market.tokens.refresh(token, found.shopId));
}

export function authRoutes(market: Market, options: TiktokOptions): Record<string, Handler> {
  return {
    "GET /open/authorize": (request) => {
      if (request.query.get("service_id") !== options.serviceId) {
        return htmlAnswer("<!doctype html><p>service_id is wrong</p>", 400);
      }
      return consentPage(market, request, "/_agree")(request);
    },
    "POST /_agree": (request) => {
      const body = controlBody(request);
      const shop: Shop = market.goods.shops.get(String(body.shop_id ?? "")) ?? market.newShop("");
      const code = market.authorise(shop);
      return agreed(market, sellerReturn(market, options.appKey, code, body), code);
    },
    "GET /api/v2/token/get": (request) => getToken(market, options, request),
    "GET /api/v2/token/refresh": (request) => refresh(market, options, request),
    "GET /authorization/202309/shops": (request) => {
      const shop = shopOf(market, request);
      const shops = shop
        ? [
            {
              id: shop.id,
              code: `ID${shop.id.slice(-8)}`,
              name: shop.name,
              region: "ID",
              seller_type: "LOCAL",
              cipher: shop.cipher,
            },
          ]
        : [];
      return good({ shops });
    },
  };
}
