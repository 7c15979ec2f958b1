import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { jakartaDay } from "../../../shared/time/jakarta.ts";
import { api, testContext } from "../../testing/api.ts";
import { createProduct, createUser, type TestUser } from "../../testing/factories.ts";
import { COURIER_AREA, orderBody } from "../../testing/orders.ts";
import { placeOrder } from "../orders/checkout.ts";
import { CheckoutInput } from "../schemas/orders.ts";
import { failure, refusesStrangers, run } from "../testing/catalogue.ts";
import { completed, deliver, purseOf, taxed } from "../testing/money.ts";
import { openShop, type Sale, sell, sellAgain, settle } from "../testing/sales.ts";

const YEAR = Number(jakartaDay(new Date()).slice(0, 4));
const path = "/api/seller/tax-statement";
const STATEMENT = { year: YEAR, tax_id: "3572 0115 0490 0003", agreed: true };

const file = (seller: TestUser, changes: object = {}) =>
  api(path, { method: "PUT", token: seller.token, json: { ...STATEMENT, ...changes } });

const soldBefore = ({ userId }: TestUser, amount: number) =>
  run(
    sql`insert into market_turnovers (seller_id, year, amount) values (${userId}, ${YEAR}, ${amount})`,
  );

const Withheld = z.object({ gross: z.number(), taxed: z.number(), tax: z.number() });

async function withheldOf({ orderId }: Sale) {
  const [row] = await testContext().db.run(
    rows(
      sql`select gross_amount::float8 as gross, taxed_amount::float8 as taxed, tax_amount::float8 as tax
        from market_withholdings where order_id = ${orderId}`,
      Withheld,
    ),
  );
  return row;
}

/** Sold for 1.000.000 while PPh 22 is withheld, and delivered. */
async function million(shop: Awaited<ReturnType<typeof openShop>>): Promise<Sale> {
  const sale = await sell(shop, { price: 500_000 });
  await taxed(sale);
  return await completed(sale);
}

describe("PPh 22", () => {
  it("is 0.5 % of a sale, out of the seller's part, once", async () => {
    const sale = await million(await openShop());
    expect(await withheldOf(sale)).toEqual({ gross: 1_000_000, taxed: 1_000_000, tax: 5_000 });
    expect(await purseOf(sale.seller)).toMatchObject({ wallet: 945_000 });
    await deliver(sale);
    expect(await purseOf(sale.seller)).toMatchObject({ wallet: 945_000 });
    const { body } = await api("/api/seller/balance", { token: sale.seller.token });
    const month = jakartaDay(new Date()).slice(0, 7);
    const csv = await api(`/api/seller/statement?month=${month}`, { token: sale.seller.token });
    expect(csv.body).toContain(`,PPh 22 atas penjualan ${sale.number},,,,,5000,945000,`);
    expect(body.data.tax).toEqual({
      year: YEAR,
      turnover: 1_000_000,
      withheld: 5_000,
      statement_filed: false,
    });
  });

  it("is none for an order from when none was withheld, which counts all the same", async () => {
    const sale = await completed(await sell(await openShop()));
    expect(await withheldOf(sale)).toEqual({ gross: 50_000, taxed: 0, tax: 0 });
    expect(await purseOf(sale.seller)).toMatchObject({ wallet: 47_500 });
  });

  it("of who stated less than 500 million a year is of what exceeds that alone", async () => {
    const shop = await openShop();
    expect((await file(shop.seller)).status).toBe(200);
    await soldBefore(shop.seller, 498_500_000);
    expect(await withheldOf(await million(shop))).toMatchObject({ taxed: 0, tax: 0 });
    expect(await withheldOf(await million(shop))).toMatchObject({ taxed: 500_000, tax: 2_500 });
    expect(await withheldOf(await million(shop))).toMatchObject({ taxed: 1_000_000, tax: 5_000 });
  });

  it("counts each of many deliveries at once into the year", async () => {
    const shop = await openShop();
    const sales: Sale[] = [];
    for (let n = 0; n < 4; n += 1) sales.push(await sell(shop));
    for (const sale of sales) await settle(sale);
    await Promise.all(sales.flatMap((sale) => [deliver(sale), deliver(sale)]));
    const { body } = await api("/api/seller/balance", { token: shop.seller.token });
    expect(body.data).toMatchObject({ available: 190_000, tax: { turnover: 200_000 } });
  });

  it("spares phone credit, by its category or one above it", async () => {
    const shop = await openShop();
    await run(
      sql`insert into market_categories (name, slug) values ('Pulsa', 'pulsa') on conflict (slug) do nothing`,
    );
    await run(
      sql`insert into market_categories (name, slug, parent_id)
        select 'Pulsa Uji', 'pulsa-uji', id from market_categories where slug = 'pulsa' on conflict (slug) do nothing`,
    );
    const product = await createProduct(shop.store, { price: 500_000 });
    const move = (slug: string | null) =>
      run(sql`update market_products set category_id = (select id from market_categories where slug = ${slug})
        where id = ${product.id}`);
    const sold = async (before: string | null, after: string | null) => {
      await move(before);
      const sale = await sellAgain(shop, product, 2);
      await taxed(sale);
      await move(after);
      await completed(sale);
      return await withheldOf(sale);
    };
    // As it was when it was sold, wherever its seller has moved it since.
    expect(await sold("pulsa-uji", null)).toEqual({ gross: 1_000_000, taxed: 0, tax: 0 });
    expect(await purseOf(shop.seller)).toMatchObject({ wallet: 950_000 });
    expect(await sold(null, "pulsa-uji")).toMatchObject({ taxed: 1_000_000, tax: 5_000 });
  });

  it("is frozen at checkout: as the configuration was on that day, like the commission", async () => {
    const { seller, buyer, store } = await openShop();
    const product = await createProduct(store);
    const body = await orderBody(store, [[product, 1]], { originAreaId: COURIER_AREA });
    const input = CheckoutInput.parse(body);
    const rates: unknown[] = [];
    for (const [MARKET_PPH22, MARKET_COMMISSION_PERCENT] of [
      ["on", 10],
      ["off", 5],
    ] as const) {
      const ctx = testContext(buyer);
      const config = { ...ctx.config, MARKET_PPH22, MARKET_COMMISSION_PERCENT };
      const { order_id } = await placeOrder({ ...ctx, config }, input);
      rates.push(
        ...(await testContext().db.run(
          rows(
            sql`select tax_basis_points::int as tax, commission_amount::int as commission
              from market_orders where id = ${order_id}`,
            z.unknown(),
          ),
        )),
      );
    }
    expect(rates).toEqual([
      { tax: 50, commission: 2_500 },
      { tax: 0, commission: 1_250 },
    ]);
    expect(seller.userId).toBeGreaterThan(0);
  });
});

