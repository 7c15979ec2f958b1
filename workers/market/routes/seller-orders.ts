import { createRoute, z } from "@hono/zod-openapi";
import {
  body,
  enveloped,
  marketList,
  marketOk,
  page,
  pagingQuery,
} from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { getSellerOrder, listSellerOrders, listShipments, shipOrder } from "../orders/seller.ts";
import { idParameters, text } from "../schemas/fields.ts";
import {
  CancelPickupInput,
  Label,
  orderStatus,
  PickupCancelled,
  parcelStatus,
  SellerOrder,
  SellerOrderDetail,
  ShipInput,
  Shipment,
} from "../schemas/orders.ts";
import { cancelPickup, getLabel } from "../shipping/seller-parcel.ts";

export const sellerOrderRoutes = createApi();

const tags = ["market: seller"];
const search = text(0, 100).optional();

sellerOrderRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/seller/orders",
    tags,
    summary: "Orders of my store",
    middleware: [access("seller")] as const,
    request: { query: z.object({ ...pagingQuery, status: orderStatus.optional(), search }) },
    responses: marketList(SellerOrder),
  }),
  async (c) => c.json(page(await listSellerOrders(c.var.ctx, c.req.valid("query"))), 200),
);

sellerOrderRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/seller/orders/{id}",
    tags,
    summary: "One order of my store, with what happened to it",
    middleware: [access("seller")] as const,
    request: { params: idParameters },
    responses: marketOk(SellerOrderDetail),
  }),
  async (c) => c.json(enveloped(await getSellerOrder(c.var.ctx, c.req.valid("param").id)), 200),
);

sellerOrderRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/seller/orders/{id}/label",
    tags,
    summary: "Where the courier's label for a parcel is printed from",
    middleware: [access("seller")] as const,
    request: { params: idParameters },
    responses: marketOk(Label),
  }),
  async (c) => c.json(enveloped(await getLabel(c.var.ctx, c.req.valid("param").id)), 200),
);

sellerOrderRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/seller/orders/{id}/cancel-pickup",
    tags,
    summary: "The courier need not come; its last word follows within 48 hours",
    middleware: [access("seller")] as const,
    request: { params: idParameters, body: body(CancelPickupInput) },
    responses: marketOk(PickupCancelled),
  }),
  async (c) => {
    const { reason } = c.req.valid("json");
    return c.json(enveloped(await cancelPickup(c.var.ctx, c.req.valid("param").id, reason)), 200);
  },
);

sellerOrderRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/seller/shipping",
    tags,
    summary: "Parcels of my store",
    middleware: [access("seller")] as const,
    request: { query: z.object({ ...pagingQuery, status: parcelStatus.optional() }) },
    responses: marketList(Shipment),
  }),
  async (c) => c.json(page(await listShipments(c.var.ctx, c.req.valid("query"))), 200),
);

sellerOrderRoutes.openapi(
  createRoute({
    method: "put",
    path: "/api/seller/shipping",
    tags,
    summary: "I handed a parcel to a courier myself",
    middleware: [access("seller", { fresh: true })] as const,
    request: { body: body(ShipInput) },
    responses: marketOk(Shipment),
  }),
  async (c) => c.json(enveloped(await shipOrder(c.var.ctx, c.req.valid("json"))), 200),
);
