import type { Context, MiddlewareHandler } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { sessionGate } from "../../../shared/auth/sessions.ts";
import { verifyToken } from "../../../shared/auth/tokens.ts";
import type { Actor, Ctx } from "../../../shared/context.ts";
import { SESSION_COOKIE } from "../../../shared/http/api.ts";
import { callerAddress } from "../../../shared/http/caller.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { bucketOf } from "../../../shared/http/rate-limit.ts";
import { sessionCookieOptions } from "../../identity/index.ts";
import type { NoStore, StoreRouter } from "./router.ts";
import type { StoreFacts } from "./snapshot.ts";

export interface StorefrontEnv {
  Bindings: Env;
  Variables: { ctx: Ctx; slug: string };
}
export type Visit = Context<StorefrontEnv>;

/** Thrown where a page needs a store and the host has none to show; the application answers it. */
export class NoStoreHere extends Error {
  readonly found: NoStore;

  constructor(found: NoStore) {
    super(`no store: ${found.kind}`);
    this.found = found;
  }
}

/** The object that answers for this host's store. */
export function routerOf(c: Visit): DurableObjectStub<StoreRouter> {
  const { stores } = c.var.ctx;
  return stores.get(stores.idFromName(c.var.slug));
}

/** Unwraps what the object answered. */
export function storeOrElsewhere<T extends { kind: string }>(
  answer: T,
): Extract<T, { kind: "store" }> {
  if (answer.kind !== "store") throw new NoStoreHere(answer as unknown as NoStore);
  return answer as Extract<T, { kind: "store" }>;
}

/** The store of this host, for pages that show no products of it. */
export async function storeOf(c: Visit): Promise<StoreFacts> {
  return storeOrElsewhere(await routerOf(c).facts(c.var.ctx.requestId)).store;
}

/** Who visits, by the cookie alone: nothing is shown or done for him before his session is checked too. */
async function visitorOf(c: Visit): Promise<Actor | null> {
  const token = getCookie(c, SESSION_COOKIE);
  return token ? await verifyToken(c.var.ctx.config, token, c.var.ctx.now()) : null;
}

/**
 * Lets a page's verbs act for the visitor; false for somebody who is not signed in. The session's own check rides in
 * the first transaction that follows; with `fresh` (writes of money) it always does.
 */
export async function actAsVisitor(c: Visit, { fresh = false } = {}): Promise<boolean> {
  const { ctx } = c.var;
  const actor = await visitorOf(c);
  if (!actor) return false;
  if (!actor.roles.includes("buyer")) {
    throw new AppError("forbidden", "Akun ini tidak dapat dipakai untuk berbelanja.");
  }
  ctx.actor = actor;
  const gate = sessionGate(actor, { role: "buyer", fresh }, ctx.now());
  if (gate) ctx.db.guard(gate);
  return true;
}

/** For pages that only a signed-in buyer has; others are asked to sign in and come back. */
export const signedIn: MiddlewareHandler<StorefrontEnv> = async (c, next) => {
  if (await actAsVisitor(c, { fresh: c.req.method === "POST" })) return await next();
  // A host without a store says so before it asks anybody to sign in.
  await storeOf(c);
  return c.redirect(toSignIn(c), 303);
};

/** What stands behind a page's path where its form is sent to. */
const FORM_VERB = /\/(ubah|diterima|batal)$/;

/** The sign-in page that leads back here; a form that was sent leads back to the page it stands on. */
export function toSignIn(c: Visit): string {
  const { pathname, search } = new URL(c.req.url);
  const page = c.req.method === "GET" ? pathname + search : pathname.replace(FORM_VERB, "");
  return `/masuk?next=${encodeURIComponent(page)}`;
}

/** A place on this host to go on to; anything that leads elsewhere becomes the store's home. */
export function safeNext(value: string | undefined, requestUrl: string): string {
  const { origin } = new URL(requestUrl);
  // Browsers drop tabs and line ends and read a backslash as a slash, so such a value is no path.
  if (!value?.startsWith("/") || /[\\\p{Cc}]/u.test(value) || !URL.canParse(value, origin))
    return "/";
  const target = new URL(value, origin);
  // Dot segments, also encoded ones, are gone from the path now; what is left of it may begin with the name of a host.
  const leadsElsewhere = target.origin !== origin || target.pathname.startsWith("//");
  return leadsElsewhere ? "/" : target.pathname + target.search;
}

export function keepToken(c: Visit, token: string, seconds: number): void {
  const options = sessionCookieOptions(c.var.ctx.config, c.req.url);
  setCookie(c, SESSION_COOKIE, token, { ...options, maxAge: seconds });
}

export function dropToken(c: Visit): void {
  deleteCookie(c, SESSION_COOKIE, sessionCookieOptions(c.var.ctx.config, c.req.url));
}

/**
 * A form counts only when one of this host's own pages sent it. Every browser names the origin of a POST; another
 * store's page is another origin, though its cookies are shared.
 */
export const ownFormsOnly: MiddlewareHandler<StorefrontEnv> = async (c, next) => {
  if (c.req.method !== "GET" && c.req.method !== "HEAD") {
    const origin = c.req.header("origin");
    const site = c.req.header("sec-fetch-site");
    const own = origin === new URL(c.req.url).origin;
    const sameOrigin = site === undefined || site === "same-origin";
    if (!own || !sameOrigin) {
      throw new AppError(
        "forbidden",
        "Formulir ini tidak dikirim dari halaman toko. Muat ulang halamannya.",
      );
    }
  }
  await next();
};

/** Within the address's share of this kind of work. */
async function isWithinLimit(c: Visit, kind: string): Promise<boolean> {
  const address = `${kind}/${callerAddress(c)}`;
  const key = bucketOf(address, kind, c.var.ctx.config.RATE_LIMIT_FACTOR);
  return (await c.env.API_LIMIT.limit({ key })).success;
}

/**
 * Whether a page that is only read may ask the couriers on its way: beyond the limit it is shown without them. Counted
 * by itself, so that reading takes nothing from the forms.
 */
export const mayAskCouriers = (c: Visit): Promise<boolean> => isWithinLimit(c, "storefront-read");

/** Forms and look-ups that cost work are limited per address, like the API; reading pages is not. */
export async function limitAddress(c: Visit): Promise<void> {
  if (!(await isWithinLimit(c, "storefront"))) {
    throw new AppError(
      "rate_limited",
      "Terlalu banyak permintaan. Tunggu sebentar, lalu coba lagi.",
    );
  }
}
