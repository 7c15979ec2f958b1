import { createRoute } from "@hono/zod-openapi";
import {
  body,
  enveloped,
  idempotencyHeader,
  marketList,
  marketOk,
  page,
} from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { declareDelivered } from "../orders/admin.ts";
import { refundOrder } from "../payouts/refunds.ts";
import {
  approvePayout,
  getPayout,
  listAllPayouts,
  markPayoutBounced,
  markPayoutPaid,
  rejectPayout,
} from "../payouts/requests.ts";
import { DeliveredInput, DeliveredShape, RefundInput, RefundShape } from "../schemas/admin.ts";
import { idParameters } from "../schemas/fields.ts";
import {
  AdminPayoutShape,
  PayoutDetailShape,
  PayoutReason,
  PayoutShape,
  PayoutsQuery,
  TransferInput,
} from "../schemas/payouts.ts";

export const adminPayoutRoutes = createApi();

const tags = ["market: admin"];
const admin = () => access("admin", { fresh: true });

adminPayoutRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/admin/payouts",
    tags,
    summary: "Payouts of all sellers",
    middleware: [admin()] as const,
    request: { query: PayoutsQuery },
    responses: marketList(AdminPayoutShape),
  }),
  async (c) => c.json(page(await listAllPayouts(c.var.ctx, c.req.valid("query"))), 200),
);

adminPayoutRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/admin/payouts/{id}",
    tags,
    summary: "One payout with the whole account number; the look at it is kept",
    middleware: [admin()] as const,
    request: { params: idParameters },
    responses: marketOk(PayoutDetailShape),
  }),
  async (c) => c.json(enveloped(await getPayout(c.var.ctx, c.req.valid("param").id)), 200),
);

adminPayoutRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/admin/payouts/{id}/approve",
    tags,
    summary: "Agree to a payout; above the limit it takes two admins",
    middleware: [admin()] as const,
    request: { params: idParameters, headers: idempotencyHeader },
    responses: marketOk(PayoutShape),
  }),
  async (c) => {
    const key = c.req.valid("header")["idempotency-key"];
    return c.json(enveloped(await approvePayout(c.var.ctx, c.req.valid("param").id, key)), 200);
  },
);

adminPayoutRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/admin/payouts/{id}/reject",
    tags,
    summary: "Give a payout back to its seller's balance",
    middleware: [admin()] as const,
    request: { params: idParameters, headers: idempotencyHeader, body: body(PayoutReason) },
    responses: marketOk(PayoutShape),
  }),
  async (c) => {
    const { reason } = c.req.valid("json");
    const key = c.req.valid("header")["idempotency-key"];
    const payout = await rejectPayout(c.var.ctx, c.req.valid("param").id, reason, key);
    return c.json(enveloped(payout), 200);
  },
);

adminPayoutRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/admin/payouts/{id}/paid",
    tags,
    summary: "The bank has transferred it, under this reference",
    middleware: [admin()] as const,
    request: { params: idParameters, headers: idempotencyHeader, body: body(TransferInput) },
    responses: marketOk(PayoutShape),
  }),
  async (c) => {
    const { transfer_reference } = c.req.valid("json");
    const key = c.req.valid("header")["idempotency-key"];
    const { id } = c.req.valid("param");
    const payout = await markPayoutPaid(c.var.ctx, id, transfer_reference, key);
    return c.json(enveloped(payout), 200);
  },
);

adminPayoutRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/admin/payouts/{id}/bounced",
    tags,
    summary: "The bank has sent the transfer back; above the limit it takes two admins to say so",
    description:
      "A paid payout's money goes back to its seller's balance, once, and he hears of it. Where the payout needed two admins, the first call answers with `state: paid` and `bounced_by`, and another admin's call ends it.",
    middleware: [admin()] as const,
    request: { params: idParameters, headers: idempotencyHeader, body: body(PayoutReason) },
    responses: marketOk(PayoutShape),
  }),
  async (c) => {
    const { reason } = c.req.valid("json");
    const key = c.req.valid("header")["idempotency-key"];
    const { id } = c.req.valid("param");
    return c.json(enveloped(await markPayoutBounced(c.var.ctx, id, reason, key)), 200);
  },
);

adminPayoutRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/admin/orders/{id}/refund",
    tags,
    summary: "Give a buyer his money back, a part of it or all",
    middleware: [admin()] as const,
    request: { params: idParameters, headers: idempotencyHeader, body: body(RefundInput) },
    responses: marketOk(RefundShape),
  }),
  async (c) => {
    const key = c.req.valid("header")["idempotency-key"];
    const { id } = c.req.valid("param");
    return c.json(enveloped(await refundOrder(c.var.ctx, id, c.req.valid("json"), key)), 200);
  },
);

adminPayoutRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/admin/orders/{id}/delivered",
    tags,
    summary: "The buyer has the goods although no courier says so: the seller gets his money",
    middleware: [admin()] as const,
    request: { params: idParameters, headers: idempotencyHeader, body: body(DeliveredInput) },
    responses: marketOk(DeliveredShape),
  }),
  async (c) => {
    const key = c.req.valid("header")["idempotency-key"];
    const { reason } = c.req.valid("json");
    const { id } = c.req.valid("param");
    return c.json(enveloped(await declareDelivered(c.var.ctx, id, reason, key)), 200);
  },
);
