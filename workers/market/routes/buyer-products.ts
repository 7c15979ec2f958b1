import { createRoute, z } from "@hono/zod-openapi";
import { enveloped, marketList, marketOk, page } from "../../../shared/http/answers.ts";
import { createApi } from "../../../shared/http/api.ts";
import { listCategories } from "../categories.ts";
import { CategoryShape } from "../schemas/categories.ts";
import { BuyerProductShape, ProductQuery } from "../schemas/products.ts";
import { searchProducts } from "../search.ts";

export const buyerProductRoutes = createApi();

const tags = ["market: buyer"];

buyerProductRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/buyer/products",
    tags,
    summary: "Search the products on sale; meta.capped says that there are more than meta.total",
    request: { query: ProductQuery },
    responses: marketList(BuyerProductShape),
  }),
  async (c) => {
    const result = await searchProducts(c.var.ctx, c.req.valid("query"));
    const answer = page(result);
    return c.json({ ...answer, meta: { ...answer.meta, capped: result.capped } }, 200);
  },
);

buyerProductRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/buyer/categories",
    tags,
    summary: "All categories by name",
    responses: marketOk(z.array(CategoryShape)),
  }),
  async (c) => c.json(enveloped(await listCategories(c.var.ctx)), 200),
);
