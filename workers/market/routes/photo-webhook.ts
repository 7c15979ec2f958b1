import { createRoute, z } from "@hono/zod-openapi";
import { enveloped, marketOk } from "../../../shared/http/answers.ts";
import { createApi } from "../../../shared/http/api.ts";
import { receivePhotoNotice } from "../photos/notices.ts";

export const photoWebhookRoutes = createApi();

photoWebhookRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/webhooks/replicate",
    tags: ["webhooks"],
    summary: "Webhook of Replicate: a picture is done (webhook-signature over the raw body)",
    // Documented by hand: a schema would parse, and the signature is checked over the raw body.
    requestBody: {
      description: "The prediction, as GET /predictions/{id} would answer it",
      required: true,
      content: { "application/json": { schema: { type: "object" as const } } },
    },
    responses: marketOk(z.object({ received: z.literal(true) })),
  }),
  async (c) => {
    const given = { headers: c.req.raw.headers, rawBody: await c.req.text() };
    await receivePhotoNotice(c.var.ctx, given);
    return c.json(enveloped({ received: true as const }), 200);
  },
);
