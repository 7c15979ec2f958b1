import { createRoute, z } from "@hono/zod-openapi";
import { auditRefusals } from "../../../shared/audit/refusals.ts";
import { body, idempotencyHeader, topupData, topupOk } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import {
  decideRequest,
  listOpenRequests,
  requestRetry,
  requestSettlement,
} from "../admin/hands.ts";
import { listAllOrders, readOrderDetail } from "../admin/orders.ts";
import { IdParameter } from "../schemas/admin.ts";
import {
  AdminOrderShape,
  Because,
  HandRequestShape,
  OrderDetail,
  OrderQuery,
  Retry,
  Settlement,
} from "../schemas/admin-orders.ts";

export const adminOrderRoutes = createApi();

const tags = ["topup: admin"];
const path = "/api/admin/topup/orders";
const requests = "/api/admin/topup/requests";
const refusals = (kind: string) =>
  auditRefusals(kind === "topup_order" ? "topup.order" : "topup.request", (c) => ({
    kind,
    id: c.req.param("id") ?? "-",
  }));
const reads = [refusals("topup_order"), access("admin", { fresh: true })];
const onOrder = [refusals("topup_order"), access("admin", { fresh: true })];
const onRequest = [refusals("topup_hand_request"), access("admin", { fresh: true })];

adminOrderRoutes.openapi(
  createRoute({
    method: "get",
    path,
    tags,
    summary: "Orders of everybody, newest first; search by number, target or the supplier's id",
    middleware: reads,
    request: { query: OrderQuery },
    responses: topupOk(z.object({ orders: z.array(AdminOrderShape), next: z.string().nullable() })),
  }),
  async (c) => c.json(topupData(await listAllOrders(c.var.ctx, c.req.valid("query"))), 200),
);

adminOrderRoutes.openapi(
  createRoute({
    method: "get",
    path: `${path}/{id}`,
    tags,
    summary: "One order with its states, what was done by hand, and who tried",
    middleware: reads,
    request: { params: IdParameter },
    responses: topupOk(OrderDetail),
  }),
  async (c) => c.json(topupData(await readOrderDetail(c.var.ctx, c.req.valid("param").id)), 200),
);

adminOrderRoutes.openapi(
  createRoute({
    method: "post",
    path: `${path}/{id}/settle`,
    tags,
    summary: "End an open order by hand; above the limit another admin must confirm",
    middleware: onOrder,
    request: { params: IdParameter, headers: idempotencyHeader, body: body(Settlement) },
    responses: topupOk(HandRequestShape),
  }),
  async (c) => {
    const { id } = c.req.valid("param");
    const key = c.req.valid("header")["idempotency-key"];
    return c.json(topupData(await requestSettlement(c.var.ctx, id, c.req.valid("json"), key)), 200);
  },
);

adminOrderRoutes.openapi(
  createRoute({
    method: "post",
    path: `${path}/{id}/refund`,
    tags,
    summary: "Give an open order's money back",
    middleware: onOrder,
    request: { params: IdParameter, headers: idempotencyHeader, body: body(Because) },
    responses: topupOk(HandRequestShape),
  }),
  async (c) => {
    const { id } = c.req.valid("param");
    const refund = { as: "refunded" as const, ...c.req.valid("json") };
    const key = c.req.valid("header")["idempotency-key"];
    return c.json(topupData(await requestSettlement(c.var.ctx, id, refund, key)), 200);
  },
);

adminOrderRoutes.openapi(
  createRoute({
    method: "post",
    path: `${path}/{id}/retry`,
    tags,
    summary: "Look an order in doubt up, or place one again that surely was not bought",
    middleware: onOrder,
    request: { params: IdParameter, headers: idempotencyHeader, body: body(Retry) },
    responses: topupOk(HandRequestShape),
  }),
  async (c) => {
    const { id } = c.req.valid("param");
    const key = c.req.valid("header")["idempotency-key"];
    return c.json(topupData(await requestRetry(c.var.ctx, id, c.req.valid("json"), key)), 200);
  },
);

adminOrderRoutes.openapi(
  createRoute({
    method: "get",
    path: requests,
    tags,
    summary: "What waits for a second admin",
    middleware: onRequest,
    responses: topupOk(z.array(HandRequestShape)),
  }),
  async (c) => c.json(topupData(await listOpenRequests(c.var.ctx)), 200),
);

for (const [verb, confirm] of [
  ["confirm", true],
  ["reject", false],
] as const) {
  adminOrderRoutes.openapi(
    createRoute({
      method: "post",
      path: `${requests}/{id}/${verb}`,
      tags,
      summary: confirm ? "Another admin's yes, upon which it is done" : "The end of a request",
      middleware: onRequest,
      request: { params: IdParameter, headers: idempotencyHeader },
      responses: topupOk(HandRequestShape),
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const key = c.req.valid("header")["idempotency-key"];
      return c.json(topupData(await decideRequest(c.var.ctx, id, confirm, key)), 200);
    },
  );
}
