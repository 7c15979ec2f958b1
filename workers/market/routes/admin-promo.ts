import { createRoute, z } from "@hono/zod-openapi";
import {
  body,
  enveloped,
  marketCreated,
  marketList,
  marketOk,
  page,
} from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { createMarketPromo, endPromo, listAllPromos, updateMarketPromo } from "../admin/promos.ts";
import { AdminPromoQuery } from "../schemas/admin.ts";
import { idInQueryOrBody } from "../schemas/fields.ts";
import { NewPromo, PromoChanges, PromoShape } from "../schemas/promos.ts";

export const adminPromoRoutes = createApi();

const tags = ["market: admin"];
const path = "/api/admin/promo";
const admin = () => access("admin", { fresh: true });

adminPromoRoutes.openapi(
  createRoute({
    method: "get",
    path,
    tags,
    summary: "Codes of the whole market; of one store with store_id",
    middleware: [admin()] as const,
    request: { query: AdminPromoQuery },
    responses: marketList(PromoShape),
  }),
  async (c) => c.json(page(await listAllPromos(c.var.ctx, c.req.valid("query"))), 200),
);

adminPromoRoutes.openapi(
  createRoute({
    method: "post",
    path,
    tags,
    summary: "Add a code that counts in every store, at the market's own cost",
    middleware: [admin()] as const,
    request: { body: body(NewPromo) },
    responses: marketCreated(PromoShape),
  }),
  async (c) => c.json(enveloped(await createMarketPromo(c.var.ctx, c.req.valid("json"))), 201),
);

adminPromoRoutes.openapi(
  createRoute({
    method: "put",
    path,
    tags,
    summary: "Change the market's code named by id",
    middleware: [admin()] as const,
    request: { body: body(PromoChanges) },
    responses: marketOk(PromoShape),
  }),
  async (c) => c.json(enveloped(await updateMarketPromo(c.var.ctx, c.req.valid("json"))), 200),
);

adminPromoRoutes.openapi(
  createRoute({
    method: "delete",
    path,
    tags,
    summary: "End any code, named by id in the query or in the body",
    middleware: [admin()] as const,
    request: idInQueryOrBody,
    responses: marketOk(z.object({ id: z.string() })),
  }),
  async (c) => {
    const id = c.req.valid("query").id ?? c.req.valid("json").id ?? "";
    return c.json(enveloped(await endPromo(c.var.ctx, id)), 200);
  },
);