describe("PUT /api/seller/tax-statement", () => {
  it("keeps the tax id sealed, and lists what was filed", async () => {
    const seller = await createUser(["seller"]);
    const filed = await file(seller);
    expect(filed.body.data).toMatchObject({ year: YEAR, tax_id_last4: "0003" });
    const next = await file(seller, { year: YEAR + 1 });
    const list = await api(path, { token: seller.token });
    expect(list.body).toMatchObject({
      data: [next.body.data, filed.body.data],
      meta: { page: 1, limit: 20, total: 2 },
    });
    const second = await api(`${path}?page=2&limit=1`, { token: seller.token });
    expect(second.body).toMatchObject({
      data: [filed.body.data],
      meta: { page: 2, limit: 1, total: 2 },
    });
    const kept = await testContext().db.run(
      rows(
        sql`select to_jsonb(t)::text as text from market_tax_statements t where t.seller_id = ${seller.userId}`,
        z.object({ text: z.string() }),
      ),
    );
    expect(kept[0]?.text).not.toContain("3572011504900003");
  });

  it("refuses a year that is over, a tax id that is none, and who did not agree", async () => {
    const seller = await createUser(["seller"]);
    for (const changes of [
      { year: YEAR - 1 },
      { year: YEAR + 2 },
      { tax_id: "123" },
      { tax_id: "35720115049000ab" },
      { agreed: false },
    ]) {
      const { status, body } = await file(seller, changes);
      expect([status, body], JSON.stringify(changes)).toEqual([400, failure(expect.any(String))]);
    }
    await refusesStrangers(path, { method: "PUT", json: STATEMENT }, "seller");
  });

  it("refuses whose sales here say otherwise", async () => {
    const seller = await createUser(["seller"]);
    await soldBefore(seller, 500_000_001);
    const { status, body } = await file(seller);
    expect([status, body]).toEqual([
      409,
      failure("Penjualan Anda tahun ini sudah melebihi Rp 500.000.000", {
        year: YEAR,
        limit: 500_000_000,
      }),
    ]);
  });
});
