import { createRoute, z } from "@hono/zod-openapi";
import { body, enveloped, marketList, marketOk, page } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { getFlags, setFlags } from "../admin/flags.ts";
import { deleteStore, featureStore, listStores, setStoreStatus } from "../admin/stores.ts";
import {
  AdminStoreShape,
  AdminStoresQuery,
  DeletedStoreShape,
  DeleteStoreQuery,
  FeaturedInput,
  FlagChanges,
  FlagsShape,
  StoreStatusInput,
} from "../schemas/admin.ts";
import { idParameters } from "../schemas/fields.ts";
import { StoreShape } from "../schemas/stores.ts";

export const adminStoreRoutes = createApi();

const tags = ["market: admin"];
const admin = () => access("admin", { fresh: true });

adminStoreRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/admin/stores",
    tags,
    summary: "All stores; search looks at names, slugs and owners",
    middleware: [admin()] as const,
    request: { query: AdminStoresQuery },
    responses: marketList(AdminStoreShape),
  }),
  async (c) => c.json(page(await listStores(c.var.ctx, c.req.valid("query"))), 200),
);

adminStoreRoutes.openapi(
  createRoute({
    method: "put",
    path: "/api/admin/stores/{id}/feature",
    tags,
    summary: "Put a store on the front page, or take it off",
    middleware: [admin()] as const,
    request: { params: idParameters, body: body(FeaturedInput) },
    responses: marketOk(StoreShape),
  }),
  async (c) => {
    const { featured } = c.req.valid("json");
    const store = await featureStore(c.var.ctx, c.req.valid("param").id, featured);
    return c.json(enveloped(store), 200);
  },
);

adminStoreRoutes.openapi(
  createRoute({
    method: "put",
    path: "/api/admin/stores/{id}/status",
    tags,
    summary: "Open or close a store",
    middleware: [admin()] as const,
    request: { params: idParameters, body: body(StoreStatusInput) },
    responses: marketOk(AdminStoreShape),
  }),
  async (c) => {
    const { id } = c.req.valid("param");
    return c.json(enveloped(await setStoreStatus(c.var.ctx, id, c.req.valid("json"))), 200);
  },
);

adminStoreRoutes.openapi(
  createRoute({
    method: "delete",
    path: "/api/admin/stores/{id}",
    tags,
    summary:
      "Delete a store; with open orders only with defer=true, which closes it until they end",
    middleware: [admin()] as const,
    request: { params: idParameters, query: DeleteStoreQuery },
    responses: marketOk(DeletedStoreShape),
  }),
  async (c) => {
    const { defer = false } = c.req.valid("query");
    const deleted = await deleteStore(c.var.ctx, c.req.valid("param").id, defer);
    return c.json(enveloped(deleted), 200);
  },
);

const storeParameters = z.object({ storeId: z.string().max(100) });

adminStoreRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/admin/feature-flags/{storeId}",
    tags,
    summary: "Which features a store has",
    middleware: [admin()] as const,
    request: { params: storeParameters },
    responses: marketOk(FlagsShape),
  }),
  async (c) => c.json(enveloped(await getFlags(c.var.ctx, c.req.valid("param").storeId)), 200),
);

adminStoreRoutes.openapi(
  createRoute({
    method: "put",
    path: "/api/admin/feature-flags/{storeId}",
    tags,
    summary: "Switch features of a store on or off",
    middleware: [admin()] as const,
    request: { params: storeParameters, body: body(FlagChanges) },
    responses: marketOk(FlagsShape),
  }),
  async (c) => {
    const { storeId } = c.req.valid("param");
    return c.json(enveloped(await setFlags(c.var.ctx, storeId, c.req.valid("json"))), 200);
  },
);
