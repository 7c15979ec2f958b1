import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context as HonoContext, MiddlewareHandler } from "hono";
import { getCookie } from "hono/cookie";
import type { z } from "zod";
import { bearerOf } from "../auth/bearer.ts";
import type { AccessRule } from "../auth/sessions.ts";
import { sessionGate } from "../auth/sessions.ts";
import { verifyToken } from "../auth/tokens.ts";
import type { Actor, Ctx, Role } from "../context.ts";
import { AppError } from "./errors.ts";
import { languageOf } from "./families.ts";
import { issueWords, type Language } from "./language.ts";

export interface ApiEnv {
  Bindings: Env;
  Variables: { ctx: Ctx };
}

/** Where a browser keeps its token on a store's own pages. */
export const SESSION_COOKIE = "lumbung_session";

/** A router of one domain. Input that does not fit its schema is a 400 whose first problem is the message. */
export function createApi(): OpenAPIHono<ApiEnv> {
  return new OpenAPIHono<ApiEnv>({
    defaultHook: (result, c) => {
      if (!result.success) throw inputError(result.error, languageOf(c.req.path));
    },
  });
}

/** The one place where a zod failure becomes a 400. */
export function inputError(error: z.core.$ZodError, language: Language = "id"): AppError {
  const fields: Record<string, string> = {};
  for (const issue of error.issues) {
    fields[issue.path.join(".") || "body"] ??= issueWords(issue, language);
  }
  const [first] = Object.entries(fields);
  const message = first ? `${first[0]}: ${first[1]}` : "Data tidak valid";
  return new AppError("invalid_input", message, { meta: { fields } });
}

/**
 * Who may call a route: `access("seller")`, `access(null)` for anybody signed in. With `fresh` (every write of
 * money) the session is checked in the same transaction as the work, else an isolate trusts it for 30 s.
 */
export function access(
  role: Role | null,
  { fresh = false }: { fresh?: boolean } = {},
): MiddlewareHandler<ApiEnv> {
  const rule: AccessRule = { role, fresh };
  const guard: MiddlewareHandler<ApiEnv> = async (c, next) => {
    const ctx = c.var.ctx;
    const actor = await readActor(c);
    ctx.actor = actor;
    if (rule.role && !actor.roles.includes(rule.role)) throw new AppError("forbidden", "");
    const gate = sessionGate(actor, rule, ctx.now());
    if (gate) ctx.db.guard(gate);
    await next();
    if (!c.error) await ctx.db.passGate();
  };
  rules.set(guard, rule);
  return guard;
}

/**
 * For what anybody may read, and who is signed in sees as his: a token that holds says whose it is, any other is nobody's.
 * The session behind it is not asked for, so it must open nothing that an ended one may not see.
 */
export const knowCaller: MiddlewareHandler<ApiEnv> = async (c, next) => {
  const { ctx } = c.var;
  const token = bearerToken(c) ?? cookieToken(c);
  const actor = token ? await verifyToken(ctx.config, token, ctx.now()) : null;
  if (actor) ctx.actor = actor;
  await next();
};

const rules = new WeakMap<object, AccessRule>();

/** The rule of a mounted `access(…)`, for the documentation and the tests; undefined for any other handler. */
export const accessRuleOf = (handler: object): AccessRule | undefined => rules.get(handler);

async function readActor(c: HonoContext<ApiEnv>): Promise<Actor> {
  const token = bearerToken(c) ?? cookieToken(c);
  if (!token) throw new AppError("unauthenticated", "");
  const actor = await verifyToken(c.var.ctx.config, token, c.var.ctx.now());
  if (!actor) throw new AppError("bad_token", "");
  return actor;
}

function bearerToken(c: HonoContext<ApiEnv>): string | undefined {
  const header = c.req.header("authorization");
  return header ? (bearerOf(header) ?? "?") : undefined;
}

/** A cookie counts only where the browser says that the page itself asks: another site cannot act for the user. */
function cookieToken(c: HonoContext<ApiEnv>): string | undefined {
  const site = c.req.header("sec-fetch-site");
  const origin = c.req.header("origin");
  const own = origin === undefined || origin === new URL(c.req.url).origin;
  if (!own || (site !== undefined && site !== "same-origin" && site !== "none")) return undefined;
  return getCookie(c, SESSION_COOKIE);
}
