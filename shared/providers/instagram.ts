import type { z } from "zod";
import { parseBigJson } from "./big-json.ts";
import { createHttp, type Fetch, type HttpRequest, type Judge, ProviderError } from "./http.ts";
import {
  ContainerStatus,
  Created,
  Exchanged,
  LongToken,
  Me,
  Permalink,
  PublishingLimit,
} from "./instagram/answers.ts";
import { instagramError, verdictOf } from "./instagram/fault.ts";
import { invalidInput } from "./provider-error.ts";

export type { ContainerStatus } from "./instagram/answers.ts";
export { InstagramError, type InstagramFault } from "./instagram/fault.ts";

export const INSTAGRAM = "instagram";
const SCOPES = ["instagram_business_basic", "instagram_business_content_publish"];

export interface InstagramOptions {
  appId: string;
  appSecret: string;
  /** The Graph API; the page of the sign-in; the host that redeems its codes. */
  baseUrl: string;
  authUrl: string;
  tokenUrl: string;
  /** `v25.0` */
  version: string;
  timeoutMs: number;
  fetch: Fetch;
  now?: () => Date;
  random?: () => number;
  sleep?: (ms: number) => Promise<void>;
}

export interface InstagramToken {
  accessToken: string;
  expiresAt: Date;
}

/** Whom calls are made as. */
export interface InstagramAuth {
  accessToken: string;
  accountId: string;
}

export interface InstagramGrant extends InstagramToken {
  accountId: string;
  username: string;
}

/** Meta's verdict stands in the body; what is passing for us is not for the call that failed. */
const judge: Judge = ({ status, body }) => {
  if (status < 400) return null;
  const code = verdictOf(body);
  return code === null ? null : { code, outcome: "not_done" };
};

export type Instagram = ReturnType<typeof createInstagram>;

/** The client of Instagram's publishing with Instagram Login. Every failure is an `InstagramError`. */
export function createInstagram(options: InstagramOptions) {
  const now = options.now ?? (() => new Date());
  const parse = parseBigJson;
  const clientOf = (baseUrl: string) =>
    createHttp({ ...options, baseUrl, provider: INSTAGRAM, judge, parse, now });
  const [graph, tokens] = [clientOf(options.baseUrl), clientOf(options.tokenUrl)];
  const below = (...parts: string[]) => ["", options.version, ...parts.map(plain)].join("/");

  async function ask<T>(line: typeof graph, request: HttpRequest<T>): Promise<T> {
    try {
      return await line.request(request);
    } catch (error) {
      throw error instanceof ProviderError ? instagramError(error) : error;
    }
  }
  const get = <T>(path: string, query: Record<string, string>, schema: z.ZodType<T>) =>
    ask(graph, { method: "GET", path, query, schema, idempotent: true });
  const post = <T>(path: string, form: Record<string, string>, schema: z.ZodType<T>) =>
    ask(graph, { method: "POST", path, form, schema, idempotent: false });
  const lasting = ({ token, seconds }: LongToken): InstagramToken => ({
    accessToken: token,
    expiresAt: new Date(now().getTime() + seconds * 1000),
  });

  return {
    /** Where the seller grants us access (providers/instagram.md §2). */
    authoriseUrl({ state, redirectUrl }: { state: string; redirectUrl: string }): string {
      const url = new URL(`${options.authUrl}/oauth/authorize`);
      url.search = new URLSearchParams({
        client_id: options.appId,
        redirect_uri: redirectUrl,
        response_type: "code",
        scope: SCOPES.join(","),
        state,
      }).toString();
      return url.href;
    },

    /** Redeems a code, for a token of 60 days and the account that it may publish as. A code is good once. */
    async exchangeCode(given: { code: string; redirectUrl: string }): Promise<InstagramGrant> {
      const short = await ask(tokens, {
        method: "POST",
        path: "/oauth/access_token",
        form: {
          client_id: options.appId,
          client_secret: options.appSecret,
          grant_type: "authorization_code",
          redirect_uri: given.redirectUrl,
          // Meta puts `#_` behind it.
          code: given.code.replace(/#_$/, ""),
        },
        schema: Exchanged,
        idempotent: false,
      });
      const query = {
        grant_type: "ig_exchange_token",
        client_secret: options.appSecret,
        access_token: short.token,
      };
      const token = lasting(await get("/access_token", query, LongToken));
      const fields = { fields: "user_id,username", access_token: token.accessToken };
      const { accountId, username } = await get(below("me"), fields, Me);
      return { ...token, accountId, username };
    },

    /** 60 more days, for a token that is at least a day old and still works. */
    async refresh(accessToken: string): Promise<InstagramToken> {
      const query = { grant_type: "ig_refresh_token", access_token: accessToken };
      return lasting(await get("/refresh_access_token", query, LongToken));
    },

    /** How many posts of the last 24 hours count, and how many may; null where the account's limit is not told. */
    async publishingLimit({ accessToken, accountId }: InstagramAuth): Promise<PublishingLimit> {
      const query = { fields: "quota_usage,config", access_token: accessToken };
      return await get(below(accountId, "content_publishing_limit"), query, PublishingLimit);
    },

    /** A post that nobody sees yet; it lives for 24 hours. A repeat makes another one, which does no harm. */
    async createContainer(
      { accessToken, accountId }: InstagramAuth,
      { imageUrl, caption }: { imageUrl: string; caption: string },
    ): Promise<string> {
      const form = { image_url: imageUrl, caption, access_token: accessToken };
      return (await post(below(accountId, "media"), form, Created)).id;
    },

    async containerStatus({ accessToken }: InstagramAuth, id: string): Promise<ContainerStatus> {
      const query = { fields: "status_code", access_token: accessToken };
      return (await get(below(id), query, ContainerStatus)).status;
    },

    /** Makes the container a post. Never repeat it in doubt: `containerStatus` tells whether it is `PUBLISHED`. */
    async publish({ accessToken, accountId }: InstagramAuth, containerId: string): Promise<string> {
      const form = { creation_id: containerId, access_token: accessToken };
      return (await post(below(accountId, "media_publish"), form, Created)).id;
    },

    async permalink({ accessToken }: InstagramAuth, mediaId: string): Promise<string | null> {
      const query = { fields: "permalink", access_token: accessToken };
      return (await get(below(mediaId), query, Permalink)).permalink;
    },
  };
}

function plain(part: string): string {
  if (!/^(\d{1,30}|[a-z_]{1,40})$/.test(part)) throw invalidInput(INSTAGRAM, "an id is a number");
  return part;
}
