import { createRoute, z } from "@hono/zod-openapi";
import { body, enveloped, marketCreated, marketOk } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { SlugAnswer, StoreChanges, StoreShape } from "../schemas/stores.ts";
import { checkSlug, findOwnStore, saveStore } from "../stores.ts";

export const sellerStoreRoutes = createApi();

const tags = ["market: seller"];

sellerStoreRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/seller/store",
    tags,
    summary: "My store, null before there is one; with check_slug whether that slug is free",
    middleware: [access("seller")] as const,
    request: { query: z.object({ check_slug: z.string().max(200).optional() }) },
    responses: marketOk(z.union([StoreShape, SlugAnswer]).nullable()),
  }),
  async (c) => {
    const { check_slug } = c.req.valid("query");
    if (check_slug) return c.json(enveloped(await checkSlug(c.var.ctx, check_slug)), 200);
    return c.json(enveloped(await findOwnStore(c.var.ctx)), 200);
  },
);

sellerStoreRoutes.openapi(
  createRoute({
    method: "put",
    path: "/api/seller/store",
    tags,
    summary: "Open my store (first call) or change it",
    middleware: [access("seller")] as const,
    request: { body: body(StoreChanges) },
    responses: { ...marketOk(StoreShape), ...marketCreated(StoreShape) },
  }),
  async (c) => {
    const { created, store } = await saveStore(c.var.ctx, c.req.valid("json"));
    return created ? c.json(enveloped(store), 201) : c.json(enveloped(store), 200);
  },
);
