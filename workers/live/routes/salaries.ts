import { createRoute, z } from "@hono/zod-openapi";
import { appOk, body, idempotencyHeader } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { appPaging } from "../paging.ts";
import { askSalary, decideSalary, listSalaries } from "../salaries.ts";
import { ListedSalary, RequestIdBody, SalaryForm, SalaryShape } from "../schemas/agencies.ts";
import { idOrNone } from "../schemas/fields.ts";
import { inContractWords } from "./words.ts";

const paging = appPaging(100);
const tags = ["live: salaries"];

/** Salaries that hosts ask of their agencies (contract §2.6); the producer route is ours. */
export const salaryRoutes = createApi();

salaryRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/agency/salary-request",
    tags,
    summary: "Ask my agency for the salary of a week",
    middleware: [access(null)] as const,
    request: { headers: idempotencyHeader, body: body(SalaryForm) },
    responses: appOk({ message: z.string(), data: SalaryShape }),
  }),
  async (c) => {
    const key = c.req.valid("header")["idempotency-key"];
    const data = await askSalary(c.var.ctx, c.req.valid("json"), key);
    return c.json({ success: true, message: "Salary request submitted", data } as const, 200);
  },
  inContractWords,
);

salaryRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/agency/{agencyId}/salary-requests",
    tags,
    summary: "Salary requests made to my agency, newest first",
    middleware: [access(null)] as const,
    request: { params: z.object({ agencyId: idOrNone }), query: z.object(paging) },
    responses: appOk({ data: z.array(ListedSalary) }),
  }),
  async (c) => {
    const query = { ...c.req.valid("query"), ...c.req.valid("param") };
    return c.json({ success: true, data: await listSalaries(c.var.ctx, query) } as const, 200);
  },
);

for (const [decision, done, approve] of [
  ["approve", "approved", true],
  ["reject", "rejected", false],
] as const) {
  const message = `Salary request ${done}`;

  salaryRoutes.openapi(
    createRoute({
      method: "post",
      path: `/api/agency/salary-request/{requestId}/${decision}`,
      tags,
      summary: `Answer a salary request: ${decision}; an approval moves the coins`,
      middleware: [access(null, { fresh: true })] as const,
      request: { params: z.object({ requestId: idOrNone }), headers: idempotencyHeader },
      responses: appOk({ message: z.string() }),
    }),
    async (c) => {
      const { requestId } = c.req.valid("param");
      const key = c.req.valid("header")["idempotency-key"];
      await decideSalary(c.var.ctx, { requestId, approve }, key);
      return c.json({ success: true, message } as const, 200);
    },
  );

  salaryRoutes.openapi(
    createRoute({
      method: "post",
      path: `/api/agency/{agencyId}/salary-${decision}`,
      tags,
      summary: `The same, as the shipped app asks: ${decision}`,
      middleware: [access(null, { fresh: true })] as const,
      request: {
        params: z.object({ agencyId: idOrNone }),
        headers: idempotencyHeader,
        body: body(RequestIdBody),
      },
      responses: appOk({ message: z.string() }),
    }),
    async (c) => {
      const input = { ...c.req.valid("json"), ...c.req.valid("param"), approve };
      await decideSalary(c.var.ctx, input, c.req.valid("header")["idempotency-key"]);
      return c.json({ success: true, message } as const, 200);
    },
    inContractWords,
  );
}
