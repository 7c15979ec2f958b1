import { createRoute, z } from "@hono/zod-openapi";
import { hostingOk } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { getInvoice } from "../invoices.ts";
import { InvoicePage } from "../pages/invoice.tsx";
import { InvoiceView } from "../schemas/invoices.ts";

/** Invoices of paid orders: a page for people, JSON for programs. */
export const invoiceRoutes = createApi();

const { 200: json, ...failures } = hostingOk({ invoice: InvoiceView });
const content = { ...json.content, "text/html": { schema: z.string() } };

invoiceRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/orders/{id}/invoice",
    tags: ["hosting: orders"],
    summary: "The invoice of my paid order: JSON, or a page for printing where HTML is asked for",
    middleware: [access(null)] as const,
    request: {
      params: z.object({ id: z.string().max(100) }),
      query: z.object({ format: z.enum(["html", "json"]).optional() }),
    },
    responses: { 200: { ...json, content }, ...failures },
  }),
  async (c) => {
    const invoice = await getInvoice(c.var.ctx, c.req.valid("param").id);
    const { format } = c.req.valid("query");
    c.header("cache-control", "private, no-store");
    c.header("vary", "accept");
    if (format === "html" || (!format && c.req.header("accept")?.includes("text/html"))) {
      return c.html(`<!doctype html>${<InvoicePage invoice={invoice} />}`, 200);
    }
    return c.json({ success: true as const, invoice }, 200);
  },
);
