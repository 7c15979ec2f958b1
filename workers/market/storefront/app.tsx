import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { loadConfig } from "../../../shared/config/config.ts";
import { createContext } from "../../../shared/context.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { describeError } from "../../../shared/log.ts";
import { providersOf } from "../../../shared/providers/index.ts";
import { storeSlugOf } from "./host.ts";
import { elsewhere, failed, notHere } from "./respond.tsx";
import { accountRoutes } from "./routes/account.tsx";
import { cartRoutes } from "./routes/cart.tsx";
import { checkoutRoutes } from "./routes/checkout.tsx";
import { orderRoutes } from "./routes/orders.tsx";
import { shopRoutes } from "./routes/shop.tsx";
import {
  dropToken,
  NoStoreHere,
  ownFormsOnly,
  type StorefrontEnv,
  storeOf,
  toSignIn,
  type Visit,
} from "./visit.ts";

const MAX_FORM_BYTES = 128 * 1024;

/** The pages of every store, on the store's own host. */
export const storefront = new Hono<StorefrontEnv>();

storefront.use(async (c, next) => {
  const config = loadConfig(c.env);
  const slug = storeSlugOf(new URL(c.req.url).hostname, config.STORE_DOMAIN);
  c.set(
    "ctx",
    createContext(c.env, {
      config,
      providers: providersOf,
      requestId: crypto.randomUUID(),
      waitUntil: (work) => c.executionCtx.waitUntil(work),
    }),
  );
  if (slug === null) throw new NoStoreHere({ kind: "unknown" });
  c.set("slug", slug);
  await next();
  c.header("x-request-id", c.var.ctx.requestId);
});
storefront.use(ownFormsOnly);
storefront.use(
  bodyLimit({
    maxSize: MAX_FORM_BYTES,
    onError: () => {
      throw new AppError("too_large", "Isian formulir terlalu besar.");
    },
  }),
);

storefront.route("/", shopRoutes);
storefront.route("/", cartRoutes);
storefront.route("/", accountRoutes);
storefront.route("/", checkoutRoutes);
storefront.route("/", orderRoutes);

storefront.notFound(async (c) => await notHere(c, await storeOf(c), "Halaman ini tidak ada."));

storefront.onError(async (error, c) => {
  if (error instanceof NoStoreHere) return await elsewhere(c, error.found);
  if (
    error instanceof AppError &&
    (error.code === "bad_token" || error.code === "unauthenticated")
  ) {
    return signInAgain(c);
  }
  const failure = error instanceof AppError ? error : new AppError("internal", "");
  if (failure.code === "internal") c.var.ctx.log.error("page failed", describeError(error));
  return await failed(c, failure);
});

/** A sign-in that has ended: the cookie goes, and after a new one the visitor is back where he was. */
function signInAgain(c: Visit): Response {
  dropToken(c);
  return c.redirect(toSignIn(c), 303);
}
