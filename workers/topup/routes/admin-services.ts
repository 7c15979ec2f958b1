import { createRoute, z } from "@hono/zod-openapi";
import { auditRefusals } from "../../../shared/audit/refusals.ts";
import { body, topupData, topupOk } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { listAllServices, switchServices } from "../admin/services.ts";
import {
  AdminServiceQuery,
  AdminServiceShape,
  ServiceSwitch,
  ServicesSwitched,
} from "../schemas/admin-services.ts";

export const adminServiceRoutes = createApi();

const tags = ["topup: admin"];
const path = "/api/admin/topup/services";
const guarded = [
  auditRefusals("topup.service", (c) => ({ kind: "topup_admin", id: `${c.req.method} ${path}` })),
  access("admin", { fresh: true }),
];

adminServiceRoutes.openapi(
  createRoute({
    method: "get",
    path,
    tags,
    summary: "All services of the catalogue, those that are off or gone too",
    middleware: guarded,
    request: { query: AdminServiceQuery },
    responses: topupOk(
      z.object({ services: z.array(AdminServiceShape), next: z.string().nullable() }),
    ),
  }),
  async (c) => c.json(topupData(await listAllServices(c.var.ctx, c.req.valid("query"))), 200),
);

adminServiceRoutes.openapi(
  createRoute({
    method: "put",
    path,
    tags,
    summary: "Take services off sale or put them back, by id or by family and code; all or none",
    middleware: guarded,
    request: { body: body(ServiceSwitch) },
    responses: topupOk(ServicesSwitched),
  }),
  async (c) => c.json(topupData(await switchServices(c.var.ctx, c.req.valid("json"))), 200),
);
