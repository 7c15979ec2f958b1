import { createRoute, z } from "@hono/zod-openapi";
import { auditRefusals } from "../../../shared/audit/refusals.ts";
import { body, idempotencyHeader, topupData, topupOk } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { listCallbacks, listRefused, replayCallback } from "../admin/callbacks.ts";
import { listReports, readReport, reconcileAgain } from "../admin/reports.ts";
import { adjustStock, listStockHistory } from "../admin/stock.ts";
import { checkSupplierNow, readSupplier } from "../admin/supplier.ts";
import { listDeposits, noteDeposit } from "../admin/supplier-deposits.ts";
import { AdminPage, DayParameter, IdParameter } from "../schemas/admin.ts";
import { CallbackShape, RefusedCallbackShape } from "../schemas/callbacks.ts";
import { ReportShape } from "../schemas/reports.ts";
import {
  DepositShape,
  NewDeposit,
  StockChange,
  StockEntry,
  StockShape,
  SupplierShape,
} from "../schemas/supplier.ts";

export const adminRoutes = createApi();

const tags = ["topup: admin"];
const path = "/api/admin/topup";
const guarded = [
  auditRefusals("topup.admin", (c) => ({
    kind: "topup_admin",
    id: `${c.req.method} ${c.req.path}`.slice(0, 200),
  })),
  access("admin", { fresh: true }),
];

adminRoutes.openapi(
  createRoute({
    method: "get",
    path: `${path}/supplier`,
    tags,
    summary:
      "Our balance with the supplier as last seen, whether new orders are held for it, and each price list's age",
    middleware: guarded,
    responses: topupOk(SupplierShape),
  }),
  async (c) => c.json(topupData(await readSupplier(c.var.ctx)), 200),
);

adminRoutes.openapi(
  createRoute({
    method: "post",
    path: `${path}/supplier/check`,
    tags,
    summary: "Ask the supplier for our balance now",
    middleware: guarded,
    responses: topupOk(SupplierShape),
  }),
  async (c) => {
    // The session first: nobody else makes us ask.
    await c.var.ctx.db.passGate();
    return c.json(topupData(await checkSupplierNow(c.var.ctx)), 200);
  },
);

adminRoutes.openapi(
  createRoute({
    method: "get",
    path: `${path}/supplier/deposits`,
    tags,
    summary: "What was paid in at the supplier, the latest first",
    middleware: guarded,
    responses: topupOk(z.array(DepositShape)),
  }),
  async (c) => c.json(topupData(await listDeposits(c.var.ctx)), 200),
);

adminRoutes.openapi(
  createRoute({
    method: "post",
    path: `${path}/supplier/deposits`,
    tags,
    summary: "Write down what was paid in at the supplier; reconciliation counts on it",
    middleware: guarded,
    request: { headers: idempotencyHeader, body: body(NewDeposit) },
    responses: topupOk(DepositShape),
  }),
  async (c) => {
    const key = c.req.valid("header")["idempotency-key"];
    return c.json(topupData(await noteDeposit(c.var.ctx, c.req.valid("json"), key)), 200);
  },
);

adminRoutes.openapi(
  createRoute({
    method: "post",
    path: `${path}/stock`,
    tags,
    summary: "Add to or take from a counted stock",
    middleware: guarded,
    request: { headers: idempotencyHeader, body: body(StockChange) },
    responses: topupOk(StockShape),
  }),
  async (c) => {
    const key = c.req.valid("header")["idempotency-key"];
    return c.json(topupData(await adjustStock(c.var.ctx, c.req.valid("json"), key)), 200);
  },
);

adminRoutes.openapi(
  createRoute({
    method: "get",
    path: `${path}/stock/{id}`,
    tags,
    summary: "The latest changes of a service's stock",
    middleware: guarded,
    request: { params: IdParameter },
    responses: topupOk(z.array(StockEntry)),
  }),
  async (c) => c.json(topupData(await listStockHistory(c.var.ctx, c.req.valid("param").id)), 200),
);

adminRoutes.openapi(
  createRoute({
    method: "get",
    path: `${path}/callbacks`,
    tags,
    summary: "The supplier's callbacks, refused ones too, newest first",
    middleware: guarded,
    request: {
      query: z.object({
        ...AdminPage,
        verdict: z.enum(["verified", "refused"]).optional(),
        state: z.enum(["received", "applied", "parked", "dead"]).optional(),
      }),
    },
    responses: topupOk(
      z.object({ callbacks: z.array(CallbackShape), next: z.string().nullable() }),
    ),
  }),
  async (c) => c.json(topupData(await listCallbacks(c.var.ctx, c.req.valid("query"))), 200),
);

adminRoutes.openapi(
  createRoute({
    method: "get",
    path: `${path}/callbacks/{id}/refused`,
    tags,
    summary:
      "Each of the refused callbacks that one row stands for; null: they cannot be opened any more",
    middleware: guarded,
    request: { params: IdParameter },
    responses: topupOk(z.array(RefusedCallbackShape).nullable()),
  }),
  async (c) => c.json(topupData(await listRefused(c.var.ctx, c.req.valid("param").id)), 200),
);

adminRoutes.openapi(
  createRoute({
    method: "post",
    path: `${path}/callbacks/{id}/replay`,
    tags,
    summary: "Apply a verified callback again, whatever became of it",
    middleware: guarded,
    request: { params: IdParameter },
    responses: topupOk(z.object({ state: z.enum(["applied", "parked", "queued"]) })),
  }),
  async (c) => {
    const state = await replayCallback(c.var.ctx, c.req.valid("param").id);
    return c.json(topupData({ state }), 200);
  },
);

adminRoutes.openapi(
  createRoute({
    method: "get",
    path: `${path}/reconciliations`,
    tags,
    summary: "Our orders beside the supplier's, day by day",
    middleware: guarded,
    responses: topupOk(z.array(ReportShape)),
  }),
  async (c) => c.json(topupData(await listReports(c.var.ctx)), 200),
);

adminRoutes.openapi(
  createRoute({
    method: "get",
    path: `${path}/reconciliations/{day}`,
    tags,
    summary: "The report of one Jakarta day",
    middleware: guarded,
    request: { params: DayParameter },
    responses: topupOk(ReportShape),
  }),
  async (c) => c.json(topupData(await readReport(c.var.ctx, c.req.valid("param").day)), 200),
);

adminRoutes.openapi(
  createRoute({
    method: "post",
    path: `${path}/reconciliations/{day}`,
    tags,
    summary: "Compare a day again",
    middleware: guarded,
    request: { params: DayParameter },
    responses: topupOk(z.object({ jobId: z.string() })),
  }),
  async (c) => {
    const { day } = c.req.valid("param");
    return c.json(topupData(await reconcileAgain(c.var.ctx, day)), 200);
  },
);
