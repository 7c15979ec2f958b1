import { createRoute, z } from "@hono/zod-openapi";
import { body, enveloped, marketList, marketOk, page } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { feature } from "../admin/features.ts";
import { authoriseLink } from "../marketplaces/connections/authorise.ts";
import { connectShop, disconnectShop } from "../marketplaces/connections/connect.ts";
import { listConnections } from "../marketplaces/connections/status.ts";
import {
  listAttributes,
  listMappings,
  saveMapping,
  searchCategories,
} from "../marketplaces/mappings.ts";
import { getRun, listListings, syncProducts } from "../marketplaces/sync.ts";
import { idParameters } from "../schemas/fields.ts";
import {
  AuthoriseLink,
  AuthoriseQuery,
  CategoriesQuery,
  Connected,
  ConnectInput,
  ConnectionStatus,
  Disconnected,
  DisconnectInput,
  Listing,
  ListingsQuery,
  Mapping,
  MappingInput,
  platformParameter,
  RemoteAttribute,
  RemoteCategory,
  RemoteCategoryParameters,
  SyncAnswer,
  SyncInput,
  SyncProgress,
} from "../schemas/marketplace.ts";

export const sellerMarketplaceRoutes = createApi();

const tags = ["market: marketplaces"];
const base = "/api/seller/marketplace";

sellerMarketplaceRoutes.openapi(
  createRoute({
    method: "get",
    path: `${base}/status`,
    tags,
    summary: "My shops on the three marketplaces",
    middleware: [access("seller")] as const,
    responses: marketOk(z.array(ConnectionStatus)),
  }),
  async (c) => c.json(enveloped(await listConnections(c.var.ctx)), 200),
);

sellerMarketplaceRoutes.openapi(
  createRoute({
    method: "get",
    path: `${base}/authorise/{platform}`,
    tags,
    summary: "Where I grant access to my shop; the state is good for one connection",
    middleware: [access("seller"), feature("marketplace_sync")] as const,
    request: { params: platformParameter, query: AuthoriseQuery },
    responses: marketOk(AuthoriseLink),
  }),
  async (c) => {
    const { platform } = c.req.valid("param");
    const { redirect_url: redirectUrl } = c.req.valid("query");
    return c.json(enveloped(await authoriseLink(c.var.ctx, { platform, redirectUrl })), 200);
  },
);

sellerMarketplaceRoutes.openapi(
  createRoute({
    method: "post",
    path: `${base}/connect`,
    tags,
    summary: "Connect my shop with the code of the marketplace's callback",
    middleware: [access("seller"), feature("marketplace_sync")] as const,
    request: { body: body(ConnectInput) },
    responses: marketOk(Connected),
  }),
  async (c) => c.json(enveloped(await connectShop(c.var.ctx, c.req.valid("json"))), 200),
);

sellerMarketplaceRoutes.openapi(
  createRoute({
    method: "post",
    path: `${base}/sync`,
    tags,
    summary: "Bring products to a marketplace; what is pending after two seconds goes on as a job",
    middleware: [access("seller"), feature("marketplace_sync")] as const,
    request: { body: body(SyncInput) },
    responses: marketOk(SyncAnswer),
  }),
  async (c) => c.json(enveloped(await syncProducts(c.var.ctx, c.req.valid("json"))), 200),
);

sellerMarketplaceRoutes.openapi(
  createRoute({
    method: "get",
    path: `${base}/jobs/{id}`,
    tags,
    summary: "How far a sync is, and why products could not be listed",
    middleware: [access("seller")] as const,
    request: { params: idParameters },
    responses: marketOk(SyncProgress),
  }),
  async (c) => c.json(enveloped(await getRun(c.var.ctx, c.req.valid("param").id)), 200),
);

sellerMarketplaceRoutes.openapi(
  createRoute({
    method: "get",
    path: `${base}/listings`,
    tags,
    summary: "My products on marketplaces, those that need me first",
    middleware: [access("seller")] as const,
    request: { query: ListingsQuery },
    responses: marketList(Listing),
  }),
  async (c) => c.json(page(await listListings(c.var.ctx, c.req.valid("query"))), 200),
);

sellerMarketplaceRoutes.openapi(
  createRoute({
    method: "get",
    path: `${base}/mappings`,
    tags,
    summary: "Where products of our categories go on marketplaces",
    middleware: [access("seller")] as const,
    responses: marketOk(z.array(Mapping)),
  }),
  async (c) => c.json(enveloped(await listMappings(c.var.ctx)), 200),
);

sellerMarketplaceRoutes.openapi(
  createRoute({
    method: "put",
    path: `${base}/mappings`,
    tags,
    summary: "Choose category, brand and attributes for the products of one of our categories",
    middleware: [access("seller"), feature("marketplace_sync")] as const,
    request: { body: body(MappingInput) },
    responses: marketOk(MappingInput),
  }),
  async (c) => c.json(enveloped(await saveMapping(c.var.ctx, c.req.valid("json"))), 200),
);

sellerMarketplaceRoutes.openapi(
  createRoute({
    method: "get",
    path: `${base}/categories/{platform}`,
    tags,
    summary: "Categories of a marketplace that take products, by a part of their path",
    middleware: [access("seller")] as const,
    request: { params: platformParameter, query: CategoriesQuery },
    responses: marketOk(z.array(RemoteCategory)),
  }),
  async (c) => {
    const { platform } = c.req.valid("param");
    const { search = "" } = c.req.valid("query");
    return c.json(enveloped(await searchCategories(c.var.ctx, platform, search)), 200);
  },
);

sellerMarketplaceRoutes.openapi(
  createRoute({
    method: "get",
    path: `${base}/categories/{platform}/{id}/attributes`,
    tags,
    summary: "What a marketplace wants to know about products of a category",
    middleware: [access("seller")] as const,
    request: { params: RemoteCategoryParameters },
    responses: marketOk(z.array(RemoteAttribute)),
  }),
  async (c) => {
    const { platform, id } = c.req.valid("param");
    return c.json(enveloped(await listAttributes(c.var.ctx, platform, id)), 200);
  },
);

sellerMarketplaceRoutes.openapi(
  createRoute({
    method: "post",
    path: `${base}/disconnect`,
    tags,
    summary: "Forget the access to my shop; what is listed there stays",
    middleware: [access("seller")] as const,
    request: { body: body(DisconnectInput) },
    responses: marketOk(Disconnected),
  }),
  async (c) => {
    const { platform } = c.req.valid("json");
    return c.json(enveloped(await disconnectShop(c.var.ctx, platform)), 200);
  },
);
