import { beforeAll, describe, expect, it } from "vitest";
import { auditOf } from "../../../shared/audit/audit.ts";
import { api, testContext } from "../../testing/api.ts";
import { createStore, createUser, type TestUser } from "../../testing/factories.ts";
import { COURIER_AREA } from "../../testing/orders.ts";
import { failure } from "../testing/catalogue.ts";
import { refundOf } from "../testing/money.ts";
import {
  HELD,
  handedOver,
  moneyOf,
  moveParcel,
  news,
  PAID_OUT,
  parcelMails,
  parcelOfSale,
} from "../testing/parcels.ts";
import { jobsOf, openShop, type Sale, sell, settle, sumOfLedger } from "../testing/sales.ts";

let admin: TestUser;
beforeAll(async () => {
  admin = await createUser(["admin"]);
});

const declare = (by: TestUser, { orderId }: Sale, key?: string, reason = "Foto serah terima") =>
  api(`/api/admin/orders/${orderId}/delivered`, {
    method: "POST",
    token: by.token,
    json: { reason },
    ...(key ? { headers: { "idempotency-key": key } } : {}),
  });

const deliveries = async ({ orderId }: Sale) =>
  await testContext().db.run(auditOf({ kind: "market_order", id: orderId }));

/** A parcel that its courier has lost sight of. */
async function lost(): Promise<Sale> {
  const sale = await handedOver();
  await news(sale, "shipped", "shipped_packages");
  await news(sale, "lost", "rejected_packages");
  return sale;
}

describe("an admin's word that the buyer has the goods", () => {
  it("pays the seller once, however often and by however many it is given", async () => {
    const sale = await lost();
    const other = await createUser(["admin"]);
    const key = crypto.randomUUID();
    const answers = await Promise.all(
      [admin, admin, admin, other, other].map((by) =>
        declare(by, sale, by === admin ? key : undefined),
      ),
    );
    for (const { status, body } of answers) {
      expect([status, body.data, body.error]).toEqual([
        200,
        { id: sale.orderId, status: "delivered" },
        null,
      ]);
    }
    expect(await parcelOfSale(sale)).toMatchObject({ order: "delivered", status: "delivered" });
    expect(await moneyOf(sale)).toEqual(PAID_OUT);
    expect(await parcelMails(sale)).toEqual(
      expect.arrayContaining(["mail/order_delivered/*", "mail/order_paid_out/*"]),
    );
    const trace = (await deliveries(sale)).filter(
      ({ action }) => action === "market.order.deliver",
    );
    expect(trace).toMatchObject([{ reason: "Foto serah terima", before: { parcel: "failed" } }]);
    expect(await sumOfLedger()).toBe(0);
  });

  it("counts against what the courier says, also after it", async () => {
    const sale = await handedOver();
    await news(sale, "shipped", "shipped_packages");
    await news(sale, "returned", "returned_packages", { returned_at: "2026-11-25 10:00:00" });
    expect(await moneyOf(sale)).toEqual(HELD);
    expect((await declare(admin, sale)).status).toBe(200);
    await news(sale, "finished", "finished_packages");
    expect(await moneyOf(sale)).toEqual(PAID_OUT);
  });

  it("gives the seller the shipping fee too where no courier of ours fetched the parcel", async () => {
    const sale = await handedOver();
    expect((await declare(admin, sale)).status).toBe(200);
    expect(await moneyOf(sale)).toEqual({ seller: 47_500 + 18_000, escrow: 0 });
  });

  it("leaves the courier his fee who has fetched the parcel, though nobody told us", async () => {
    const sale = await handedOver();
    await moveParcel(sale, "shipped");
    expect((await declare(admin, sale)).status).toBe(200);
    expect(await moneyOf(sale)).toEqual(PAID_OUT);
  });

  const alerts = async (sale: Sale) => (await jobsOf(sale)).filter((key) => key.includes("alert"));

  it("stands where the courier then confirms that he does not come, and troubles nobody", async () => {
    const sale = await handedOver();
    await news(sale, "processed", "processed_packages");
    expect((await declare(admin, sale)).status).toBe(200);
    await news(sale, "canceled", "canceled_packages");
    expect(await parcelOfSale(sale)).toMatchObject({ status: "delivered", cost: 0 });
    expect(await alerts(sale)).toEqual([]);
  });

  it("is told to the operator, once, where a courier whose fee was paid out carries the parcel after all", async () => {
    const sale = await handedOver();
    expect((await declare(admin, sale)).status).toBe(200);
    await news(sale, "shipped", "shipped_packages");
    await news(sale, "finished", "finished_packages");
    expect(await alerts(sale)).toEqual(["mail/alert/courier-fee/*"]);
    expect(await moneyOf(sale)).toEqual({ seller: 47_500 + 18_000, escrow: 0 });
  });

  it("and a refund at the same time share the money out once", async () => {
    const sale = await lost();
    const [declared, refunded] = await Promise.all([
      declare(admin, sale),
      refundOf(admin, sale, {}),
    ]);
    expect([declared.status, refunded.status]).toContain(200);
    expect((await moneyOf(sale)).escrow).toBe(0);
    expect(await sumOfLedger()).toBe(0);
  });

  it("is refused where nothing waits for goods, and with the key of another word", async () => {
    const sale = await sell(await openShop());
    const early = await declare(admin, sale);
    expect([early.status, early.body]).toEqual([
      409,
      failure("Pesanan ini tidak menunggu barangnya sampai", { status: "pending" }),
    ]);
    await settle(sale);
    expect((await declare(admin, { ...sale, orderId: crypto.randomUUID() })).status).toBe(404);
    expect((await declare(admin, { ...sale, orderId: "x" })).status).toBe(404);
    expect((await declare(admin, sale, undefined, "")).status).toBe(400);
    const key = crypto.randomUUID();
    expect((await declare(admin, sale, key)).status).toBe(200);
    expect((await declare(admin, sale, key, "Lain sekali")).status).toBe(422);
    await refundOf(admin, sale, {});
    expect((await declare(admin, sale)).status).toBe(409);
  });
});

describe("an order that an admin bought or sold himself", () => {
  it("is neither declared delivered nor refunded by him", async () => {
    const [seller, buyer] = await Promise.all([
      createUser(["buyer", "seller", "admin"]),
      createUser(["buyer", "admin"]),
    ]);
    const sale = await sell({ seller, buyer, store: await createStore(seller, COURIER_AREA) });
    await settle(sale);
    for (const own of [seller, buyer]) {
      for (const answer of [await declare(own, sale), await refundOf(own, sale, {})]) {
        expect([answer.status, answer.body.error]).toEqual([
          403,
          "Pesanan sendiri diputuskan oleh admin lain",
        ]);
      }
    }
    expect((await declare(admin, sale)).status).toBe(200);
  });
});
