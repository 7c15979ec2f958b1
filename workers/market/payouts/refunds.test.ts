import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { auditOf } from "../../../shared/audit/audit.ts";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";
import { balance, readOrder, readStock } from "../../testing/orders.ts";
import { failure, refusesStrangers } from "../testing/catalogue.ts";
import {
  cancelOf,
  completed,
  deliver,
  fund,
  purseOf,
  refundBooksOf,
  refundedAt,
  refundOf,
  sendBack,
  taxed,
} from "../testing/money.ts";
import {
  makePromo,
  openShop,
  paidNotice,
  type Sale,
  sell,
  settle,
  sumOfLedger,
  takeIn,
  usesOf,
} from "../testing/sales.ts";

import { payoutMails } from "./mails.ts";

let admin: TestUser;
beforeAll(async () => {
  admin = await createUser(["admin"]);
});

describe("an admin's refund before delivery", () => {
  it("takes its part of the commission back, and the rest is paid out later", async () => {
    const sale = await sell(await openShop());
    await settle(sale);
    const part = await refundOf(admin, sale, { amount: 20_000 });
    expect(part.body.data).toMatchObject({
      status: "paid",
      amount: 20_000,
      commission_amount: 1_000,
      seller_amount: 19_000,
    });
    await deliver(sale);
    expect(await purseOf(sale.seller)).toMatchObject({ wallet: 28_500 });
    expect(await balance("escrow", sale.store.id)).toBe(0);
    const trace = await testContext().db.run(auditOf({ kind: "market_order", id: sale.orderId }));
    expect(trace).toMatchObject([
      { action: "market.order.refund", actorId: admin.userId, reason: "Barang rusak" },
    ]);
  });

  it("of a part reaches the provider as that part, and the payment stands", async () => {
    const sale = await sell(await openShop());
    await settle(sale);
    await refundOf(admin, sale, { amount: 20_000 });
    expect(await sendBack(sale)).toBe("success");
    expect(await refundedAt(sale)).toBe(20_000);
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "paid", intent_state: "paid" });
    await takeIn("midtrans", await paidNotice(sale));
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "paid", intent_state: "paid" });
    expect((await cancelOf(sale.seller, sale)).body.data).toMatchObject({
      amount: 48_000,
      paid_to: "wallet",
    });
    expect(await balance("wallet", sale.buyer.userId)).toBe(48_000);
    expect(await balance("escrow", sale.store.id)).toBe(0);
    expect(await sumOfLedger()).toBe(0);
  });

  it("gives a promo of the market back to the market", async () => {
    const shop = await openShop();
    const promoCode = await makePromo(shop, { value: 50, platform: true });
    const sale = await sell(shop, { promoCode });
    await settle(sale);
    expect(sale.total).toBe(43_000);
    expect(await usesOf(promoCode)).toBe(1);
    expect((await cancelOf(sale.seller, sale)).body.data).toMatchObject({ amount: 43_000 });
    expect(await usesOf(promoCode)).toBe(0);
    expect(await refundBooksOf(sale)).toEqual([
      { what: "order-refund", from: "escrow", to: "refund_due", amount: 43_000 },
      { what: "order-refund-promo", from: "escrow", to: "promo", amount: 25_000 },
    ]);
    expect(await balance("escrow", shop.store.id)).toBe(0);
  });
});

