import { createRoute, z } from "@hono/zod-openapi";
import { body, enveloped, marketOk } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { featureProduct, removeProduct } from "../admin/products.ts";
import { FeaturedInput } from "../schemas/admin.ts";
import { idParameters } from "../schemas/fields.ts";
import { SellerProductShape } from "../schemas/products.ts";

export const adminProductRoutes = createApi();

const tags = ["market: admin"];

adminProductRoutes.openapi(
  createRoute({
    method: "put",
    path: "/api/admin/products/{id}/feature",
    tags,
    summary: "Put a product on the front page, or take it off",
    middleware: [access("admin", { fresh: true })] as const,
    request: { params: idParameters, body: body(FeaturedInput) },
    responses: marketOk(SellerProductShape),
  }),
  async (c) => {
    const { featured } = c.req.valid("json");
    const product = await featureProduct(c.var.ctx, c.req.valid("param").id, featured);
    return c.json(enveloped(product), 200);
  },
);

adminProductRoutes.openapi(
  createRoute({
    method: "delete",
    path: "/api/admin/products/{id}",
    tags,
    summary: "Take a product off for good",
    middleware: [access("admin", { fresh: true })] as const,
    request: { params: idParameters },
    responses: marketOk(z.object({ id: z.string() })),
  }),
  async (c) => c.json(enveloped(await removeProduct(c.var.ctx, c.req.valid("param").id)), 200),
);
