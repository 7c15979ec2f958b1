import { type FaultForms, withMarketFaults } from "../common/market/faults.ts";
import type { Market } from "../common/market/market.ts";
import type { TwinAnswer, TwinRequest } from "../common/server.ts";
import { bad } from "./answers.ts";
import { callOf } from "./parameters.ts";
import type { LazadaKeys } from "./push.ts";
import { isSame, requestSign } from "./signature.ts";

const windowMs = 7200 * 1000;
const tokenPaths = new Set(["/auth/token/create", "/auth/token/refresh"]);
/** What is the same for every seller needs no token. */
const openPaths = new Set([
  "/category/tree/get",
  "/category/attributes/get",
  "/category/brands/query",
]);
/** Prices and stock have a limit of their own (lazada.md section 5). */
const stockPaths = new Set([
  "/product/price_quantity/update",
  "/product/stock/sellable/update",
  "/product/stock/sellable/adjust",
]);

const illegalToken = () =>
  bad("IllegalAccessToken", "The specified access token is invalid or expired");

const forms: FaultForms = {
  limited: (_waitMs, status) =>
    bad("ApiCallLimit", "Access frequency exceeds the limit. this ban will last 1 seconds", {
      ...(status !== null && { status }),
    }),
  inside: (code) =>
    bad(code ?? "ServiceTimeout", "The service is temporarily unavailable", { type: "SYSTEM" }),
  expired: illegalToken,
  revoked: illegalToken,
};

/** A UTC text is allowed beside milliseconds. */
function timeOf(text: string): number {
  return /^\d{13}$/.test(text) ? Number(text) : Date.parse(`${text.replace(" ", "T")}Z`);
}

function wrongCommon(market: Market, keys: LazadaKeys, request: TwinRequest): TwinAnswer | null {
  const { path, parameters } = callOf(request);
  const given = (name: string) => parameters.get(name) ?? "";
  for (const name of ["app_key", "timestamp", "sign_method", "sign"]) {
    if (given(name) === "") {
      return bad(
        "MissingParameter",
        `The input parameter "${name}" that is mandatory is not supplied`,
      );
    }
  }
  if (given("app_key") !== keys.appKey) return bad("InvalidAppKey", "Invalid app key");
  if (given("sign_method") !== "sha256") {
    return bad("InvalidSignMethod", "The sign method must be sha256");
  }
  const at = timeOf(given("timestamp"));
  if (!(Math.abs(market.clock() - at) <= windowMs)) {
    return bad("IllegalTimestamp", "The specified timestamp is illegal");
  }
  const wanted = requestSign(keys.appSecret, path, parameters);
  return isSame(given("sign"), wanted)
    ? null
    : bad("IncompleteSignature", "The request signature does not conform to lazada standards");
}

/** The shop that a call's token stands for, while it does. */
export function sellerOf(market: Market, request: TwinRequest): string {
  const token = callOf(request).parameters.get("access_token") ?? "";
  return market.tokens.findAccess(token)?.shopId ?? "";
}

/** Who may call what: common parameters, signature, token, then the seller's rate and what the dials say. */
export async function guard(
  market: Market,
  keys: LazadaKeys,
  request: TwinRequest,
  next: () => Promise<TwinAnswer>,
): Promise<TwinAnswer> {
  if (!request.path.startsWith("/rest/")) return await next();
  const wrong = wrongCommon(market, keys, request);
  if (wrong) return wrong;
  const { path, parameters } = callOf(request);
  if (tokenPaths.has(path))
    return await withMarketFaults(market, request, "auth", "all", forms, next);
  const token = parameters.get("access_token");
  if (!token && openPaths.has(path)) {
    return await withMarketFaults(market, request, "open", "all", forms, next);
  }
  if (!token) {
    return bad(
      "MissingParameter",
      'The input parameter "access_token" that is mandatory is not supplied',
    );
  }
  const found = market.tokens.findAccess(token);
  if (found?.state !== "live") return illegalToken();
  const kind = stockPaths.has(path) ? "stock" : "all";
  return await withMarketFaults(market, request, found.shopId, kind, forms, next);
}
