import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { topupOk } from "../../../shared/http/answers.ts";
import { type ApiEnv, createApi } from "../../../shared/http/api.ts";
import { type CallbackBody, receiveCallback } from "../orders/callbacks.ts";

export const callbackRoutes = createApi();

const tags = ["webhooks"];
const path = "/api/webhooks/vip-reseller";

/** No body is read further: one that is so long is kept by its beginning, its length and the digest of what was read. */
const MOST_READ_BYTES = 256 * 1024;

async function bodyOf({ body, headers }: Request): Promise<CallbackBody> {
  const chunks: Uint8Array[] = [];
  let read = 0;
  for await (const chunk of body ?? []) {
    chunks.push(chunk.subarray(0, MOST_READ_BYTES - read));
    read += chunk.length;
    if (read > MOST_READ_BYTES) break;
  }
  const bytes = new Uint8Array(Math.min(read, MOST_READ_BYTES));
  let place = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, place);
    place += chunk.length;
  }
  if (read <= MOST_READ_BYTES) return { bytes, length: read };
  const said = Number(headers.get("content-length"));
  return { bytes, length: Number.isSafeInteger(said) ? Math.max(said, read) : read };
}

async function take({ req, var: { ctx } }: Context<ApiEnv>) {
  const { trxid } = await receiveCallback(ctx, req.raw.headers, await bodyOf(req.raw));
  return { success: true as const, message: "Callback processed successfully", trx_id: trxid };
}

const answer = <S extends z.ZodRawShape>(shape: S) => {
  const { 200: ok, 400: bad, 401: unsigned, 503: out } = topupOk(z.unknown());
  const content = { "application/json": { schema: z.object(shape) } };
  const long = { ...bad, description: "Longer than a callback can be" };
  return { 200: { ...ok, content }, 400: bad, 401: unsigned, 413: long, 503: out };
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
  async (c) => c.json(await take(c), 200),
);

/** The same route: the address is typed in at the supplier by hand, at times with a slash at its end. */
callbackRoutes.all(`${path}/`, async (c, next) =>
  c.req.method === "POST" ? c.json(await take(c), 200) : await next(),
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
