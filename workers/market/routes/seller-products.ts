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
import { createProduct } from "../products/create.ts";
import { deleteProduct } from "../products/delete.ts";
import { getOwnProduct, listOwnProducts } from "../products/read.ts";
import { updateProduct } from "../products/update.ts";
import { idParameters } from "../schemas/fields.ts";
import {
  NewProduct,
  ProductChanges,
  SellerProductQuery,
  SellerProductShape,
} from "../schemas/products.ts";

export const sellerProductRoutes = createApi();

const tags = ["market: seller"];

sellerProductRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/seller/products",
    tags,
    summary: "My products",
    middleware: [access("seller")] as const,
    request: { query: SellerProductQuery },
    responses: marketList(SellerProductShape),
  }),
  async (c) => c.json(page(await listOwnProducts(c.var.ctx, c.req.valid("query"))), 200),
);

sellerProductRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/seller/products",
    tags,
    summary: "Add a product",
    middleware: [access("seller")] as const,
    request: { body: body(NewProduct) },
    responses: marketCreated(SellerProductShape),
  }),
  async (c) => c.json(enveloped(await createProduct(c.var.ctx, c.req.valid("json"))), 201),
);

sellerProductRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/seller/products/{id}",
    tags,
    summary: "One of my products",
    middleware: [access("seller")] as const,
    request: { params: idParameters },
    responses: marketOk(SellerProductShape),
  }),
  async (c) => c.json(enveloped(await getOwnProduct(c.var.ctx, c.req.valid("param").id)), 200),
);

sellerProductRoutes.openapi(
  createRoute({
    method: "put",
    path: "/api/seller/products/{id}",
    tags,
    summary: "Change one of my products; images replace all earlier ones",
    middleware: [access("seller")] as const,
    request: { params: idParameters, body: body(ProductChanges) },
    responses: marketOk(SellerProductShape),
  }),
  async (c) => {
    const { id } = c.req.valid("param");
    return c.json(enveloped(await updateProduct(c.var.ctx, id, c.req.valid("json"))), 200);
  },
);

sellerProductRoutes.openapi(
  createRoute({
    method: "delete",
    path: "/api/seller/products/{id}",
    tags,
    summary: "Take one of my products off for good",
    middleware: [access("seller")] as const,
    request: { params: idParameters },
    responses: marketOk(z.object({ id: z.string() })),
  }),
  async (c) => c.json(enveloped(await deleteProduct(c.var.ctx, c.req.valid("param").id)), 200),
);
