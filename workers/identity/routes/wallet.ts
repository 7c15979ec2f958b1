import { createRoute, z } from "@hono/zod-openapi";
import {
  body,
  enveloped,
  idempotencyHeader,
  marketCreated,
  marketOk,
  pagingQuery,
} from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { deposit, getWallet } from "../wallet.ts";

const tags = ["wallet"];

/** A query parameter that a form sends empty when it was left open. */
const day = z
  .string()
  .max(20)
  .optional()
  .transform((value) => value || undefined)
  .openapi({ example: "2026-11-22" });

const Wallet = z
  .object({
    balance: z.number(),
    /** Of the days that were asked for. */
    period: z
      .object({ opening: z.number(), closing: z.number(), in: z.number(), out: z.number() })
      .optional(),
    entries: z.array(
      z.object({
        id: z.number(),
        amount: z.number(),
        balance_after: z.number(),
        reason: z.string(),
        created_at: z.iso.datetime(),
      }),
    ),
  })
  .openapi("Wallet");

const DepositBody = z
  .object({
    amount: z
      .number()
      .int()
      .min(10_000, "Minimal isi saldo Rp 10.000")
      .max(10_000_000, "Maksimal isi saldo Rp 10.000.000"),
    method: z.enum(["qris", "ipaymu"]),
  })
  .openapi("Deposit");

const DepositOpened = z
  .object({
    deposit_id: z.uuid(),
    payment_url: z.string().nullable(),
    qr_code: z.string().nullable(),
  })
  .openapi("DepositOpened");

export const walletRoutes = createApi();

walletRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/wallet",
    tags,
    summary: "Balance and movements of the own wallet, of all time or of the Jakarta days from..to",
    middleware: [access(null)] as const,
    request: { query: z.object({ ...pagingQuery, from: day, to: day }) },
    responses: marketOk(Wallet),
  }),
  async (c) => {
    const { balance, period, entries, ...paging } = await getWallet(
      c.var.ctx,
      c.req.valid("query"),
    );
    return c.json(enveloped({ balance, ...(period ? { period } : {}), entries }, paging), 200);
  },
);

walletRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/wallet/deposit",
    tags,
    summary: "Pay into the own wallet",
    middleware: [access(null, { fresh: true })] as const,
    request: { headers: idempotencyHeader, body: body(DepositBody) },
    responses: marketCreated(DepositOpened),
  }),
  async (c) => {
    const key = c.req.valid("header")["idempotency-key"];
    const opened = await deposit(c.var.ctx, c.req.valid("json"), key);
    return c.json(enveloped(opened), 201);
  },
);
