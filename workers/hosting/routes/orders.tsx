import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { actorOf } from "../../../shared/context.ts";
import { hostingOk, pagingQuery } from "../../../shared/http/answers.ts";
import { type ApiEnv, access, createApi } from "../../../shared/http/api.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { cancelOrder, getOrder, listOrders } from "../orders.ts";
import { MessagePage } from "../pages/document.tsx";
import { payOrder } from "../payment.ts";
import { OrderDetail, OrderRow, OrderView, PaymentDetails } from "../schemas/orders.ts";

/** A customer's orders. Paths of the top-up contract below /api/orders are matched before these. */
export const orderRoutes = createApi();

const tags = ["hosting: orders"];
const params = z.object({ id: z.string().max(100) });

/** The contract's answers of /api/orders carry no `success`. */
const bare = <S extends z.ZodRawShape>(shape: S) => {
  const { 200: ok, ...failures } = hostingOk({});
  const content = { "application/json": { schema: z.object(shape) } };
  return { 200: { ...ok, content }, ...failures };
};

orderRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/orders",
    tags,
    summary: "My orders with their subscriptions, newest first; 100 a page",
    middleware: [access(null)] as const,
    request: {
      query: z.object({ page: pagingQuery.page, limit: pagingQuery.limit.or(z.number()) }),
    },
    responses: bare({ orders: z.array(OrderRow) }),
  }),
  async (c) => {
    const { page } = c.req.valid("query");
    const limit = c.req.query("limit") ? c.req.valid("query").limit : 100;
    return c.json({ orders: await listOrders(c.var.ctx, { page, limit }) }, 200);
  },
);

orderRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/orders/{id}",
    tags,
    summary: "One of my orders with its subscription and website",
    middleware: [access(null)] as const,
    request: { params },
    responses: bare({ order: OrderDetail }),
  }),
  async (c) => c.json({ order: await getOrder(c.var.ctx, c.req.valid("param").id) }, 200),
);

orderRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/orders/{id}/cancel",
    tags,
    summary: "Give up an order that I have not paid",
    middleware: [access(null, { fresh: true })] as const,
    request: { params },
    responses: hostingOk({ order: OrderDetail }),
  }),
  async (c) => {
    const order = await cancelOrder(c.var.ctx, c.req.valid("param").id);
    return c.json({ success: true as const, order }, 200);
  },
);

orderRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/orders/{id}/pay",
    tags,
    summary: "The payment page of an order that I have not paid, a renewal's too",
    middleware: [access(null, { fresh: true })] as const,
    request: { params },
    responses: hostingOk({
      order: OrderView,
      paymentUrl: z.string(),
      paymentDetails: PaymentDetails,
    }),
  }),
  async (c) => {
    const { ctx } = c.var;
    const { userId } = actorOf(ctx);
    const started = await payOrder(ctx, c.req.valid("param").id, { userId });
    return c.json({ success: true as const, ...started }, 200);
  },
);

orderRoutes.openAPIRegistry.registerPath({
  method: "get",
  path: "/api/orders/{id}/pay",
  tags,
  summary: "The pay link of a mail: on to the payment page",
  request: { params, query: z.object({ key: z.string() }) },
  responses: {
    302: { description: "The payment page" },
    404: { description: "A page that says why there is nothing to pay" },
  },
});

/** For the mails: a person follows it, so what goes wrong is a page and not JSON. */
orderRoutes.get("/api/orders/:id/pay", async (c) => {
  c.header("referrer-policy", "no-referrer");
  try {
    const key = c.req.query("key") ?? "";
    const { paymentUrl } = await payOrder(c.var.ctx, c.req.param("id"), { key });
    return c.redirect(paymentUrl, 302);
  } catch (error) {
    if (!(error instanceof AppError) || error.code === "internal") throw error;
    return problem(c, error);
  }
});

function problem(c: Context<ApiEnv>, error: AppError) {
  const page = <MessagePage title="Pembayaran" words={error.message} />;
  return c.html(`<!doctype html>${page}`, error.status as ContentfulStatusCode);
}
