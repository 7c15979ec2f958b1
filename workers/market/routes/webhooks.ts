import { createRoute, z } from "@hono/zod-openapi";
import { enveloped, marketOk } from "../../../shared/http/answers.ts";
import { createApi } from "../../../shared/http/api.ts";
import { receiveMidtransNotice } from "../../../shared/payments/index.ts";
import { receiveCourierCallback } from "../shipping/courier-news.ts";

/** Notices are verified, put on a queue and answered; nothing here waits for the database. */
export const webhookRoutes = createApi();

const tags = ["webhooks"];
const responses = marketOk(z.object({ received: z.literal(true) }));

/** Documented by hand: a schema would parse, and the routes verify the raw bytes first. */
const requestBody = (description: string) => ({
  description,
  required: true,
  content: { "application/json": { schema: { type: "object" as const } } },
});

const received = () => enveloped({ received: true as const });

webhookRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/webhooks/midtrans",
    tags,
    summary: "Payment notification of Midtrans (signature_key in the body)",
    requestBody: requestBody("The transaction as Midtrans tells it"),
    responses,
  }),
  async (c) => {
    await receiveMidtransNotice(c.var.ctx, await c.req.text());
    return c.json(received(), 200);
  },
);

webhookRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/webhooks/kiriminaja",
    tags,
    summary: "Parcel callback of KiriminAja (its API key as bearer)",
    requestBody: requestBody("The method and the parcels that it is about"),
    responses,
  }),
  async (c) => {
    await receiveCourierCallback(c.var.ctx, c.req.header("authorization"), await c.req.text());
    return c.json(received(), 200);
  },
);
