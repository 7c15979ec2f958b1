import { createRoute } from "@hono/zod-openapi";
import { enveloped, marketOk } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { getDashboard } from "../admin/dashboard.ts";
import { DashboardQuery, DashboardShape } from "../schemas/admin.ts";

export const adminDashboardRoutes = createApi();

adminDashboardRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/admin/dashboard",
    tags: ["market: admin"],
    summary: "What the market earns, and its last 30 days; of one store with store_id",
    middleware: [access("admin", { fresh: true })] as const,
    request: { query: DashboardQuery },
    responses: marketOk(DashboardShape),
  }),
  async (c) => c.json(enveloped(await getDashboard(c.var.ctx, c.req.valid("query").store_id)), 200),
);
