import { createRoute, z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { body, hostingOk } from "../../../shared/http/answers.ts";
import { type ApiEnv, access, createApi } from "../../../shared/http/api.ts";
import {
  changePlan,
  createPlan,
  deletePlan,
  getPlan,
  listPlans,
  listPlansForAdmin,
} from "../plans.ts";
import { NewPlan, PlanChange, PlanForAdmin, PlanQuery, PlanView } from "../schemas/plans.ts";

/** What is for sale, for everybody, and its care by admins. */
export const planRoutes = createApi();

const tags = ["hosting: plans"];
const params = z.object({ id: z.string().max(100) });
const adminOnly = access("admin");

/** Everybody sees what is for sale; what is not is an admin's to see (`?activeOnly=false`). */
const adminForAll: MiddlewareHandler<ApiEnv> = async (c, next) =>
  c.req.query("activeOnly") === "false" ? await adminOnly(c, next) : await next();

planRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/plans",
    tags,
    summary: "Plans for sale; with activeOnly=false an admin sees all, with their slots",
    middleware: [adminForAll] as const,
    request: { query: PlanQuery },
    responses: hostingOk({ data: z.array(z.union([PlanForAdmin, PlanView])) }),
  }),
  async (c) => {
    const { type, activeOnly } = c.req.valid("query");
    const { ctx } = c.var;
    const data =
      activeOnly === "false" ? await listPlansForAdmin(ctx, type) : await listPlans(ctx, type);
    return c.json({ success: true as const, data }, 200);
  },
);

planRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/plans/{id}",
    tags,
    summary: "One plan that is for sale",
    request: { params },
    responses: hostingOk({ data: PlanView }),
  }),
  async (c) => {
    const data = await getPlan(c.var.ctx, c.req.valid("param").id);
    return c.json({ success: true as const, data }, 200);
  },
);

planRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/plans",
    tags,
    summary: "A new plan",
    middleware: [access("admin", { fresh: true })] as const,
    request: { body: body(NewPlan) },
    responses: hostingOk({ data: PlanForAdmin }),
  }),
  async (c) => {
    const data = await createPlan(c.var.ctx, c.req.valid("json"));
    return c.json({ success: true as const, data }, 200);
  },
);

planRoutes.openapi(
  createRoute({
    method: "patch",
    path: "/api/plans/{id}",
    tags,
    summary: "Change a plan; what was ordered keeps its price",
    middleware: [access("admin", { fresh: true })] as const,
    request: { params, body: body(PlanChange) },
    responses: hostingOk({ data: PlanForAdmin }),
  }),
  async (c) => {
    const data = await changePlan(c.var.ctx, c.req.valid("param").id, c.req.valid("json"));
    return c.json({ success: true as const, data }, 200);
  },
);

planRoutes.openapi(
  createRoute({
    method: "delete",
    path: "/api/plans/{id}",
    tags,
    summary: "Take a plan off for good; what was sold of it goes on",
    middleware: [access("admin", { fresh: true })] as const,
    request: { params },
    responses: hostingOk({ data: PlanForAdmin }),
  }),
  async (c) => {
    const data = await deletePlan(c.var.ctx, c.req.valid("param").id);
    return c.json({ success: true as const, data }, 200);
  },
);
