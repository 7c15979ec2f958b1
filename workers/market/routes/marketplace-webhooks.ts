import { createRoute, z } from "@hono/zod-openapi";
import { enveloped, marketOk } from "../../../shared/http/answers.ts";
import { createApi } from "../../../shared/http/api.ts";
import { receivePush } from "../marketplaces/orders/pushes.ts";

/** Pushes of marketplaces: checked, put on a queue and answered within the half second that the hastiest one waits. */
export const marketplaceWebhookRoutes = createApi();

const tags = ["webhooks"];

/** Documented by hand: a schema would parse, and the signature is checked over the raw body. */
const requestBody = {
  description: "The push as the marketplace sends it, signed in the header Authorization",
  required: true,
  content: { "application/json": { schema: { type: "object" as const } } },
};
const { 200: received, ...failures } = marketOk(z.object({ received: z.literal(true) }));

marketplaceWebhookRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/webhooks/shopee",
    tags,
    summary: "Push of Shopee; any body in the answer would count as a failure",
    requestBody,
    responses: { 204: { description: "Received" }, ...failures },
  }),
  async (c) => {
    const given = { authorization: c.req.header("authorization"), rawBody: await c.req.text() };
    await receivePush(c.var.ctx, "shopee", given);
    return c.body(null, 204);
  },
);

for (const [name, platform] of [
  ["lazada", "lazada"],
  ["tiktok-shop", "tokopedia"],
] as const) {
  marketplaceWebhookRoutes.openapi(
    createRoute({
      method: "post",
      path: `/api/webhooks/${name}`,
      tags,
      summary: `Push of ${name === "lazada" ? "Lazada" : "TikTok Shop, for Tokopedia"}`,
      requestBody,
      responses: { 200: received, ...failures },
    }),
    async (c) => {
      const given = { authorization: c.req.header("authorization"), rawBody: await c.req.text() };
      await receivePush(c.var.ctx, platform, given);
      return c.json(enveloped({ received: true as const }), 200);
    },
  );
}
