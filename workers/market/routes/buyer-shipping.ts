import { createRoute, z } from "@hono/zod-openapi";
import { enveloped, marketOk } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { districtId, text } from "../schemas/fields.ts";
import { Area, Rate } from "../schemas/orders.ts";
import { searchAreas } from "../shipping/areas.ts";
import { listRates } from "../shipping/rates.ts";

export const buyerShippingRoutes = createApi();

const tags = ["market: buyer"];
const optionalAmount = (max: number) => z.coerce.number().int().min(1).max(max).optional();

buyerShippingRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/buyer/areas",
    tags,
    summary: "Districts by name, with the id that addresses and rates need",
    request: { query: z.object({ input: text(3, 60) }) },
    responses: marketOk(z.array(Area)),
  }),
  async (c) => c.json(enveloped(await searchAreas(c.var.ctx, c.req.valid("query").input)), 200),
);

buyerShippingRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/buyer/shipping",
    tags,
    summary: "What couriers ask to carry my cart (or a weight) from a store to a district",
    middleware: [access("buyer")] as const,
    request: {
      query: z.object({
        store_id: z.uuid(),
        destination_area_id: districtId(1, 20),
        weight: optionalAmount(1_000_000),
        value: optionalAmount(1_000_000_000),
      }),
    },
    responses: marketOk(z.array(Rate)),
  }),
  async (c) => {
    const query = c.req.valid("query");
    const rates = await listRates(c.var.ctx, {
      storeId: query.store_id,
      destinationAreaId: query.destination_area_id,
      weightGram: query.weight,
      valueIdr: query.value,
    });
    return c.json(enveloped(rates), 200);
  },
);
