import { z } from "zod";
import { parseBigJson } from "../big-json.ts";
import { createHttp, type Fetch, type Http } from "../http.ts";
import { callPlatform, inTurn } from "../marketplace/call.ts";
import type { ShopAuth } from "../marketplace.ts";
import { multipart, type Upload } from "../multipart.ts";
import { readLazada } from "./failures.ts";
import { type LazadaAccount, systemParams } from "./signature.ts";

export const PLATFORM = "lazada";

export interface LazadaOptions extends LazadaAccount {
  /** With `/rest`: `https://api.lazada.co.id/rest`. */
  baseUrl: string;
  /** Without `/rest`: `https://auth.lazada.com`. */
  authUrl: string;
  timeoutMs: number;
  fetch: Fetch;
  random?: () => number;
  sleep?: (ms: number) => Promise<void>;
  now?: () => Date;
}

type Params = Record<string, string>;

export interface LazadaLine {
  options: LazadaOptions;
  now: () => Date;
  /** A call to the auth gateway, which no shop signs. */
  open<T>(path: string, params: Params, schema: z.ZodType<T>): Promise<T>;
  read<T>(
    auth: ShopAuth,
    path: string,
    params: Params,
    schema: z.ZodType<T>,
    maxBytes?: number,
  ): Promise<T>;
  write<T>(auth: ShopAuth, path: string, params: Params, schema: z.ZodType<T>): Promise<T>;
  upload<T>(auth: ShopAuth, path: string, file: Upload["file"], schema: z.ZodType<T>): Promise<T>;
}

export function createLine(options: LazadaOptions): LazadaLine {
  const { now = () => new Date() } = options;
  const shared = { ...options, provider: PLATFORM, parse: parseBigJson };
  const gateway = createHttp(shared);
  const auths = createHttp({ ...shared, baseUrl: `${options.authUrl}/rest` });
  const signed = (path: string, own: Params, accessToken?: string) =>
    systemParams(options, path, own, { now: now(), accessToken });

  /** As the platform's own client sends it: system parameters in the query, the call's own ones in a form. */
  const post = async <T>(
    http: Http,
    path: string,
    params: Params,
    schema: z.ZodType<T>,
    auth?: ShopAuth,
  ): Promise<T> => {
    const query = await signed(path, params, auth?.accessToken);
    const form = { method: "POST", path, query, form: params, schema } as const;
    const request = { ...form, idempotent: false, ...(auth && inTurn(auth, "write")) };
    return await callPlatform(http, PLATFORM, request, readLazada);
  };

  return {
    options,
    now,
    open: (path, params, schema) => post(auths, path, params, schema),
    async read(auth, path, params, schema, maxBytes) {
      const query = { ...(await signed(path, params, auth.accessToken)), ...params };
      const rest = { ...(maxBytes === undefined ? {} : { maxBytes }), ...inTurn(auth, "read") };
      const request = { method: "GET", path, query, schema, idempotent: true, ...rest } as const;
      return await callPlatform(gateway, PLATFORM, request, readLazada);
    },
    write: (auth, path, params, schema) => post(gateway, path, params, schema, auth),
    async upload(auth, path, file, schema) {
      const query = await signed(path, {}, auth.accessToken);
      const raw = multipart({ fields: {}, file });
      const sent = { method: "POST", path, query, raw, schema, idempotent: false } as const;
      const request = { ...sent, ...inTurn(auth, "write") };
      return await callPlatform(gateway, PLATFORM, request, readLazada);
    },
  };
}

/** The answer to a write of which nothing but its success matters. */
export const Done = z.object({ code: z.literal("0") });
