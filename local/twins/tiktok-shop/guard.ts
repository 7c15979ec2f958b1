import { type FaultForms, withMarketFaults } from "../common/market/faults.ts";
import type { Shop } from "../common/market/goods.ts";
import type { Market } from "../common/market/market.ts";
import type { TwinAnswer, TwinRequest } from "../common/server.ts";
import { bad, codes } from "./answers.ts";
import type { TiktokKeys } from "./push.ts";
import { isSame, requestSign } from "./signature.ts";

const backSeconds = 300;
const aheadSeconds = 30;
/** Calls about the seller, not a shop: a cipher is too much there. */
const withoutCipher = new Set(["/authorization/202309/shops", "/product/202309/images/upload"]);

const expired = () => bad(codes.tokenExpired, "The access token has expired", { status: 401 });
const revoked = () =>
  bad(codes.otherUser, "The seller has cancelled the authorization", { status: 401 });

const forms: FaultForms = {
  limited: (waitMs, status) =>
    bad(codes.throttled, "Too many requests, please try again later", {
      status: status ?? 429,
      headers: { "retry-after": String(Math.ceil(waitMs / 1000)) },
    }),
  inside: (code) => bad(Number(code ?? codes.internal), "Internal error, please try again"),
  expired,
  revoked,
};

function isMultipart(request: TwinRequest): boolean {
  return request.header("content-type")?.startsWith("multipart/form-data") ?? false;
}

function wrongCommon(market: Market, keys: TiktokKeys, request: TwinRequest): TwinAnswer | null {
  const { query } = request;
  if (query.get("app_key") !== keys.appKey) return bad(codes.misused, "Invalid app_key");
  const time = query.get("timestamp") ?? "";
  const now = market.seconds();
  const inTime = Number(time) >= now - backSeconds && Number(time) <= now + aheadSeconds;
  if (!/^\d{10}$/.test(time) || !inTime) return bad(codes.misused, "Invalid timestamp");
  if (query.has("access_token")) return bad(codes.misused, "access_token belongs in the header");
  const body = request.method === "GET" || isMultipart(request) ? "" : request.bytes;
  const wanted = requestSign(keys.appSecret, request.path, query, body);
  return isSame(query.get("sign") ?? "", wanted)
    ? null
    : bad(codes.badSignature, "Invalid signature", { status: 401 });
}

/** A body is JSON, but for uploads. */
function wrongType(request: TwinRequest): TwinAnswer | null {
  if (request.method === "GET" || isMultipart(request)) return null;
  const isJson = request.header("content-type")?.startsWith("application/json") ?? false;
  return isJson ? null : bad(codes.misused, "Invalid content-type, application/json is expected");
}

/** The shop that a call's token stands for. */
export function shopOf(market: Market, request: TwinRequest): Shop | null {
  const found = market.tokens.findAccess(request.header("x-tts-access-token") ?? "");
  return market.goods.shops.get(found?.shopId ?? "") ?? null;
}

export function shopId(market: Market, request: TwinRequest): string {
  return shopOf(market, request)?.id ?? "";
}

function wrongToken(market: Market, request: TwinRequest): TwinAnswer | null {
  const token = request.header("x-tts-access-token");
  if (!token) return bad(codes.misused, "x-tts-access-token is missing", { status: 401 });
  const found = market.tokens.findAccess(token);
  if (!found) return bad(codes.misused, "Invalid access token", { status: 401 });
  if (found.state === "revoked") return revoked();
  return found.state === "live" ? null : expired();
}

function wrongCipher(market: Market, request: TwinRequest): TwinAnswer | null {
  const cipher = request.query.get("shop_cipher");
  if (withoutCipher.has(request.path)) {
    return cipher ? bad(codes.misused, "shop_cipher is superfluous for this API") : null;
  }
  if (!cipher) return bad(codes.noCipher, "shop_cipher is required");
  if (cipher === shopOf(market, request)?.cipher) return null;
  return bad(codes.otherUser, "The token does not belong to this shop");
}

/** Questions that are too long for an address are asked by POST. */
const isWrite = ({ method, path }: TwinRequest) =>
  method !== "GET" && !/\/(search|recommend)$/.test(path);

/** Who may call what: tokopedia.md sections 4 and 6, then the shop's rate and what the dials say. */
export async function guard(
  market: Market,
  keys: TiktokKeys,
  request: TwinRequest,
  next: () => Promise<TwinAnswer>,
): Promise<TwinAnswer> {
  if (!/^\/[a-z]+\/20\d{4}\//.test(request.path)) return await next();
  const wrong =
    wrongCommon(market, keys, request) ??
    wrongToken(market, request) ??
    wrongType(request) ??
    wrongCipher(market, request);
  if (wrong) return wrong;
  const kind = isWrite(request) ? "write" : "read";
  return await withMarketFaults(market, request, shopId(market, request), kind, forms, next);
}
