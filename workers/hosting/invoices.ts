import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../shared/context.ts";
import { rows } from "../../shared/db/statement.ts";
import { notFound } from "../../shared/http/errors.ts";
import { isUuid } from "./orders.ts";

const moment = z.coerce.date().transform((date) => date.toISOString());

/** What SQL function `hosting_invoice_content` froze. */
const content = z.object({
  seller: z.object({ name: z.string(), address: z.string(), tax_id: z.string() }),
  buyer: z.object({
    name: z.string(),
    email: z.string().nullable(),
    phone: z.string().nullable(),
  }),
  lines: z.array(
    z.object({
      description: z.string(),
      quantity: z.number(),
      unit_price: z.number(),
      amount: z.number(),
      period_start: moment,
      period_end: moment,
    }),
  ),
  net: z.number(),
  ppn_percent: z.number(),
  ppn: z.number(),
  total: z.number(),
  paid_at: moment,
  payment: z.object({
    provider: z.string().nullable(),
    reference: z.string().nullable(),
    transaction_id: z.string().nullable(),
  }),
});

const invoiceRow = z.object({
  number: z.string(),
  order_id: z.string(),
  issued_at: moment,
  content,
});

/** An invoice as it was issued; nothing in it is read from anywhere else. */
export async function getInvoice(ctx: Ctx, orderId: string) {
  const missing = () => notFound("Invoice tidak ditemukan");
  if (!isUuid(orderId)) throw missing();
  const [row] = await ctx.db.run(
    rows(
      sql`select number, order_id, issued_at, content from hosting_invoices
        where order_id = ${orderId} and user_id = ${actorOf(ctx).userId}`,
      invoiceRow,
    ),
  );
  if (!row) throw missing();
  return invoiceOf(row);
}

function invoiceOf({ number, order_id, issued_at, content }: z.output<typeof invoiceRow>) {
  const { seller, buyer, lines, payment } = content;
  return {
    number,
    orderId: order_id,
    issuedAt: issued_at,
    seller: { name: seller.name, address: seller.address, taxId: seller.tax_id },
    buyer,
    lines: lines.map((line) => ({
      description: line.description,
      quantity: line.quantity,
      unitPrice: line.unit_price,
      amount: line.amount,
      periodStart: line.period_start,
      periodEnd: line.period_end,
    })),
    net: content.net,
    ppnPercent: content.ppn_percent,
    ppn: content.ppn,
    total: content.total,
    paidAt: content.paid_at,
    payment: {
      provider: payment.provider,
      reference: payment.reference,
      transactionId: payment.transaction_id,
    },
  };
}
export type Invoice = ReturnType<typeof invoiceOf>;
