import { createRoute, z } from "@hono/zod-openapi";
import { appOk } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { incomeByCategory, incomeOver, listIncome } from "../income.ts";
import { idInPath } from "../schemas/fields.ts";
import { IncomeLineShape } from "../schemas/gifts.ts";
import { inContractWords } from "./words.ts";

const tags = ["live: host income"];
const params = z.object({ hostId: idInPath("Invalid hostId parameter") });

/** What a host earned by gifts, for him, his agency's owner and admins. */
export const incomeRoutes = createApi();

const SUMMARIES = {
  today: "Income of Jakarta's day",
  week: "Income of 7 times 24 hours",
  month: "Income of the calendar month",
} as const;

for (const period of ["today", "week", "month"] as const) {
  incomeRoutes.openapi(
    createRoute({
      method: "get",
      path: `/api/host-income/${period}/{hostId}`,
      tags,
      summary: SUMMARIES[period],
      middleware: [access(null)] as const,
      request: { params },
      responses: appOk({ total: z.number() }),
    }),
    async (c) => {
      const total = await incomeOver(c.var.ctx, c.req.valid("param").hostId, period);
      return c.json({ success: true, total } as const, 200);
    },
    inContractWords,
  );
}

incomeRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/host-income/category/{hostId}",
    tags,
    summary: "Income of all time by category",
    middleware: [access(null)] as const,
    request: { params },
    responses: appOk({ data: z.record(z.string(), z.number()) }),
  }),
  async (c) => {
    const data = await incomeByCategory(c.var.ctx, c.req.valid("param").hostId);
    return c.json({ success: true, data } as const, 200);
  },
  inContractWords,
);

incomeRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/host-income/history/{hostId}",
    tags,
    summary: "The newest 50 income lines with their gifts",
    middleware: [access(null)] as const,
    request: { params },
    responses: appOk({ data: z.array(IncomeLineShape) }),
  }),
  async (c) => {
    const data = await listIncome(c.var.ctx, c.req.valid("param").hostId);
    return c.json({ success: true, data } as const, 200);
  },
  inContractWords,
);
