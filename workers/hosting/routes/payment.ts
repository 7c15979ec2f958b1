import { createRoute, z } from "@hono/zod-openapi";
import { body, hostingOk, idempotencyHeader } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { receiveIpaymuNotice } from "../../../shared/payments/index.ts";
import { createPayment } from "../payment.ts";
import { listPaymentChannels } from "../payment-channels.ts";
import { CreatePayment, OrderView, PaymentDetails, paymentWords } from "../schemas/orders.ts";

/** Paying for plans, and what iPaymu tells of it. */
export const paymentRoutes = createApi();

const tags = ["hosting: payment"];

paymentRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/payment/create",
    tags,
    summary: "Order a plan (or renew a subscription) and open its payment page",
    middleware: [access(null, { fresh: true })] as const,
    request: { headers: idempotencyHeader, body: body(CreatePayment) },
    responses: hostingOk({
      order: OrderView,
      paymentUrl: z.string(),
      paymentDetails: PaymentDetails,
    }),
  }),
  async (c) => {
    const key = c.req.valid("header")["idempotency-key"];
    const started = await createPayment(c.var.ctx, c.req.valid("json"), key);
    return c.json({ success: true as const, ...started }, 200);
  },
  paymentWords,
);

/** Documented by hand: a schema would parse, and the signature is over the raw bytes. */
const callbackBody = {
  description: "The payment as iPaymu tells it, as a form or as JSON",
  required: true,
  content: {
    "application/x-www-form-urlencoded": { schema: { type: "object" as const } },
    "application/json": { schema: { type: "object" as const } },
  },
};

paymentRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/payment/callback",
    tags,
    summary: "Payment callback of iPaymu (X-Signature, or signature)",
    requestBody: callbackBody,
    responses: hostingOk({}),
  }),
  async (c) => {
    // As bytes: workerd warns of a form that is read as text.
    const rawBody = new TextDecoder().decode(await c.req.arrayBuffer());
    await receiveIpaymuNotice(c.var.ctx, c.req.raw.headers, rawBody);
    return c.json({ success: true as const }, 200);
  },
);

const Channel = z
  .object({
    id: z.string(),
    name: z.string(),
    channel: z.string(),
    description: z.string(),
    enabled: z.boolean(),
    logo: z.string(),
    category: z.enum(["bank", "retail", "qris", "ewallet"]),
    fee: z
      .object({ ActualFee: z.number(), ActualFeeType: z.string(), AdditionalFee: z.number() })
      .nullable(),
  })
  .openapi("PaymentChannel");

paymentRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/payment/channels",
    tags,
    summary: "Ways to pay",
    middleware: [access(null)] as const,
    responses: hostingOk({ data: z.array(Channel) }),
  }),
  async (c) => {
    const data = await listPaymentChannels(c.var.ctx);
    return c.json({ success: true as const, data }, 200);
  },
);
