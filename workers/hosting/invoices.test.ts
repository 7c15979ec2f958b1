import { sql } from "drizzle-orm";
import { afterEach, describe, expect, it } from "vitest";
import { api, fetchWorker, settleBackground } from "../testing/api.ts";
import { failureBody } from "../testing/envelopes.ts";
import { InvoiceView } from "./schemas/invoices.ts";
import { createPlan, pay, run, type Sale, sell } from "./testing/sales.ts";

afterEach(settleBackground);

const invoiceOf = async ({ user, orderId }: Sale) => {
  const { body } = await api(`/api/orders/${orderId}/invoice`, { token: user.token });
  return InvoiceView.strict().parse(body.invoice);
};

const page = async ({ user, orderId }: Sale) => {
  const headers = { accept: "text/html,application/xhtml+xml" };
  const answer = await fetchWorker(`/api/orders/${orderId}/invoice`, {
    token: user.token,
    headers,
  });
  return { type: answer.headers.get("content-type"), html: await answer.text() };
};

const withTerms = async (sale: Sale, percent: number) => {
  const seller = { name: "PT Lumi <Awan>", address: "Jl. Kartini 1, Blitar", tax_id: "01.234" };
  const terms = JSON.stringify({ ppn_percent: percent, seller });
  await run(sql`update hosting_orders set terms = ${terms}::jsonb where id = ${sale.orderId}`);
};

describe("an invoice", () => {
  it("names what was bought, for how long, and what was paid, without PPN where that is off", async () => {
    const sale = await sell({ duration: 12, metadata: { domain: "Toko.example" } });
    await pay(sale);
    expect(await invoiceOf(sale)).toMatchObject({
      number: expect.stringMatching(/^INV\/\d{4}\/\d{6}$/),
      orderId: sale.orderId,
      seller: { name: "LumiCloud" },
      buyer: { email: sale.user.email },
      lines: [
        {
          description: expect.stringMatching(/^Paket PAKET-.+ \(toko\.example\)$/),
          quantity: 12,
          unitPrice: 30_000,
          amount: 360_000,
        },
      ],
      net: 360_000,
      ppnPercent: 0,
      ppn: 0,
      total: 360_000,
      payment: { provider: "ipaymu", reference: sale.ref, transactionId: expect.any(String) },
    });
    expect((await page(sale)).html).not.toContain("PPN");
  });

  it.each([
    [11, 30_000, 27_027, 2_973],
    [12, 30_000, 26_786, 3_214],
    [11, 1_110, 1_000, 110],
  ])("takes PPN of %i%% out of the price of %i", async (percent, price, net, ppn) => {
    const sale = await sell({ price }, { plan: await createPlan({ price }) });
    await withTerms(sale, percent);
    await pay(sale);
    expect(await invoiceOf(sale)).toMatchObject({ net, ppn, total: price });
    expect((await page(sale)).html).toContain(`PPN ${percent}%`);
  });

  it("is frozen: names and prices that change later change nothing in it, and nobody can write it", async () => {
    const sale = await sell();
    await withTerms(sale, 11);
    await pay(sale);
    const before = await invoiceOf(sale);
    await run(sql`update identity_users set name = 'Nama Lain' where id = ${sale.user.userId}`);
    await run(
      sql`update hosting_plans set price = 99000, display_name = 'Lain' where id = ${sale.plan.id}`,
    );
    expect(await invoiceOf(sale)).toEqual(before);
    for (const change of [
      sql`update hosting_invoices set content = '{}' where order_id = ${sale.orderId}`,
      sql`delete from hosting_invoices where order_id = ${sale.orderId}`,
    ]) {
      await expect(run(change)).rejects.toThrow(/never changed/);
    }
  });

  it("is a page for people, with nothing in it that runs, whatever names hold", async () => {
    const sale = await sell();
    await withTerms(sale, 11);
    const name = `<img src=x onerror="alert(1)">`;
    await run(sql`update identity_users set name = ${name} where id = ${sale.user.userId}`);
    await pay(sale);
    const { type, html } = await page(sale);
    expect(type).toContain("text/html");
    expect(html).toContain("PT Lumi &lt;Awan&gt;");
    expect(html).not.toMatch(/<img|<script|<link/i);
    const json = await api(`/api/orders/${sale.orderId}/invoice?format=json`, {
      token: sale.user.token,
      headers: { accept: "text/html" },
    });
    expect(json.body).toMatchObject({ success: true, invoice: { buyer: { name } } });
  });

  it("is there once the order is paid", async () => {
    const sale = await sell();
    const path = `/api/orders/${sale.orderId}/invoice`;
    const words = "Invoice tidak ditemukan";
    expect(await api(path, { token: sale.user.token })).toMatchObject({
      status: 404,
      body: failureBody("hosting", 404, words),
    });
    expect(await api(path)).toMatchObject({ status: 401 });
  });
});
