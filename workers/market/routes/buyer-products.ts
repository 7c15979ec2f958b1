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
    summary:
      "Search the products on sale; meta.capped: more than meta.total, meta.next_cursor leads on",
    request: { query: ProductQuery },
    responses: marketList(BuyerProductShape),
  }),
  async (c) => {
    const result = await searchProducts(c.var.ctx, c.req.valid("query"));
    const answer = page(result);
    const { capped, mended, nextCursor: next_cursor } = result;
    return c.json({ ...answer, meta: { ...answer.meta, capped, mended, next_cursor } }, 200);
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
