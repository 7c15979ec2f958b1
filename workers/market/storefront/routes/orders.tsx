import { Hono } from "hono";
import type { Ctx } from "../../../../shared/context.ts";
import { AppError } from "../../../../shared/http/errors.ts";
import { confirmReceived } from "../../orders/buyer.ts";
import { cancelOrder } from "../../orders/cancel.ts";
import { webUrl } from "../format.ts";
import { orderForPage, orderKey, ordersAtStore, type ShopOrder } from "../orders.ts";
import { OrderPage } from "../pages/order.tsx";
import { OrdersPage } from "../pages/orders.tsx";
import { notHere, respond, shownInPlace, siteOf } from "../respond.tsx";
import { orderUrl } from "../urls.ts";
import { actAsVisitor, type StorefrontEnv, signedIn, storeOf, type Visit } from "../visit.ts";
import { pageNumber } from "./shop.tsx";

export const orderRoutes = new Hono<StorefrontEnv>();

const PER_PAGE = 10;

orderRoutes.get("/pesanan", signedIn, async (c) => {
  const store = await storeOf(c);
  const query = { page: pageNumber(c.req.query("halaman")), limit: PER_PAGE };
  const found = await ordersAtStore(c.var.ctx, store.id, query);
  if (found.page > found.pages) return c.redirect(`/pesanan?halaman=${found.pages}`, 303);
  return await respond(c, <OrdersPage site={siteOf(c, store)} {...found} />);
});

orderRoutes.get("/pesanan/:id", signedIn, async (c) => await showOrder(c, c.req.param("id")));

/** Whether the page of an order is still up to date: for its script. */
orderRoutes.get("/pesanan/:id/status", async (c) => {
  c.header("cache-control", "private, no-store");
  if (!(await actAsVisitor(c))) return c.json({ key: null }, 401);
  try {
    return c.json({ key: await orderKey(c.var.ctx, c.req.param("id")) }, 200);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return c.json({ key: null }, error.code === "bad_token" ? 401 : error.status);
  }
});

orderRoutes.post("/pesanan/:id/diterima", signedIn, (c) =>
  act(c, (ctx, id) => confirmReceived(ctx, id)),
);
orderRoutes.post("/pesanan/:id/batal", signedIn, (c) => act(c, cancelOrder));

/** Does what the button says and shows the order again, with the words of a refusal in place. */
async function act(
  c: Visit,
  verb: (ctx: Ctx, orderId: string) => Promise<unknown>,
): Promise<Response> {
  const id = c.req.param("id") ?? "";
  try {
    await verb(c.var.ctx, id);
  } catch (error) {
    return await showOrder(c, id, shownInPlace(error));
  }
  return c.redirect(`/pesanan/${id}`, 303);
}

/** An order of another store of the same buyer is shown by that store. */
async function showOrder(c: Visit, id: string, problem?: AppError): Promise<Response> {
  const { ctx } = c.var;
  const store = await storeOf(c);
  let order: ShopOrder;
  try {
    order = await orderForPage(ctx, id);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "not_found") throw error;
    return await notHere(c, store, "Pesanan ini tidak ada, atau bukan pesanan Anda.");
  }
  if (order.store_id !== store.id)
    return c.redirect(orderUrl(ctx.config, order.stores.slug, order.id), 303);
  const page = (
    <OrderPage site={siteOf(c, store)} order={order} now={ctx.now()} problem={problem?.message} />
  );
  const picture = order.payment.qr_code ? null : webUrl(order.payment.qr_image_url);
  return await respond(c, page, { status: problem?.status ?? 200, picture });
}
