import { createRoute, z } from "@hono/zod-openapi";
import {
  body,
  enveloped,
  idempotencyHeader,
  marketCreated,
  marketList,
  marketOk,
  page,
  pagingQuery,
} from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { confirmReceived, getOrder, listBuyerOrders, trackOrder } from "../orders/buyer.ts";
import { cancelOrder } from "../orders/cancel.ts";
import { placeOrder } from "../orders/checkout.ts";
import { idParameters } from "../schemas/fields.ts";
import {
  BuyerOrder,
  CheckoutInput,
  CheckoutResult,
  orderStatus,
  Tracking,
} from "../schemas/orders.ts";

export const buyerOrderRoutes = createApi();

const tags = ["market: buyer"];
/** What is no id at all is as missing as an id of nothing. */
const params = idParameters;

buyerOrderRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/buyer/orders",
    tags,
    summary: "Place an order and open its payment",
    middleware: [access("buyer", { fresh: true })] as const,
    request: { headers: idempotencyHeader, body: body(CheckoutInput) },
    responses: marketCreated(CheckoutResult),
  }),
  async (c) => {
    const key = c.req.valid("header")["idempotency-key"];
    const { store_slug: _, ...placed } = await placeOrder(c.var.ctx, c.req.valid("json"), key);
    return c.json(enveloped(placed), 201);
  },
);

buyerOrderRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/buyer/orders",
    tags,
    summary: "My orders",
    middleware: [access("buyer")] as const,
    request: { query: z.object({ ...pagingQuery, status: orderStatus.optional() }) },
    responses: marketList(BuyerOrder),
  }),
  async (c) => c.json(page(await listBuyerOrders(c.var.ctx, c.req.valid("query"))), 200),
);

buyerOrderRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/buyer/orders/{id}",
    tags,
    summary: "One of my orders, with how to pay it",
    middleware: [access("buyer")] as const,
    request: { params },
    responses: marketOk(BuyerOrder),
  }),
  async (c) => c.json(enveloped(await getOrder(c.var.ctx, c.req.valid("param").id)), 200),
);

buyerOrderRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/buyer/orders/{id}/track",
    tags,
    summary: "Where the parcel is",
    middleware: [access("buyer")] as const,
    request: { params },
    responses: marketOk(Tracking),
  }),
  async (c) => c.json(enveloped(await trackOrder(c.var.ctx, c.req.valid("param").id)), 200),
);

buyerOrderRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/buyer/orders/{id}/cancel",
    tags,
    summary: "I do not want an order that I have not paid",
    middleware: [access("buyer", { fresh: true })] as const,
    request: { params },
    responses: marketOk(z.object({ id: z.uuid() })),
  }),
  async (c) => c.json(enveloped(await cancelOrder(c.var.ctx, c.req.valid("param").id)), 200),
);

buyerOrderRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/buyer/orders/{id}/received",
    tags,
    summary: "I have the parcel",
    middleware: [access("buyer", { fresh: true })] as const,
    request: { params, headers: idempotencyHeader },
    responses: marketOk(z.object({ id: z.uuid() })),
  }),
  async (c) => {
    const key = c.req.valid("header")["idempotency-key"];
    const received = await confirmReceived(c.var.ctx, c.req.valid("param").id, key);
    return c.json(enveloped(received), 200);
  },
);
