import type { z } from "zod";
import { parseBigJson } from "../big-json.ts";
import { createHttp, type Fetch, type HttpRequest } from "../http.ts";
import { callPlatform, inTurn, type ReadVerdict } from "../marketplace/call.ts";
import type { ShopAuth } from "../marketplace.ts";
import { multipart, type Upload } from "../multipart.ts";
import { readTikTok } from "./failures.ts";
import { signedQuery, type TikTokAccount } from "./signature.ts";

/** What our sellers know it by; the interface is TikTok Shop's. */
export const PLATFORM = "tokopedia";

export interface TikTokShopOptions extends TikTokAccount {
  serviceId: string;
  /** `https://open-api.tiktokglobalshop.com`. */
  baseUrl: string;
  /** `https://auth.tiktok-shops.com`. */
  authUrl: string;
  /** Where sellers grant access: `https://services.tiktokshop.com`. */
  servicesUrl: string;
  timeoutMs: number;
  fetch: Fetch;
  random?: () => number;
  sleep?: (ms: number) => Promise<void>;
  now?: () => Date;
}

type Query = Record<string, string>;
/** What of a shop a call needs; the cipher only where the call wants it. */
type Access = Pick<ShopAuth, "accessToken" | "turn"> & Partial<Pick<ShopAuth, "shopCipher">>;

interface Call<T> {
  method: "GET" | "POST";
  path: string;
  query?: Query;
  json?: unknown;
  schema: z.ZodType<T>;
  /** A POST that only asks. */
  reads?: boolean;
  maxBytes?: number;
}

export interface TikTokLine {
  options: TikTokShopOptions;
  now: () => Date;
  /** A call to the auth host: unsigned, with the app secret in its query, so that no address is ever logged. */
  token<T>(path: string, query: Query, schema: z.ZodType<T>, read: ReadVerdict): Promise<T>;
  call<T>(auth: Access, call: Call<T>): Promise<T>;
  upload<T>(auth: Access, path: string, upload: Upload, schema: z.ZodType<T>): Promise<T>;
}

export function createLine(options: TikTokShopOptions): TikTokLine {
  const { now = () => new Date(), appKey, appSecret } = options;
  const shared = { ...options, provider: PLATFORM, parse: parseBigJson };
  const api = createHttp(shared);
  const auths = createHttp({ ...shared, baseUrl: options.authUrl });
  const send = <T>(request: HttpRequest<T>) => callPlatform(api, PLATFORM, request, readTikTok);
  return {
    options,
    now,
    async token(path, query, schema, read) {
      const secrets = { app_key: appKey, app_secret: appSecret };
      const asked = { ...query, ...secrets };
      const request = { method: "GET", path, query: asked, schema, idempotent: false } as const;
      return await callPlatform(auths, PLATFORM, request, read);
    },
    async call(auth, { method, path, query = {}, json, schema, reads, maxBytes }) {
      const own = auth.shopCipher ? { ...query, shop_cipher: auth.shopCipher } : query;
      // The HTTP client writes the body in the same way, so these are the bytes that are sent.
      const body = json === undefined ? "" : JSON.stringify(json);
      const isRead = method === "GET" || reads === true;
      return await send({
        method,
        path,
        query: await signedQuery(options, path, own, { now: now(), body }),
        headers: { "x-tts-access-token": auth.accessToken },
        schema,
        idempotent: isRead,
        ...inTurn(auth, isRead ? "read" : "write"),
        ...(json === undefined ? {} : { json }),
        ...(maxBytes === undefined ? {} : { maxBytes }),
      });
    },
    async upload({ accessToken, ...auth }, path, upload, schema) {
      return await send({
        method: "POST",
        path,
        query: await signedQuery(options, path, {}, { now: now(), body: "" }),
        headers: { "x-tts-access-token": accessToken },
        raw: multipart(upload),
        schema,
        idempotent: false,
        ...inTurn(auth, "write"),
      });
    },
  };
}
