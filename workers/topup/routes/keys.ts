import { createRoute, z } from "@hono/zod-openapi";
import { auditRefusals } from "../../../shared/audit/refusals.ts";
import { body, topupData, topupOk } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { changeKey, createKey, listKeys, revokeKey } from "../resellers/keys.ts";
import { KeyChanges, KeyShape, MadeKey, NewKey } from "../schemas/resellers.ts";

export const keyRoutes = createApi();

const tags = ["topup: reseller"];
const path = "/api/reseller/keys";
const params = z.object({ id: z.string().max(100) });
const refusals = auditRefusals("topup.key", (c) => ({
  kind: "api_key",
  id: c.req.param("id") ?? "-",
}));

keyRoutes.openapi(
  createRoute({
    method: "get",
    path,
    tags,
    summary: "My API keys; no key's text is shown",
    middleware: [access(null, { fresh: true })] as const,
    responses: topupOk(z.array(KeyShape)),
  }),
  async (c) => c.json(topupData(await listKeys(c.var.ctx)), 200),
);

keyRoutes.openapi(
  createRoute({
    method: "post",
    path,
    tags,
    summary: "Make an API key; this answer alone shows it",
    middleware: [refusals, access(null, { fresh: true })] as const,
    request: { body: body(NewKey) },
    responses: topupOk(MadeKey),
  }),
  async (c) => c.json(topupData(await createKey(c.var.ctx, c.req.valid("json"))), 200),
);

keyRoutes.openapi(
  createRoute({
    method: "put",
    path: `${path}/{id}`,
    tags,
    summary: "Rename a key, or change its scopes, addresses and limits",
    middleware: [refusals, access(null, { fresh: true })] as const,
    request: { params, body: body(KeyChanges) },
    responses: topupOk(KeyShape),
  }),
  async (c) => {
    const { id } = c.req.valid("param");
    return c.json(topupData(await changeKey(c.var.ctx, id, c.req.valid("json"))), 200);
  },
);

keyRoutes.openapi(
  createRoute({
    method: "delete",
    path: `${path}/{id}`,
    tags,
    summary: "Revoke a key at once",
    middleware: [refusals, access(null, { fresh: true })] as const,
    request: { params },
    responses: topupOk(KeyShape),
  }),
  async (c) => c.json(topupData(await revokeKey(c.var.ctx, c.req.valid("param").id)), 200),
);
