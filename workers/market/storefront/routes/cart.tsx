import { Hono } from "hono";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../../shared/context.ts";
import { call } from "../../../../shared/db/statement.ts";
import type { AppError } from "../../../../shared/http/errors.ts";
import { getCart, MAX_CART_LINES, removeFromCart, setCartLine } from "../../cart.ts";
import type { Cart } from "../../schemas/cart.ts";
import { isUuid } from "../../schemas/fields.ts";
import { sentFields } from "../form.ts";
import { redirectWithNote } from "../note.ts";
import { CartPage } from "../pages/cart.tsx";
import { ProductPage } from "../pages/product.tsx";
import { notHere, respond, shownInPlace, siteOf } from "../respond.tsx";
import type { StoreFacts } from "../snapshot.ts";
import { storeUrl } from "../urls.ts";
import {
  actAsVisitor,
  routerOf,
  type StorefrontEnv,
  signedIn,
  storeOf,
  storeOrElsewhere,
  type Visit,
} from "../visit.ts";

export const cartRoutes = new Hono<StorefrontEnv>();

cartRoutes.get("/keranjang", signedIn, async (c) => {
  const [store, cart] = await Promise.all([storeOf(c), getCart(c.var.ctx)]);
  return await showCart(c, store, cart);
});

/** Puts a product into the cart; somebody who is not signed in does that first and then goes on here. */
cartRoutes.post("/keranjang", async (c) => {
  const form = await sentFields(c);
  const productId = form.product_id ?? "";
  const quantity = quantityOf(form.quantity);
  const next = form.lalu === "checkout" ? "/checkout" : "/keranjang";
  if (!(await actAsVisitor(c))) {
    await storeOf(c);
    const intent = new URLSearchParams({ next, produk: productId, jumlah: String(quantity) });
    return c.redirect(`/masuk?${intent}`, 303);
  }
  return await addAndGoOn(c, { productId, quantity, next });
});

cartRoutes.post("/keranjang/ubah", signedIn, async (c) => {
  const { ctx } = c.var;
  const form = await sentFields(c);
  const productId = form.product_id ?? "";
  const quantity = quantityOf(form.ke ?? form.quantity, 0);
  if (!isUuid(productId)) return c.redirect("/keranjang", 303);
  try {
    if (quantity === 0) await removeFromCart(ctx, productId);
    else await setCartLine(ctx, { product_id: productId, quantity });
  } catch (error) {
    const { message, status } = shownInPlace(error);
    const [store, cart] = await Promise.all([storeOf(c), getCart(ctx)]);
    return await showCart(c, store, cart, { problem: message, status });
  }
  return c.redirect("/keranjang", 303);
});

interface Wish {
  productId: string;
  quantity: number;
  next: string;
}

/** Adds to the cart and leads on; what refuses it is said on the product's own page. */
async function addAndGoOn(c: Visit, wish: Wish): Promise<Response> {
  const refusal = await tryToAdd(c, wish);
  return refusal ? await showProduct(c, wish, refusal) : c.redirect(wish.next, 303);
}

/** The same behind a form that must not be sent twice: the product's page is led to. */
export async function addAndLeadOn(c: Visit, wish: Wish): Promise<Response> {
  const refusal = await tryToAdd(c, wish);
  if (!refusal) return c.redirect(wish.next, 303);
  const { productId, quantity } = wish;
  return redirectWithNote(c, `/produk/${productId}`, { words: refusal.message, quantity });
}

async function tryToAdd(c: Visit, { productId, quantity }: Wish): Promise<AppError | null> {
  try {
    if (isUuid(productId)) await addToCart(c.var.ctx, productId, quantity);
    return null;
  } catch (error) {
    return shownInPlace(error);
  }
}

async function addToCart(ctx: Ctx, productId: string, quantity: number): Promise<void> {
  await ctx.db.run(
    call(
      "market_storefront_add",
      {
        user_id: actorOf(ctx).userId,
        product_id: productId,
        quantity,
        max_lines: MAX_CART_LINES,
      },
      z.object({ quantity: z.number() }),
    ),
  );
}

async function showProduct(
  c: Visit,
  { productId, quantity }: { productId: string; quantity: number },
  { message, status }: AppError,
): Promise<Response> {
  const answer = await routerOf(c).product(productId, c.var.ctx.requestId);
  const { store, product, neighbours } = storeOrElsewhere(answer);
  if (!product) return await notHere(c, store, message);
  const page = (
    <ProductPage
      site={siteOf(c, store)}
      product={product}
      neighbours={neighbours}
      problem={{ words: message, quantity }}
    />
  );
  return await respond(c, page, { status });
}

async function showCart(
  c: Visit,
  store: StoreFacts,
  cart: Cart,
  { problem, status = 200 }: { problem?: string; status?: number } = {},
): Promise<Response> {
  const page = (
    <CartPage
      site={siteOf(c, store)}
      cart={cart}
      storeUrl={(slug) => storeUrl(c.var.ctx.config, slug)}
      problem={problem}
    />
  );
  return await respond(c, page, { status });
}

/** A typed quantity; what is no number is one piece. */
export function quantityOf(value: unknown, least = 1): number {
  const number = Math.trunc(Number(value));
  if (!Number.isFinite(number) || value === "") return 1;
  return Math.min(Math.max(number, least), 999);
}
