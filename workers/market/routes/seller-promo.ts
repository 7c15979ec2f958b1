import { createRoute, z } from "@hono/zod-openapi";
import {
  body,
  enveloped,
  marketCreated,
  marketList,
  marketOk,
  page,
  pagingQuery,
} from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { feature } from "../admin/features.ts";
import { createPromo, deletePromo, listPromos, updatePromo } from "../promos.ts";
import { idInQueryOrBody } from "../schemas/fields.ts";
import { NewPromo, PromoChanges, PromoShape } from "../schemas/promos.ts";

export const sellerPromoRoutes = createApi();

const tags = ["market: seller"];
const path = "/api/seller/promo";

sellerPromoRoutes.openapi(
  createRoute({
    method: "get",
    path,
    tags,
    summary: "My promo codes",
    middleware: [access("seller")] as const,
    request: { query: z.object(pagingQuery) },
    responses: marketList(PromoShape),
  }),
  async (c) => c.json(page(await listPromos(c.var.ctx, c.req.valid("query"))), 200),
);

sellerPromoRoutes.openapi(
  createRoute({
    method: "post",
    path,
    tags,
    summary: "Add a promo code",
    middleware: [access("seller"), feature("promo_codes")] as const,
    request: { body: body(NewPromo) },
    responses: marketCreated(PromoShape),
  }),
  async (c) => c.json(enveloped(await createPromo(c.var.ctx, c.req.valid("json"))), 201),
);

sellerPromoRoutes.openapi(
  createRoute({
    method: "put",
    path,
    tags,
    summary: "Change the promo code named by id",
    middleware: [access("seller"), feature("promo_codes")] as const,
    request: { body: body(PromoChanges) },
    responses: marketOk(PromoShape),
  }),
  async (c) => c.json(enveloped(await updatePromo(c.var.ctx, c.req.valid("json"))), 200),
);

sellerPromoRoutes.openapi(
  createRoute({
    method: "delete",
    path,
    tags,
    summary: "End the promo code named by id, in the query or in the body",
    middleware: [access("seller")] as const,
    request: idInQueryOrBody,
    responses: marketOk(z.object({ id: z.string() })),
  }),
  async (c) => {
    const id = c.req.valid("query").id ?? c.req.valid("json").id ?? "";
    return c.json(enveloped(await deletePromo(c.var.ctx, id)), 200);
  },
);
