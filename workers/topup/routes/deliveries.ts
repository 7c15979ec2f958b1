import { createRoute, z } from "@hono/zod-openapi";
import { auditRefusals } from "../../../shared/audit/refusals.ts";
import { body, topupData, topupOk } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { deliverAgain, listDeliveries } from "../resellers/deliveries.ts";
import {
  changeEndpoint,
  createEndpoint,
  deleteEndpoint,
  listEndpoints,
  rotateSecret,
} from "../resellers/endpoints.ts";
import {
  DeliveryQuery,
  DeliveryShape,
  EndpointChanges,
  EndpointShape,
  MadeEndpoint,
  NewEndpoint,
} from "../schemas/resellers.ts";

export const deliveryRoutes = createApi();

const tags = ["topup: reseller"];
const path = "/api/reseller/endpoints";
const params = z.object({ id: z.string().max(100) });
const refusals = auditRefusals("topup.endpoint", (c) => ({
  kind: "webhook_endpoint",
  id: c.req.param("id") ?? "-",
}));
const reads = [access(null)];
const writes = [refusals, access(null, { fresh: true })];

deliveryRoutes.openapi(
  createRoute({
    method: "get",
    path,
    tags,
    summary: "Where my order events are sent",
    middleware: reads,
    responses: topupOk(z.array(EndpointShape)),
  }),
  async (c) => c.json(topupData(await listEndpoints(c.var.ctx)), 200),
);

deliveryRoutes.openapi(
  createRoute({
    method: "post",
    path,
    tags,
    summary: "Add a webhook endpoint; this answer shows its signing secret",
    middleware: writes,
    request: { body: body(NewEndpoint) },
    responses: topupOk(MadeEndpoint),
  }),
  async (c) => c.json(topupData(await createEndpoint(c.var.ctx, c.req.valid("json"))), 200),
);

deliveryRoutes.openapi(
  createRoute({
    method: "put",
    path: `${path}/{id}`,
    tags,
    summary: "Move an endpoint, choose its events, switch it off or on",
    middleware: writes,
    request: { params, body: body(EndpointChanges) },
    responses: topupOk(EndpointShape),
  }),
  async (c) => {
    const { id } = c.req.valid("param");
    return c.json(topupData(await changeEndpoint(c.var.ctx, id, c.req.valid("json"))), 200);
  },
);

deliveryRoutes.openapi(
  createRoute({
    method: "delete",
    path: `${path}/{id}`,
    tags,
    summary: "Remove an endpoint",
    middleware: writes,
    request: { params },
    responses: topupOk(EndpointShape),
  }),
  async (c) => c.json(topupData(await deleteEndpoint(c.var.ctx, c.req.valid("param").id)), 200),
);

deliveryRoutes.openapi(
  createRoute({
    method: "post",
    path: `${path}/{id}/rotate`,
    tags,
    summary: "A new signing secret; the old one signs too for a day",
    middleware: writes,
    request: { params },
    responses: topupOk(MadeEndpoint),
  }),
  async (c) => c.json(topupData(await rotateSecret(c.var.ctx, c.req.valid("param").id)), 200),
);

deliveryRoutes.openapi(
  createRoute({
    method: "get",
    path: `${path}/{id}/deliveries`,
    tags,
    summary: "What was sent there, by state, event or order, newest first, with every attempt",
    middleware: reads,
    request: { params, query: DeliveryQuery },
    responses: topupOk(
      z.object({ deliveries: z.array(DeliveryShape), next: z.string().nullable() }),
    ),
  }),
  async (c) => {
    const { id: endpointId } = c.req.valid("param");
    const query = c.req.valid("query");
    return c.json(topupData(await listDeliveries(c.var.ctx, { endpointId, ...query })), 200);
  },
);

deliveryRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/reseller/deliveries/{id}/redeliver",
    tags,
    summary: "Send one event again",
    middleware: writes,
    request: { params },
    responses: topupOk(z.object({ id: z.string() })),
  }),
  async (c) => {
    const { id } = c.req.valid("param");
    await deliverAgain(c.var.ctx, id);
    return c.json(topupData({ id }), 200);
  },
);
