import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { runJob } from "../../../shared/jobs/jobs.ts";
import { mailJob } from "../../../shared/mail/mail.ts";
import { api, standIns, testContext } from "../../testing/api.ts";
import { twin } from "../../testing/orders.ts";
import { marketMails } from "../mails.ts";
import {
  atCourier,
  callback,
  courierContext,
  courierDial,
  handedOver,
  handOver,
  moveParcel,
  news,
  parcelOfSale,
} from "../testing/parcels.ts";
import { jobsOf, openShop, quietContext, type Sale, sell, takeIn } from "../testing/sales.ts";
import { followParcel } from "./courier-news.ts";

const Mails = z.array(z.object({ subject: z.string(), text: z.string() }));

/** Sends what waits of a template, as the mail queue does, and reads it where it arrives. */
async function mailOf(sale: Sale, template: string) {
  const query = sql`select id from jobs where kind = 'mail.send' and state = 'queued'
    and dedupe_key like ${`mail/${template}/${sale.orderId}%`}`;
  const waiting = await testContext().db.run(rows(query, z.object({ id: z.string() })));
  for (const { id } of waiting)
    expect(await runJob(quietContext(), id, [mailJob(marketMails)])).toBe("success");
  const { email } = template.endsWith("_buyer") ? sale.buyer : sale.seller;
  const path = `/_mails?to=${encodeURIComponent(email)}`;
  const arrived = Mails.parse(await twin(standIns().resend, path, {}, "GET"));
  return { sent: waiting.length, last: arrived.at(-1) };
}

/** How often both sides were told live. */
async function eventsOf({ orderId }: Sale): Promise<number> {
  const query = sql`select count(*)::int as n from jobs
    where kind = 'market.order_news' and payload->>'order_id' = ${orderId}`;
  const [row] = await testContext().db.run(rows(query, z.object({ n: z.number() })));
  return row?.n ?? 0;
}

const mailsLike = async (sale: Sale, word: RegExp) =>
  (await jobsOf(sale)).filter((key) => word.test(key));

describe("buyer and seller get a mail beside the event", () => {
  it("when the courier was asked to come, once", async () => {
    const sale = await handedOver();
    expect(await eventsOf(sale)).toBe(2);
    const seller = await mailOf(sale, "pickup_requested");
    expect(seller).toMatchObject({
      sent: 1,
      last: { subject: `Penjemputan paket pesanan ${sale.number} sudah diminta` },
    });
    expect(seller.last?.text).toContain("Siapkan paketnya");
    const buyer = await mailOf(sale, "pickup_requested_buyer");
    expect(buyer.last?.text).toContain("kurir sudah diminta menjemput paket Anda dari");
    for (let look = 0; look < 2; look += 1) await followParcel(courierContext(), sale.number);
    expect(await mailsLike(sale, /pickup_requested/)).toHaveLength(2);
  });

  it("when the courier's news overtakes the answer to our request", async () => {
    const [waiting, moving] = [await sell(await openShop()), await sell(await openShop())];
    for (const [sale, to] of [
      [waiting, "processed"],
      [moving, "shipped"],
    ] as const) {
      await handOver(sale);
      await testContext().db.batch([
        rows(
          sql`update market_shipments set requested_at = null where order_id = ${sale.orderId}`,
          z.unknown(),
        ),
        rows(
          sql`delete from jobs where dedupe_key like ${`mail/pickup_requested%/${sale.orderId}`}`,
          z.unknown(),
        ),
      ]);
      await news(sale, to, `${to}_packages`);
    }
    expect(await mailsLike(waiting, /pickup_requested|waybill/)).toHaveLength(4);
    expect(await mailsLike(moving, /pickup_requested|waybill/)).toEqual([]);
  });

  it("when the waybill is there, with its number, once for each number", async () => {
    const sale = await handedOver();
    await moveParcel(sale, "processed");
    const before = await eventsOf(sale);
    for (let again = 0; again < 3; again += 1)
      await takeIn("kiriminaja", callback(sale, "processed_packages", { date: again }));
    expect(await eventsOf(sale)).toBe(before + 1);
    const awb = (await atCourier(sale))?.awb ?? "none";
    for (const template of ["waybill_given", "waybill_given_buyer"]) {
      const { sent, last } = await mailOf(sale, template);
      expect([sent, last?.subject]).toEqual([1, expect.stringContaining("Nomor resi pesanan")]);
      expect(last?.text).toContain(awb);
    }
    await news(sale, "shipped", "shipped_packages");
    expect(await mailsLike(sale, /waybill/)).toHaveLength(2);
  });

  it("when the seller calls the pickup back, and when it is cancelled", async () => {
    const sale = await handedOver();
    await news(sale, "processed", "processed_packages");
    await courierDial(sale.number, { cancelDelayMs: 3_000 });
    const before = await eventsOf(sale);
    const path = `/api/seller/orders/${sale.orderId}/cancel-pickup`;
    const json = { reason: "Stok ternyata rusak" };
    const cancel = () => api(path, { method: "POST", token: sale.seller.token, json });
    expect((await cancel()).status).toBe(200);
    await cancel();
    expect(await eventsOf(sale)).toBe(before + 1);
    expect((await mailOf(sale, "pickup_called_back")).last?.text).toContain("dalam 48 jam");
    const buyer = await mailOf(sale, "pickup_called_back_buyer");
    expect([buyer.sent, buyer.last?.text]).toEqual([
      1,
      expect.stringContaining("Pesanan Anda belum dibatalkan"),
    ]);
    await moveParcel(sale, "canceled");
    for (let again = 0; again < 2; again += 1)
      await takeIn("kiriminaja", callback(sale, "canceled_packages", { date: again }));
    expect(await eventsOf(sale)).toBe(before + 2);
    expect(await parcelOfSale(sale)).toMatchObject({ status: "cancelled" });
    expect((await mailOf(sale, "parcel_cancelled")).sent).toBe(1);
    expect((await mailOf(sale, "parcel_cancelled_buyer")).sent).toBe(1);
    expect(await mailsLike(sale, /called_back|cancelled/)).toHaveLength(4);
  });
});
