import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { createUser } from "../../testing/factories.ts";
import { cancelOf, refundBooksOf } from "../testing/money.ts";
import {
  callback,
  courierContext,
  HELD,
  handedOver,
  moneyOf,
  moveParcel,
  news,
  PAID_OUT,
  parcelMails,
  parcelOfSale,
} from "../testing/parcels.ts";
import { jobsOf, type Sale, takeIn } from "../testing/sales.ts";
import { followParcel } from "./courier-news.ts";
import { parcelMails as templates } from "./mails.ts";

/** As the check without callbacks does, twice over. */
async function follow(sale: Sale, to: string) {
  await moveParcel(sale, to);
  for (let look = 0; look < 2; look += 1) await followParcel(courierContext(), sale.number);
}

async function refund({ orderId }: Sale) {
  const { token } = await createUser(["buyer", "admin"]);
  const call = { method: "POST", token, json: { reason: "Hilang" } };
  expect((await api(`/api/admin/orders/${orderId}/refund`, call)).status).toBe(200);
}

/** What a mail about this order says now. */
async function textOf({ orderId }: Sale, name: string) {
  const { db, config } = testContext();
  const query = sql`select payload->'data' as data from jobs
    where dedupe_key like ${`mail/${name}/${orderId}%`} order by created_at desc limit 1`;
  const [found] = await db.run(rows(query, z.object({ data: z.unknown() })));
  const template = templates.find((one) => one.name === name);
  return template?.text(template.schema.parse(found?.data), config);
}

describe("a parcel's way after a failure", () => {
  it("is told of by mail again where it fails in the same way once more", async () => {
    const sale = await handedOver();
    await news(sale, "shipped", "shipped_packages");
    for (const to of ["rejected", "redelivery", "rejected"]) await follow(sale, to);
    const mails = await parcelMails(sale);
    for (const template of ["parcel_refused", "parcel_refused_buyer"]) {
      expect(mails.filter((key) => key.startsWith(`mail/${template}/`))).toHaveLength(2);
    }
  });

  it("moves no money that went back, and asks nobody to send the goods again", async () => {
    const sale = await handedOver();
    await news(sale, "shipped", "shipped_packages");
    await follow(sale, "undelivered");
    expect(await textOf(sale, "parcel_failed_buyer")).toContain("belum diteruskan");
    await refund(sale);
    await follow(sale, "returning");
    await news(sale, "returned", "returned_packages", { returned_at: "2026-11-25 10:00:00" });
    expect(await moneyOf(sale)).toEqual({ seller: 0, escrow: 0 });
    expect(await textOf(sale, "parcel_returned")).toContain("jangan kirim ulang");
    expect(await textOf(sale, "parcel_returned_buyer")).toContain("sudah dikembalikan kepada Anda");
  });

  it("that the courier ends after the money went back asks nobody to send the goods either", async () => {
    const sale = await handedOver();
    await news(sale, "shipped", "shipped_packages");
    await refund(sale);
    await news(sale, "canceled", "canceled_packages");
    expect(await textOf(sale, "parcel_cancelled")).toContain("jangan kirim paketnya");
    expect(await textOf(sale, "parcel_cancelled_buyer")).not.toContain("mengirimnya");
  });

  it("of which the first word is that it was lost costs the fee that its courier has earned", async () => {
    const sale = await handedOver();
    await moveParcel(sale, "shipped");
    await news(sale, "lost", "rejected_packages");
    await refund(sale);
    expect(await parcelOfSale(sale)).toMatchObject({ order: "refunded", status: "failed" });
    expect(await moneyOf(sale)).toEqual({ seller: 0, escrow: 0 });
    expect((await refundBooksOf(sale)).find(({ to }) => to === "courier")?.amount).toBe(18_000);
  });

  it("that ends at the buyer whose money went back is told to both, once, and pays nobody", async () => {
    const sale = await handedOver();
    await news(sale, "shipped", "shipped_packages");
    await follow(sale, "undelivered");
    await refund(sale);
    await follow(sale, "redelivery");
    for (let n = 0; n < 2; n += 1) await news(sale, "finished", "finished_packages");
    expect(await parcelOfSale(sale)).toMatchObject({ order: "refunded", status: "delivered" });
    expect(await moneyOf(sale)).toEqual({ seller: 0, escrow: 0 });
    const mails = (await parcelMails(sale)).filter((key) => /arrived|paid_out/.test(key));
    expect(mails).toEqual(["mail/parcel_arrived/*", "mail/parcel_arrived_buyer/*"]);
  });
});

