import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { balance, findJob, readStock } from "../../testing/orders.ts";
import { failure, refusesStrangers } from "../testing/catalogue.ts";
import { cancelOf, refundBooksOf, refundedAt, sendBack, standOf } from "../testing/money.ts";
import { atCourier, handOver, news } from "../testing/parcels.ts";
import { jobsOf, openShop, sell, settle, sumOfLedger } from "../testing/sales.ts";

// A sale of 2 × 25.000 and 18.000 of shipping: 2.500 of commission, 47.500 for the seller.
const TOTAL = 68_000;

describe("a seller who cannot send a paid order", () => {
  it("gives it up: the buyer gets everything back by the way he paid, the goods are for sale", async () => {
    const sale = await sell(await openShop());
    await settle(sale);
    expect(await readStock(sale.product)).toEqual({ stock: 8, reserved: 0 });
    const { status, body } = await cancelOf(sale.seller, sale);
    expect([status, body.error]).toEqual([200, null]);
    expect(body.data).toMatchObject({
      order_id: sale.orderId,
      status: "refunded",
      amount: TOTAL,
      paid_to: "payment",
      seller_amount: 47_500,
      commission_amount: 2_500,
    });
    expect(await standOf(sale)).toEqual({
      status: "refunded",
      parcel: "cancelled",
      reason: "Dibatalkan penjual: Stok habis di gudang",
    });
    expect(await readStock(sale.product)).toEqual({ stock: 10, reserved: 0 });
    expect(await balance("escrow", sale.store.id)).toBe(0);
    expect(await refundBooksOf(sale)).toEqual([
      { what: "order-refund", from: "escrow", to: "refund_due", amount: TOTAL },
    ]);
    expect(await jobsOf(sale)).toContainEqual(expect.stringMatching(/^mail\/order_refunded\/\*\//));
    expect(await sumOfLedger()).toBe(0);
  });

  it("is refunded at the provider in full, and no pickup is asked for any more", async () => {
    const sale = await sell(await openShop());
    await settle(sale);
    await cancelOf(sale.seller, sale);
    expect(await sendBack(sale)).toBe("success");
    expect(await refundedAt(sale)).toBe(TOTAL);
    expect(await findJob(`market.shipment/${sale.orderId}`)).toMatchObject({ state: "cancelled" });
    expect(await atCourier(sale)).toBeNull();
  });

  it("is heard once: by 20 calls at once, and again by the same key", async () => {
    const sale = await sell(await openShop());
    await settle(sale);
    const calls = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        cancelOf(sale.seller, sale, {}, i < 10 ? "k" : undefined),
      ),
    );
    const done = calls.filter(({ status }) => status === 200).map(({ body }) => body.data.id);
    expect(new Set(done).size).toBe(1);
    expect(calls.every(({ status }) => status === 200 || status === 409)).toBe(true);
    expect(await refundBooksOf(sale)).toHaveLength(1);
    expect(await readStock(sale.product)).toEqual({ stock: 10, reserved: 0 });
    const other = await cancelOf(sale.seller, sale, { reason: "Alasan lain" }, "k");
    expect([other.status, other.body]).toEqual([
      done.length > 1 ? 422 : 409,
      failure(expect.any(String)),
    ]);
  });

  it("cannot once a courier has it; a parcel that came back costs the buyer its fee alone", async () => {
    const sale = await sell(await openShop());
    await handOver(sale);
    await news(sale, "shipped", "shipped_packages");
    const late = await cancelOf(sale.seller, sale);
    expect([late.status, late.body]).toEqual([
      409,
      failure("Pesanan yang sudah dikirim tidak dapat dibatalkan", { status: "shipped" }),
    ]);
    await testContext().db.run(
      rows(
        sql`update market_shipments set status = 'returned' where order_id = ${sale.orderId}`,
        z.unknown(),
      ),
    );
    expect((await cancelOf(sale.seller, sale)).body.data).toMatchObject({ amount: 50_000 });
    expect(await refundBooksOf(sale)).toEqual([
      { what: "order-refund", from: "escrow", to: "refund_due", amount: 50_000 },
      { what: "order-refund-courier", from: "escrow", to: "courier", amount: 18_000 },
    ]);
    expect(await balance("escrow", sale.store.id)).toBe(0);
  });

  it("is refused for an unpaid, a foreign, a missing and an ended order", async () => {
    const sale = await sell(await openShop());
    const unpaid = await cancelOf(sale.seller, sale);
    expect([unpaid.status, unpaid.body]).toEqual([
      409,
      failure("Pesanan ini tidak dapat dikembalikan dananya", { status: "pending" }),
    ]);
    const { seller: stranger } = await openShop();
    const missing = [404, failure("Order not found", {})];
    const foreign = await cancelOf(stranger, sale);
    expect([foreign.status, foreign.body]).toEqual(missing);
    const rubbish = await cancelOf(sale.seller, { ...sale, orderId: "x'; --" });
    expect([rubbish.status, rubbish.body]).toEqual(missing);
    const wordless = await cancelOf(sale.seller, sale, { reason: "" });
    expect([wordless.status, wordless.body]).toEqual([400, failure(expect.any(String))]);
    const path = `/api/seller/orders/${sale.orderId}/cancel`;
    await refusesStrangers(path, { method: "POST", json: { reason: "Stok habis" } }, "seller");
  });
});
