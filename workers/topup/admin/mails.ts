import { z } from "zod";
import { mailTemplate } from "../../../shared/mail/mail.ts";

/** To the operator, once a day and service: what is running out. Written by topup_stock_alert. */
export const lowStockMail = mailTemplate({
  name: "topup_low_stock",
  schema: z.object({
    /** The emptiest of them. */
    services: z.array(
      z.object({ id: z.string(), name: z.string(), stock: z.number(), minStock: z.number() }),
    ),
    count: z.number().optional(),
  }),
  subject: ({ services, count }) => `[Lumbung] Stok menipis: ${count ?? services.length} layanan`,
  page: ({ services }) => ({
    title: "Stok menipis",
    blocks: [
      {
        kind: "facts",
        facts: services
          .slice(0, 100)
          .map(({ name, stock, minStock }) => [name, `${stock} (batas ${minStock})`]),
      },
      {
        kind: "text",
        text: "Isi stoknya, atau nonaktifkan layanannya (PUT /api/admin/topup/services).",
      },
    ],
  }),
});
