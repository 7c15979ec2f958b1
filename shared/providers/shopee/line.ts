import type { z } from "zod";
import { createHttp, type Fetch, type HttpRequest } from "../http.ts";
import { callPlatform, inTurn, type ReadVerdict, refusal } from "../marketplace/call.ts";
import type { ShopAuth } from "../marketplace.ts";
import { readRefresh, readShopee } from "./failures.ts";
import { type ShopeeAccount, signedQuery } from "./signature.ts";

export const PLATFORM = "shopee";

export interface ShopeeOptions extends ShopeeAccount {
  /** Without `/api/v2`. */
  baseUrl: string;
  /** Where sellers grant access: `https://open.shopee.com`. */
  authUrl: string;
  /** Both forms stand in the platform's guide, and which of them will stay is not known. */
  authLink?: "current" | "signed";
  /** The key of pushes, where the console has one of its own. */
  pushKey?: string | undefined;
  /** The address registered for pushes, to the letter. */
  pushUrl: string;
  timeoutMs: number;
  fetch: Fetch;
  random?: () => number;
  sleep?: (ms: number) => Promise<void>;
  now?: () => Date;
}

type Rest<T> = Partial<Omit<HttpRequest<T>, "path" | "method" | "schema" | "idempotent" | "query">>;

export interface ShopeeLine {
  options: ShopeeOptions;
  now: () => Date;
  /** A call that no shop signs: tokens, pictures. */
  open<T>(
    path: string,
    schema: z.ZodType<T>,
    rest: Rest<T> & { refresh?: boolean; idempotent?: boolean },
  ): Promise<T>;
  read<T>(
    auth: ShopAuth,
    path: string,
    query: Record<string, string>,
    schema: z.ZodType<T>,
    rest?: Rest<T>,
  ): Promise<T>;
  write<T>(auth: ShopAuth, path: string, json: unknown, schema: z.ZodType<T>): Promise<T>;
}

const PREFIX = "/api/v2/";

export function createLine(options: ShopeeOptions): ShopeeLine {
  const { now = () => new Date() } = options;
  const http = createHttp({ ...options, provider: PLATFORM });
  const ordinary = readShopee(now);
  const send = <T>(request: HttpRequest<T>, verdict: ReadVerdict) =>
    callPlatform(http, PLATFORM, request, verdict);
  return {
    options,
    now,
    async open(name, schema, { refresh, idempotent = false, ...rest }) {
      const path = PREFIX + name;
      const query = await signedQuery(options, path, now());
      const request = { method: "POST", path, query, schema, idempotent, ...rest } as const;
      return await send(request, refresh ? readRefresh(now) : ordinary);
    },
    async read(auth, name, extra, schema, rest) {
      const path = PREFIX + name;
      const query = { ...(await signedQuery(options, path, now(), shopOf(auth))), ...extra };
      const request = { method: "GET", path, query, schema, idempotent: true, ...rest } as const;
      return await send({ ...request, ...inTurn(auth, "read") }, ordinary);
    },
    async write(auth, name, json, schema) {
      const path = PREFIX + name;
      const query = await signedQuery(options, path, now(), shopOf(auth));
      const request = { method: "POST", path, query, json, schema, idempotent: false } as const;
      return await send({ ...request, ...inTurn(auth, "write") }, ordinary);
    },
  };
}

const shopOf = ({ accessToken, shopId }: ShopAuth) => ({ accessToken, shopId });

/** Shopee's ids are numbers on the wire. */
export function numberOf(id: string, what: string): number {
  const value = Number(id);
  if (/^\d{1,16}$/.test(id) && Number.isSafeInteger(value)) return value;
  throw refusal(PLATFORM, "Data produk Shopee tidak lengkap. Sinkronkan ulang", `bad_${what}`);
}
