import { createRoute, z } from "@hono/zod-openapi";
import { topupOk } from "../../../shared/http/answers.ts";
import { createApi } from "../../../shared/http/api.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { keepOverlong, receiveCallback } from "../orders/callbacks.ts";

export const callbackRoutes = createApi();

const tags = ["webhooks"];
const path = "/api/webhooks/vip-reseller";

const MOST_BYTES = 256 * 1024;

/** A request's body, read no further than a callback can go: what is longer is kept too, and refused here. */
async function beginningOf({ body }: Request): Promise<{ text: string; isWhole: boolean }> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    text += decoder.decode(chunk, { stream: true });
    if (bytes > MOST_BYTES) return { text, isWhole: false };
  }
  return { text: text + decoder.decode(), isWhole: true };
}

const answer = <S extends z.ZodRawShape>(shape: S) => {
  const { 200: ok, 400: bad, 401: unsigned, 429: many, 503: out } = topupOk(z.unknown());
  const content = { "application/json": { schema: z.object(shape) } };
  return { 200: { ...ok, content }, 400: bad, 401: unsigned, 429: many, 503: out };
};

callbackRoutes.openapi(
  createRoute({
    method: "post",
    path,
    tags,
    summary: "Callback of the supplier, in its own or the specification's form",
    // Documented by hand: a schema would parse, and the signature is checked over the raw body.
    requestBody: {
      description: "{data: {trxid, status, note, …}} or {trx_id, status, sn, note}",
      required: true,
      content: { "application/json": { schema: { type: "object" as const } } },
    },
    responses: answer({ success: z.literal(true), message: z.string(), trx_id: z.string() }),
  }),
  async (c) => {
    const { text, isWhole } = await beginningOf(c.req.raw);
    if (!isWhole) {
      await keepOverlong(c.var.ctx, text);
      throw new AppError("too_large", "Callback is too large");
    }
    const { trxid } = await receiveCallback(c.var.ctx, c.req.raw.headers, text);
    const message = "Callback processed successfully";
    return c.json({ success: true as const, message, trx_id: trxid }, 200);
  },
);

callbackRoutes.openapi(
  createRoute({
    method: "get",
    path,
    tags,
    summary: "Whether callbacks are taken",
    responses: answer({
      service: z.string(),
      status: z.string(),
      timestamp: z.iso.datetime(),
      supported_callbacks: z.array(z.string()),
    }),
  }),
  (c) =>
    c.json(
      {
        service: "VIP-Reseller Webhook",
        status: "active",
        timestamp: c.var.ctx.now().toISOString(),
        supported_callbacks: [
          "Game Feature orders",
          "Prepaid orders (pulsa, PPOB)",
          "Social Media orders",
        ],
      },
      200,
    ),
);
