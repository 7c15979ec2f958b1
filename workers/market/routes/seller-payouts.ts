import { createRoute, z } from "@hono/zod-openapi";
import {
  body,
  enveloped,
  idempotencyHeader,
  marketCreated,
  marketList,
  marketOk,
  page,
  pagingQuery,
} from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { getBalance, listBalanceEntries } from "../payouts/balance.ts";
import { saveBankAccount } from "../payouts/bank-account.ts";
import { cancelSale } from "../payouts/refunds.ts";
import { cancelPayout, listOwnPayouts, requestPayout } from "../payouts/requests.ts";
import { monthlyStatement } from "../payouts/statement.ts";
import { fileTaxStatement, listTaxStatements } from "../payouts/tax.ts";
import { CancelSaleInput, RefundShape } from "../schemas/admin.ts";
import { idParameters } from "../schemas/fields.ts";
import {
  BalanceShape,
  BankAccountInput,
  BankAccountShape,
  EntryShape,
  PayoutInput,
  PayoutsQuery,
  SellerPayoutShape,
  StatementQuery,
  TaxStatementInput,
  TaxStatementShape,
} from "../schemas/payouts.ts";

export const sellerPayoutRoutes = createApi();

const tags = ["market: seller"];
const seller = () => access("seller");
const fresh = () => access("seller", { fresh: true });

sellerPayoutRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/seller/balance",
    tags,
    summary: "What I may have paid out, what is held, and where it would go",
    middleware: [seller()] as const,
    responses: marketOk(BalanceShape),
  }),
  async (c) => c.json(enveloped(await getBalance(c.var.ctx)), 200),
);

sellerPayoutRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/seller/balance/history",
    tags,
    summary: "What went in and out of my balance",
    middleware: [seller()] as const,
    request: { query: z.object(pagingQuery) },
    responses: marketList(EntryShape),
  }),
  async (c) => c.json(page(await listBalanceEntries(c.var.ctx, c.req.valid("query"))), 200),
);

sellerPayoutRoutes.openapi(
  createRoute({
    method: "put",
    path: "/api/seller/bank-account",
    tags,
    summary: "Where my payouts go from now on",
    middleware: [fresh()] as const,
    request: { body: body(BankAccountInput) },
    responses: marketOk(BankAccountShape),
  }),
  async (c) => c.json(enveloped(await saveBankAccount(c.var.ctx, c.req.valid("json"))), 200),
);

sellerPayoutRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/seller/payouts",
    tags,
    summary: "My payouts",
    middleware: [seller()] as const,
    request: { query: PayoutsQuery },
    responses: marketList(SellerPayoutShape),
  }),
  async (c) => c.json(page(await listOwnPayouts(c.var.ctx, c.req.valid("query"))), 200),
);

sellerPayoutRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/seller/payouts",
    tags,
    summary: "Have a part of my balance paid out",
    middleware: [fresh()] as const,
    request: { headers: idempotencyHeader, body: body(PayoutInput) },
    responses: marketCreated(SellerPayoutShape),
  }),
  async (c) => {
    const key = c.req.valid("header")["idempotency-key"];
    const { amount } = c.req.valid("json");
    return c.json(enveloped(await requestPayout(c.var.ctx, amount, key)), 201);
  },
);

sellerPayoutRoutes.openapi(
  createRoute({
    method: "delete",
    path: "/api/seller/payouts/{id}",
    tags,
    summary: "Take back a request that nobody has agreed to",
    middleware: [fresh()] as const,
    request: { params: idParameters },
    responses: marketOk(SellerPayoutShape),
  }),
  async (c) => c.json(enveloped(await cancelPayout(c.var.ctx, c.req.valid("param").id)), 200),
);

sellerPayoutRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/seller/statement",
    tags,
    summary: "My balance over a month of Jakarta, as CSV: opening, every line, closing",
    middleware: [seller()] as const,
    request: { query: StatementQuery },
    responses: {
      ...marketOk(z.unknown()),
      200: {
        content: { "text/csv": { schema: z.string() } },
        description: "The statement",
      },
    },
  }),
  async (c) => {
    const { month } = c.req.valid("query");
    const csv = await monthlyStatement(c.var.ctx, month);
    return c.body(csv, 200, {
      "content-type": "text/csv; charset=utf-8",
      "content-disposition": `attachment; filename="mutasi-${month}.csv"`,
      "cache-control": "private, no-store",
    });
  },
);

sellerPayoutRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/seller/tax-statement",
    tags,
    summary: "The statements of turnover that I have filed",
    middleware: [seller()] as const,
    request: { query: z.object(pagingQuery) },
    responses: marketList(TaxStatementShape),
  }),
  async (c) => c.json(page(await listTaxStatements(c.var.ctx, c.req.valid("query"))), 200),
);

sellerPayoutRoutes.openapi(
  createRoute({
    method: "put",
    path: "/api/seller/tax-statement",
    tags,
    summary: "I state that I sell for less than Rp 500 million in this year",
    middleware: [fresh()] as const,
    request: { body: body(TaxStatementInput) },
    responses: marketOk(TaxStatementShape),
  }),
  async (c) => c.json(enveloped(await fileTaxStatement(c.var.ctx, c.req.valid("json"))), 200),
);

sellerPayoutRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/seller/orders/{id}/cancel",
    tags,
    summary: "I cannot send a paid order: its buyer gets everything back",
    middleware: [fresh()] as const,
    request: { params: idParameters, headers: idempotencyHeader, body: body(CancelSaleInput) },
    responses: marketOk(RefundShape),
  }),
  async (c) => {
    const key = c.req.valid("header")["idempotency-key"];
    const { id } = c.req.valid("param");
    return c.json(enveloped(await cancelSale(c.var.ctx, id, c.req.valid("json"), key)), 200);
  },
);
