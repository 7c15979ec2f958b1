import type { Hono, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import { HTTPException } from "hono/http-exception";
import { secureHeaders } from "hono/secure-headers";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { loadConfig } from "../shared/config/config.ts";
import { createContext } from "../shared/context.ts";
import { type ApiEnv, createApi } from "../shared/http/api.ts";
import { AppError } from "../shared/http/errors.ts";
import { failureOn, familyOf, unknownPath } from "../shared/http/families.ts";
import { rateLimit } from "../shared/http/rate-limit.ts";
import { describeError, type Log } from "../shared/log.ts";
import { providersOf } from "../shared/providers/index.ts";
import { hostingRoutes } from "./hosting/routes.ts";
import { identityRoutes } from "./identity/routes.ts";
import { endUserSockets } from "./live/room-client.ts";
import { liveRoutes } from "./live/routes.ts";
import { marketRoutes } from "./market/routes.ts";
import { panelRoutes } from "./panel/routes.ts";
import { referenceRoutes } from "./reference.ts";
import { topupRoutes } from "./topup/routes.ts";

const MAX_BODY_BYTES = 256 * 1024;
/** As the panel's contract has it. */
const MAX_PANEL_BODY_BYTES = 1024 * 1024;
/** These read a body of bytes themselves, bounded by what their file may weigh. */
const UPLOAD_PATHS =
  /^\/api\/(upload|webhooks\/vip-reseller\/?|(seller|admin)\/uploads|(auth\/)?profile\/avatar)$|^\/v1\/panel\/releases\/[^/]+$|^\/v1\/agent\/backups\/[^/]+\/(parts\/[^/]+|manifest|prove|restore)$/;
/** Providers and resellers' panels send what they send; their routes read the raw bytes. */
const PROVIDER_PATHS = /^\/api\/(webhooks\/|payment\/callback$|v2\/?$)/;
const JSON_TYPE = /^application\/([\w.+-]+\+)?json\s*(;|$)/i;

/** The HTTP application of all five domains on the API host. */
export function createApiApp() {
  const app = createApi();

  app.use(async (c, next) => {
    const requestId = crypto.randomUUID();
    c.set(
      "ctx",
      createContext(c.env, {
        config: loadConfig(c.env),
        providers: providersOf,
        requestId,
        waitUntil: (work) => c.executionCtx.waitUntil(work),
      }),
    );
    await next();
    c.header("x-request-id", requestId);
  });
  app.use(pageHeaders);
  app.use("/api/*", allowOrigins);
  app.use(async (c, next) => {
    await next();
    if (!c.res.headers.has("cache-control")) c.header("cache-control", "no-store");
    const isBareJson = c.res.headers.get("content-type") === "application/json";
    if (isBareJson && familyOf(c.req.path).name === "panel") {
      c.header("content-type", "application/json; charset=utf-8");
    }
  });
  app.use(rateLimit);
  app.use(boundedJson);

  app.route("/", identityRoutes({ signInEnded: endUserSockets }));
  app.route("/", marketRoutes);
  app.route("/", topupRoutes);
  app.route("/", hostingRoutes);
  app.route("/", liveRoutes);
  app.route("/", panelRoutes({ signInEnded: endUserSockets }));
  app.route("/", referenceRoutes(app));

  app.notFound((c) => {
    const { status, body } = failureOn(c.req.path, notFoundOrWrongMethod(app, c.req));
    return c.json(body, status as ContentfulStatusCode);
  });
  app.onError((error, c) => {
    const failure = toAppError(error);
    logFailure(c.var.ctx?.log, failure, error);
    const { status, body } = failureOn(c.req.path, failure);
    if (status === 429) c.header("retry-after", String(failure.meta.retry_after ?? 60));
    return c.json(body, status as ContentfulStatusCode);
  });
  return app;
}

/** An answer of the API is data: a browser that opens one as a page runs nothing in it and shows it in no frame. */
const pageHeaders = secureHeaders({
  crossOriginResourcePolicy: "cross-origin",
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    styleSrc: ["'unsafe-inline'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
});

/**
 * A body is JSON and says so: a browser then asks (CORS) before it sends one from another site, and a body of
 * another type is refused instead of being taken for an empty one. The panel's clients are curl recipes, which call
 * their JSON a form: under /v1 a body is JSON whatever it is called, unless a cookie comes with it. So only a bearer
 * token, which no page of another site can send unasked, speaks for such a body.
 */
const boundedJson: MiddlewareHandler<ApiEnv> = async (c, next) => {
  const { path } = c.req;
  if (UPLOAD_PATHS.test(path)) return await next();
  const isPanel = familyOf(path).name === "panel";
  const hasBody = c.req.raw.body !== null && c.req.header("content-length") !== "0";
  const isJson = JSON_TYPE.test(c.req.header("content-type") ?? "");
  if (hasBody && !isJson && isPanel && c.req.header("cookie") === undefined) {
    const headers = new Headers(c.req.raw.headers);
    headers.set("content-type", "application/json");
    c.req.raw = new Request(c.req.raw, { headers });
  } else if (hasBody && !isJson && !PROVIDER_PATHS.test(path)) {
    throw new AppError("unsupported_type", "");
  }
  return await (isPanel ? limitPanelBody : limitBody)(c, next);
};

const limitBody = bodyLimit({
  maxSize: MAX_BODY_BYTES,
  onError: () => {
    throw new AppError("too_large", "");
  },
});

/** What is cut at the panel's limit is no JSON any more. */
const limitPanelBody = bodyLimit({
  maxSize: MAX_PANEL_BODY_BYTES,
  onError: () => {
    throw new AppError("invalid_json", "");
  },
});

/** Browsers of the allow-list only, with credentials; native apps and servers need no CORS. */
const allowOrigins = cors({
  origin: (origin, c) => (loadConfig(c.env).CORS_ORIGINS.includes(origin) ? origin : null),
  credentials: true,
  allowMethods: ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
  allowHeaders: ["content-type", "authorization", "idempotency-key"],
  exposeHeaders: ["x-session-id"],
  maxAge: 600,
});

/** Our bugs as errors, what we lean on and could not reach as warnings; the caller's own mistakes are not news. */
function logFailure(log: Log | undefined, failure: AppError, error: Error): void {
  if (failure.code === "internal") {
    log?.error("request failed", describeError(error));
  } else if (failure.status >= 500) {
    log?.warn("request refused", {
      code: failure.code,
      ...describeError(failure.cause ?? failure),
    });
  }
}

/** What the router itself refuses (a body that is not JSON) becomes one of our codes; the rest is a bug. */
function toAppError(error: Error): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof HTTPException && (error.status === 400 || error.status === 415)) {
    return new AppError("invalid_json", "");
  }
  return new AppError("internal", "", { cause: error });
}

/** A known path asked with another method is 405 under /v1, as its contract says; elsewhere 404. */
function notFoundOrWrongMethod(
  app: Hono<ApiEnv>,
  request: { path: string; url: string },
): AppError {
  const { path } = request;
  const known = app.routes.some(
    (route) => route.method !== "ALL" && patternOf(route.path).test(path),
  );
  if (known && familyOf(path).name === "panel") {
    return new AppError("method_not_allowed", "method not allowed");
  }
  const { pathname, search } = new URL(request.url);
  return unknownPath(path, `${pathname}${search}`);
}

/** `/v1/sites/:id` as a pattern of the paths that it serves. */
function patternOf(path: string): RegExp {
  const escaped = path.replace(/[.+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replace(/:[^/]+/g, "[^/]+").replace(/\*/g, ".*")}$`);
}
