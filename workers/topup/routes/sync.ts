import { createRoute, z } from "@hono/zod-openapi";
import { body, topupAnswer, topupData, topupOk } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { AppError } from "../../../shared/http/errors.ts";
import {
  LowStockQuery,
  LowStockShape,
  SyncAnswerShape,
  SyncRequest,
  SyncRunQuery,
  SyncRunShape,
} from "../schemas/sync.ts";
import { listLowStock, listSyncs, runSync } from "../sync.ts";

export const syncRoutes = createApi();

const tags = ["topup: admin"];
const path = "/api/admin/vip-sync";

syncRoutes.openapi(
  createRoute({
    method: "post",
    path,
    tags,
    summary:
      "Read the supplier's price lists and stock; a failed sync answers 200 with success false",
    middleware: [access("admin", { fresh: true })] as const,
    request: { body: body(SyncRequest) },
    responses: topupAnswer(SyncAnswerShape, "How the sync went, or that it is under way"),
  }),
  async (c) => c.json(await runSync(c.var.ctx, c.req.valid("json")), 200),
);

syncRoutes.openapi(
  createRoute({
    method: "get",
    path,
    tags,
    summary: "Counted services on sale that are about to run out (action=low-stock)",
    middleware: [access("admin", { fresh: true })] as const,
    request: { query: LowStockQuery },
    responses: topupOk(z.array(LowStockShape)),
  }),
  async (c) => {
    if (c.req.valid("query").action !== "low-stock") {
      throw new AppError("invalid_input", "Invalid action");
    }
    return c.json(topupData(await listLowStock(c.var.ctx)), 200);
  },
);

syncRoutes.openapi(
  createRoute({
    method: "get",
    path: `${path}/runs`,
    tags,
    summary:
      "How the latest syncs went, newest first, the hourly ones too; job: the one of that id",
    middleware: [access("admin", { fresh: true })] as const,
    request: { query: SyncRunQuery },
    responses: topupOk(z.object({ runs: z.array(SyncRunShape), next: z.string().nullable() })),
  }),
  async (c) => c.json(topupData(await listSyncs(c.var.ctx, c.req.valid("query"))), 200),
);