describe("an admin's refund after delivery", () => {
  it("comes from the seller's balance and the commission, in parts that add up to the whole", async () => {
    const sale = await completed(await sell(await openShop(), { price: 33_333, quantity: 3 }));
    const bought = 99_999;
    const commission = 4_999;
    const parts = [1, 33_333, 7, bought - 33_341];
    for (const amount of parts) {
      expect((await refundOf(admin, sale, { amount })).status).toBe(200);
    }
    const books = await refundBooksOf(sale);
    const sum = (what: string) =>
      books.filter((line) => line.what === what).reduce((all, { amount }) => all + amount, 0);
    expect(sum("order-refund-commission")).toBe(commission);
    expect(sum("order-refund")).toBe(bought - commission);
    expect(await purseOf(sale.seller)).toMatchObject({ wallet: 0 });
    const more = await refundOf(admin, sale, { amount: 1 });
    expect([more.status, more.body]).toEqual([400, failure(expect.any(String), { most: 0 })]);
    const all = await refundOf(admin, sale, {});
    expect([all.status, all.body.error]).toEqual([
      409,
      "Dana pesanan ini sudah dikembalikan seluruhnya",
    ]);
  });

  it("goes back by the payment once; what comes later is in the buyer's balance at once", async () => {
    const sale = await completed(await sell(await openShop()));
    expect((await refundOf(admin, sale, { amount: 10_000 })).body.data.paid_to).toBe("payment");
    expect((await refundOf(admin, sale, { amount: 5_000 })).body.data.paid_to).toBe("wallet");
    expect(await balance("wallet", sale.buyer.userId)).toBe(5_000);
  });

  it("ends the order, and advances what the seller has spent; his next sale pays that", async () => {
    const sale = await completed(await sell(await openShop()));
    await testContext().db.run(
      rows(
        sql`select ledger_transfer(${`spent/${sale.orderId}`}, 'wallet', ${String(sale.seller.userId)}, 'gateway', 'test',
          40000, 'Belanja')`,
        z.unknown(),
      ),
    );
    const whole = await refundOf(admin, sale, { restock: true });
    expect(whole.body.data).toMatchObject({ status: "refunded", amount: 50_000 });
    expect(await purseOf(sale.seller)).toEqual({ wallet: 0, payout: 0, advance: -40_000 });
    expect(await readStock(sale.product)).toEqual({ stock: 10, reserved: 0 });
    await completed(await sell(sale, { price: 20_000, quantity: 1 }));
    expect(await purseOf(sale.seller)).toMatchObject({ wallet: 0, advance: -21_000 });
    await completed(await sell(sale, { price: 50_000, quantity: 1 }));
    expect(await purseOf(sale.seller)).toMatchObject({ wallet: 26_500, advance: 0 });
    expect(await sumOfLedger()).toBe(0);
  });

  it("returns the promo of the market and the tax that was withheld", async () => {
    const shop = await openShop();
    const promoCode = await makePromo(shop, { value: 90, platform: true });
    const sale = await sell(shop, { price: 500_000, promoCode });
    await taxed(sale);
    await completed(sale);
    // 1.000.000 sold, 5 % of commission, 0,5 % of tax.
    expect(await purseOf(sale.seller)).toMatchObject({ wallet: 945_000 });
    const whole = await refundOf(admin, sale, {});
    expect(whole.body.data).toMatchObject({
      amount: 100_000,
      commission_amount: 50_000,
      seller_amount: 950_000,
      tax_amount: 5_000,
    });
    expect(await purseOf(sale.seller)).toEqual({ wallet: 0, payout: 0, advance: 0 });
    const books = await refundBooksOf(sale);
    const into = (to: string) =>
      books.filter((line) => line.to === to).reduce((all, { amount }) => all + amount, 0);
    expect([into("promo"), into("refund_due"), into("wallet")]).toEqual([900_000, 100_000, 5_000]);
  });

  it("is never more than was paid, by 20 admins at once", async () => {
    const sale = await completed(await sell(await openShop()));
    await fund(sale.seller, 500_000);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => refundOf(admin, sale, { amount: 20_000 })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(2);
    expect(await purseOf(sale.seller)).toMatchObject({ wallet: 547_500 - 38_000 });
    expect(await sumOfLedger()).toBe(0);
  });

  it("is for admins, of an order that is there, with a reason", async () => {
    const sale = await sell(await openShop());
    const path = `/api/admin/orders/${sale.orderId}/refund`;
    await refusesStrangers(path, { method: "POST", json: { reason: "Barang rusak" } }, "admin");
    const missing = await refundOf(admin, { ...sale, orderId: crypto.randomUUID() }, {});
    expect([missing.status, missing.body]).toEqual([404, failure("Order not found", {})]);
    for (const json of [{ amount: 0 }, { amount: -5 }, { amount: 1.5 }, { reason: "" }]) {
      const wrong = await refundOf(admin, sale, json);
      expect([wrong.status, wrong.body], JSON.stringify(json)).toEqual([
        400,
        failure(expect.any(String)),
      ]);
    }
  });
});

describe("the mail to a seller whose order is refunded", () => {
  async function textOf({ orderId }: Sale) {
    const { db, config } = testContext();
    const query = sql`select payload->'data' as data from jobs
      where dedupe_key like ${`mail/order_taken_back/${orderId}%`} order by created_at desc limit 1`;
    const [found] = await db.run(rows(query, z.object({ data: z.unknown() })));
    const template = payoutMails.find(({ name }) => name === "order_taken_back");
    return template?.text(template.schema.parse(found?.data), config);
  }

  it("says where the money comes from, and that nothing is to be sent any more", async () => {
    const sale = await sell(await openShop());
    await settle(sale);
    await refundOf(admin, sale, { amount: 1_000 });
    expect(await textOf(sale)).toContain("masih kami tahan; saldo Anda tidak berkurang");
    expect(await textOf(sale)).not.toContain("jangan kirim paketnya");
    await refundOf(admin, sale, {});
    expect(await textOf(sale)).toContain("saldo Anda tidak berkurang");
    expect(await textOf(sale)).toContain("jangan kirim paketnya");
    const arrived = await completed(await sell(await openShop()));
    await refundOf(admin, arrived, {});
    expect(await textOf(arrived)).toContain("diambil dari saldo Anda");
    expect(await textOf(arrived)).not.toContain("jangan kirim paketnya");
  });
});
