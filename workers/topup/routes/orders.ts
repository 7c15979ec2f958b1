import { createRoute, z } from "@hono/zod-openapi";
import type { Ctx } from "../../../shared/context.ts";
import { body, idempotencyHeader, topupData, topupOk } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { AppError, notFound } from "../../../shared/http/errors.ts";
import type { SupplierFamily } from "../../../shared/providers/vip-reseller.ts";
import { listOwnOrders } from "../orders/own.ts";
import { placeGame, placePrepaid, placeSocial } from "../orders/place.ts";
import { processOrder } from "../orders/process.ts";
import { askAboutOrder, getOrder, serialOf } from "../orders/read.ts";
import {
  createdStatus,
  historyView,
  orderView,
  paymentView,
  supplierView,
} from "../orders/views.ts";
import {
  familyOfKind,
  GameBody,
  GamePlaced,
  HistoryOrder,
  HistoryQuery,
  inContractWords,
  OrderQuery,
  OrderView,
  PrepaidBody,
  PrepaidPlaced,
  ProcessBody,
  ProcessResult,
  SocialBody,
  SocialPlaced,
  SupplierView,
} from "../schemas/orders.ts";

export const orderRoutes = createApi();

const tags = ["topup: orders"];
const message = z.string();

const withMessage = <D extends z.ZodType>(data: D) => {
  const { 200: ok, ...failures } = topupOk(data);
  const schema = z.object({ success: z.boolean(), message, data });
  return { 200: { ...ok, content: { "application/json": { schema } } }, ...failures };
};

const PLACED = "Order placed successfully";
const description =
  "A user's limits are his level's, over the app and all of his API keys together: a plain member may have 50 orders in " +
  "progress, 50 unpaid, and spend Rp 25.000.000 in a day of Jakarta; a reseller or agent 1,000, 1,000 and Rp 1.000.000.000. " +
  "Beyond them the answer is 429, and its message tells the limit. An admin gives the level.";

orderRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/orders/prepaid",
    tags,
    summary: "Buy credit, data or an electricity token, paid from the wallet",
    description,
    middleware: [access(null, { fresh: true })] as const,
    request: { headers: idempotencyHeader, body: body(PrepaidBody) },
    responses: withMessage(PrepaidPlaced),
  }),
  async (c) => {
    const idempotencyKey = c.req.valid("header")["idempotency-key"];
    const order = await placePrepaid(c.var.ctx, { ...c.req.valid("json"), idempotencyKey });
    const data = {
      orderNumber: order.number,
      externalId: order.trxid,
      status: createdStatus(order),
      service: order.serviceName,
      phoneNumber: order.target,
      amount: order.amount,
    };
    return c.json({ success: true, message: PLACED, data }, 200);
  },
  inContractWords(["service", "phoneNumber"], "Service and phone number are required"),
);

orderRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/orders/social-media",
    tags,
    summary: "Buy a social-media service, priced per 1,000 and paid from the wallet",
    description,
    middleware: [access(null, { fresh: true })] as const,
    request: { headers: idempotencyHeader, body: body(SocialBody) },
    responses: withMessage(SocialPlaced),
  }),
  async (c) => {
    const idempotencyKey = c.req.valid("header")["idempotency-key"];
    const order = await placeSocial(c.var.ctx, { ...c.req.valid("json"), idempotencyKey });
    const data = {
      orderNumber: order.number,
      externalId: order.trxid,
      status: createdStatus(order),
      service: order.serviceName,
      target: order.target,
      quantity: order.quantity,
      totalPrice: order.amount,
    };
    return c.json({ success: true, message: PLACED, data }, 200);
  },
  inContractWords(["service", "target", "quantity"], "Service, target, and quantity are required"),
);

orderRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/orders/game",
    tags,
    summary:
      "An unpaid order of a game's service; POST /api/orders/process pays and buys it, and asks there (409) whether a like " +
      "one of a moment ago is meant to be repeated",
    description,
    middleware: [access(null, { fresh: true })] as const,
    request: { headers: idempotencyHeader, body: body(GameBody) },
    responses: topupOk(GamePlaced),
  }),
  async (c) => {
    const idempotencyKey = c.req.valid("header")["idempotency-key"];
    const order = await placeGame(c.var.ctx, { ...c.req.valid("json"), idempotencyKey });
    const data = {
      orderNumber: order.number,
      status: createdStatus(order),
      service: order.serviceName,
      gameId: order.target,
      zone: order.zone,
      quantity: order.quantity,
      amount: order.amount,
      expiresAt: order.expiresAt?.toISOString() ?? null,
    };
    return c.json(topupData(data), 200);
  },
  inContractWords(["service", "gameId"], "Service and game ID are required"),
);

orderRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/orders/process",
    tags,
    summary: "Pay an order from the wallet and buy it, once",
    description,
    middleware: [access(null, { fresh: true })] as const,
    request: { headers: idempotencyHeader, body: body(ProcessBody) },
    responses: withMessage(ProcessResult),
  }),
  async (c) => {
    const key = c.req.valid("header")["idempotency-key"];
    const { order, refusal } = await processOrder(c.var.ctx, c.req.valid("json"), key);
    const product = order.serviceName;
    const success = refusal === null;
    const sn = await serialOf(c.var.ctx, order);
    const result = success
      ? {
          product,
          success,
          trxId: order.trxid,
          status: createdStatus(order),
          ...(sn ? { sn } : {}),
        }
      : { product, success, error: refusal };
    const text = success
      ? "Order processed successfully"
      : "Order processing completed with some failures";
    const data = { orderNumber: order.number, status: order.wireState, results: [result] };
    return c.json({ success, message: text, data }, 200);
  },
  inContractWords(["orderNumber"], "Order number is required"),
);

orderRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/orders/history",
    tags,
    summary:
      "One's own orders, newest first, of the Jakarta days from..to; search is a whole number, target or supplier's id",
    middleware: [access(null)] as const,
    request: { query: HistoryQuery },
    responses: topupOk(z.object({ orders: z.array(HistoryOrder), next: z.string().nullable() })),
  }),
  async (c) => {
    const { type, ...query } = c.req.valid("query");
    const found = await listOwnOrders(c.var.ctx, { ...query, family: familyOfKind(type) });
    const orders = await Promise.all(found.orders.map((one) => historyView(c.var.ctx, one)));
    return c.json(topupData({ orders, next: found.next }), 200);
  },
);

/** The contract answers a question to the supplier that failed with 200 and `success: false`. */
const AskFailed = z.object({ success: z.literal(false), message, error: z.string() });

async function answerTo(
  ctx: Ctx,
  { orderNumber, trxId }: z.output<typeof OrderQuery>,
  family: SupplierFamily | null,
) {
  if (!trxId && !orderNumber) {
    throw new AppError("invalid_input", "orderNumber or trxId parameter required");
  }
  if (!trxId) {
    const order = await getOrder(ctx, { number: orderNumber ?? "" });
    if (family && order.family !== family) throw notFound("Order not found");
    const view = await orderView(ctx, order);
    return topupData(family ? view : { ...view, payment: paymentView(order) });
  }
  try {
    const { order, purchase } = await askAboutOrder(ctx, { trxid: trxId });
    if (family && order.family !== family) throw notFound("Order not found");
    return topupData(await supplierView(ctx, order, purchase));
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "provider_unavailable") throw error;
    return { success: false as const, message: error.message, error: error.message };
  }
}

const READS: [string, SupplierFamily | null][] = [
  ["/api/orders/prepaid", "prepaid"],
  ["/api/orders/social-media", "social"],
  ["/api/orders/game", "game"],
  ["/api/orders/process", null],
];

for (const [path, family] of READS) {
  const { 200: ok, ...failures } = topupOk(z.union([OrderView, SupplierView]));
  const found = ok.content["application/json"].schema;
  orderRoutes.openapi(
    createRoute({
      method: "get",
      path,
      tags,
      summary: "One's own order: by its number, or as the supplier has it by the supplier's id",
      middleware: [access(null)] as const,
      request: { query: OrderQuery },
      responses: {
        200: { ...ok, content: { "application/json": { schema: z.union([found, AskFailed]) } } },
        ...failures,
      },
    }),
    async (c) => c.json(await answerTo(c.var.ctx, c.req.valid("query"), family), 200),
  );
}
