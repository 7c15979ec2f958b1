import { z } from "@hono/zod-openapi";

const date = z.string().openapi({ format: "date-time" });

/** Prices include PPN; `net` and `ppn` add up to `total`. */
export const InvoiceView = z
  .object({
    number: z.string().openapi({ example: "INV/2026/000123" }),
    orderId: z.string(),
    issuedAt: date,
    seller: z.object({ name: z.string(), address: z.string(), taxId: z.string() }),
    buyer: z.object({
      name: z.string(),
      email: z.string().nullable(),
      phone: z.string().nullable(),
    }),
    lines: z.array(
      z.object({
        description: z.string(),
        quantity: z.number(),
        unitPrice: z.number(),
        amount: z.number(),
        periodStart: date,
        periodEnd: date,
      }),
    ),
    net: z.number(),
    ppnPercent: z.number(),
    ppn: z.number(),
    total: z.number(),
    paidAt: date,
    payment: z.object({
      provider: z.string().nullable(),
      reference: z.string().nullable(),
      transactionId: z.string().nullable(),
    }),
  })
  .openapi("HostingInvoice");
