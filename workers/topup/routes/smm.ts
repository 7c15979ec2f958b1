import { createRoute } from "@hono/zod-openapi";
import type { Context } from "hono";
import { type ApiEnv, createApi } from "../../../shared/http/api.ts";
import { callerAddress } from "../../../shared/http/caller.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { callPanel } from "../resellers/panel/panel.ts";
import { readFields } from "../resellers/panel/request.ts";

export const smmRoutes = createApi();

const path = "/api/v2";

/** Documented by hand: panels post forms of any kind, and what does not fit is answered in their own words. */
const requestBody = {
  description:
    "key, action = services | add (service, link, quantity?, zone?, idempotency_key?, max_charge?) | status (order, or orders: up to " +
    "100 numbers) | balance | refill | refill_status | cancel. A game's link is `id` or `id|zone`; " +
    "a social service's is a name, or leads to the platform that the service is for. " +
    "An order costs what its service costs at that moment: with max_charge, in rupiah, it is refused where it would cost more. " +
    "How much the key's owner may order goes by his level, as by the app.",
  required: true,
  content: {
    "application/x-www-form-urlencoded": { schema: { type: "object" as const } },
    "multipart/form-data": { schema: { type: "object" as const } },
  },
};

async function take(c: Context<ApiEnv>) {
  const { ctx } = c.var;
  const fields = await readFields(c.req.raw);
  const address = callerAddress(c);
  const idempotencyKey = c.req.header("idempotency-key");
  const json = await callPanel(ctx, fields, { address, idempotencyKey });
  return c.body(json, 200, { "content-type": "application/json" });
}

smmRoutes.openapi(
  createRoute({
    method: "post",
    path,
    tags: ["topup: reseller"],
    summary: "The SMM panel API, version 2, for resellers' panels",
    parameters: [{ name: "idempotency-key", in: "header", schema: { type: "string" } }],
    requestBody,
    responses: {
      200: {
        description: "What was asked for, or {error}, as JSON; with `message` of a wrong link",
      },
      429: { description: "{error}: the key or the address asks too often" },
      503: { description: "{error}: not done; nothing is lost" },
    },
  }),
  take,
);

/** A key in an address would stand in logs, so the dialect's GET form is refused. */
function refuse(): never {
  throw new AppError("method_not_allowed", "Incorrect request");
}

smmRoutes.all(path, refuse);

/** The same route: many panels are set up with a slash at the end, and no form follows a redirect. */
smmRoutes.all(`${path}/`, (c) => (c.req.method === "POST" ? take(c) : refuse()));