describe("a parcel that its courier calls cancelled", () => {
  it("and delivers all the same pays its seller, once, as he confirms when he is asked", async () => {
    const sale = await handedOver();
    await news(sale, "canceled", "canceled_packages", { canceled_at: "2026-11-21 10:00:00" });
    expect(await parcelOfSale(sale)).toMatchObject({ order: "processing", status: "cancelled" });
    // A word that he does not confirm moves nothing.
    await takeIn("kiriminaja", callback(sale, "finished_packages", { finished_at: "x" }));
    expect(await moneyOf(sale)).toEqual(HELD);
    for (let n = 0; n < 2; n += 1) await news(sale, "finished", "finished_packages");
    expect(await parcelOfSale(sale)).toMatchObject({ order: "delivered", status: "delivered" });
    expect(await moneyOf(sale)).toEqual(PAID_OUT);
    expect(await parcelMails(sale)).toEqual(
      expect.arrayContaining(["mail/order_delivered/*", "mail/order_paid_out/*"]),
    );
  });

  it("and carries all the same is on its way, so that its sale cannot be given up", async () => {
    const sale = await handedOver();
    await news(sale, "canceled", "canceled_packages");
    await news(sale, "shipped", "shipped_packages");
    expect(await parcelOfSale(sale)).toMatchObject({ order: "shipped", status: "in_transit" });
    expect((await cancelOf(sale.seller, sale)).status).toBe(409);
    // He does not come after all: another word than the first.
    await news(sale, "canceled", "canceled_packages", { canceled_at: "2026-11-21 12:00:00" });
    const told = (await parcelMails(sale)).filter((key) => key.includes("parcel_cancelled_buyer"));
    expect(told).toHaveLength(2);
    await news(sale, "finished", "finished_packages");
    expect(await moneyOf(sale)).toEqual(PAID_OUT);
  });

  it("because its sale was given up, and carries all the same, is told as what it is and pays nobody", async () => {
    const sale = await handedOver();
    expect((await cancelOf(sale.seller, sale)).status).toBe(200);
    await news(sale, "shipped", "shipped_packages");
    expect(await textOf(sale, "parcel_in_transit")).toContain("mintalah kurir mengembalikannya");
    expect(await textOf(sale, "parcel_in_transit_buyer")).toContain("sudah dikembalikan");
    await news(sale, "finished", "finished_packages");
    expect(await parcelOfSale(sale)).toMatchObject({ order: "refunded", status: "delivered" });
    expect(await moneyOf(sale)).toEqual({ seller: 0, escrow: 0 });
    expect(await parcelMails(sale)).toEqual([
      "mail/parcel_arrived/*",
      "mail/parcel_arrived_buyer/*",
      "mail/parcel_in_transit/*",
      "mail/parcel_in_transit_buyer/*",
    ]);
  });
});

describe("a courier who takes an end back", () => {
  it.each([
    ["finished", "finished_packages", "returned", "returned_packages", "delivered"],
    ["returned", "returned_packages", "finished", "finished_packages", "returned"],
  ])("%s by %s, then %s, tells the operator once and moves no money", async (...words) => {
    const [first, firstMethod, then, thenMethod, status] = words;
    const sale = await handedOver();
    await news(sale, "shipped", "shipped_packages");
    await news(sale, first, firstMethod, { returned_at: "2026-11-25 10:00:00" });
    const held = await moneyOf(sale);
    for (const at of ["10", "11"]) {
      await news(sale, then, thenMethod, { returned_at: `2026-11-26 ${at}:00:00` });
    }
    expect(await moneyOf(sale)).toEqual(held);
    expect(await parcelOfSale(sale)).toMatchObject({ status });
    const alerts = (await jobsOf(sale)).filter((key) => key.includes("took-back"));
    expect(alerts).toHaveLength(1);
  });
});
