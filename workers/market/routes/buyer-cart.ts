import { createRoute, z } from "@hono/zod-openapi";
import { body, enveloped, marketCreated, marketOk } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { getCart, removeFromCart, setCartLine } from "../cart.ts";
import { CartLine, CartShape } from "../schemas/cart.ts";
import { optionalParameter } from "../schemas/fields.ts";

export const buyerCartRoutes = createApi();

const tags = ["market: buyer"];
const path = "/api/buyer/cart";

buyerCartRoutes.openapi(
  createRoute({
    method: "get",
    path,
    tags,
    summary: "My cart at today's prices and stock",
    middleware: [access("buyer")] as const,
    responses: marketOk(CartShape),
  }),
  async (c) => c.json(enveloped(await getCart(c.var.ctx)), 200),
);

buyerCartRoutes.openapi(
  createRoute({
    method: "post",
    path,
    tags,
    summary: "Set the quantity of one product; 0 takes it out",
    middleware: [access("buyer")] as const,
    request: { body: body(CartLine) },
    responses: { ...marketOk(CartShape), ...marketCreated(CartShape) },
  }),
  async (c) => {
    const { created, cart } = await setCartLine(c.var.ctx, c.req.valid("json"));
    return created ? c.json(enveloped(cart), 201) : c.json(enveloped(cart), 200);
  },
);

buyerCartRoutes.openapi(
  createRoute({
    method: "delete",
    path,
    tags,
    summary: "Take one product out, or all without product_id",
    middleware: [access("buyer")] as const,
    request: { query: z.object({ product_id: optionalParameter(z.uuid()) }) },
    responses: marketOk(CartShape),
  }),
  async (c) => {
    const { product_id } = c.req.valid("query");
    return c.json(enveloped(await removeFromCart(c.var.ctx, product_id ?? null)), 200);
  },
);
