import { sql } from "drizzle-orm";
import { expect, it } from "vitest";
import { z } from "zod";
import { runJob } from "../../shared/jobs/jobs.ts";
import { mailJob } from "../../shared/mail/mail.ts";
import { standIns } from "../testing/api.ts";
import { twin } from "../testing/orders.ts";
import { hostingMails } from "./mails.ts";
import { runRenewals } from "./renewals.ts";
import {
  contextOn,
  daysAfter,
  mailsOf,
  payAt,
  renewalOrderOf,
  type Subscribed,
  subscribeUntil,
  wib,
} from "./testing/renewals.ts";
import { quietContext, run } from "./testing/sales.ts";

const Mails = z.array(z.object({ subject: z.string(), html: z.string(), text: z.string() }));

/** Sends what was written to that customer; what the provider got, in its order. */
async function delivered(subscribed: Subscribed) {
  const ctx = quietContext();
  const handlers = [mailJob(hostingMails)];
  for (const { id } of await mailsOf(subscribed)) {
    expect(await runJob(ctx, id, handlers)).toBe("success");
    expect(await runJob(ctx, id, handlers)).toBe("skipped");
  }
  const path = `/_mails?to=${encodeURIComponent(subscribed.user.email)}`;
  const mails = Mails.parse(await twin(standIns().resend, path, {}, "GET"));
  for (const { html, text } of mails) {
    expect(html + text).not.toMatch(/undefined|null|NaN|Invalid Date/);
  }
  return mails;
}

async function nights(endsAt: Date, days: number[]): Promise<void> {
  for (const day of days) await runRenewals(contextOn(daysAfter(endsAt, day)));
}

// The SQL functions write a mail's data, the templates read it: this is where they meet.
it("every mail of the nightly run is written, sent once, and says when what happens", async () => {
  const endsAt = wib("1998-03-20 06:00:00");
  const s = await subscribeUntil({ endsAt, website: true });
  await nights(endsAt, [-3, -1, 0, 3, 26, 32, 33]);
  const mails = await delivered(s);
  const domain = mails[0]?.text.match(/Website: (\S+)/)?.[1] ?? "";
  expect(domain).toMatch(/^situs-.*web\.id$/);
  expect(mails.map(({ subject }) => subject)).toEqual([
    `Masa aktif ${domain} berakhir 3 hari lagi`,
    `Masa aktif ${domain} berakhir besok`,
    `Masa aktif ${domain} berakhir hari ini`,
    `Layanan ${domain} ditangguhkan`,
    `${domain} akan dihapus pada 22 Apr 1998`,
    `${domain} akan dihapus pada 22 Apr 1998`,
    `Layanan ${domain} sudah berakhir`,
  ]);
  expect(mails[0]?.text).toContain("aktif sampai 23 Mar 1998 06.00 WIB");
  expect(mails[0]?.text).toMatch(/Bayar perpanjangan: http.*\/pay\?key=/);
});

it("a customer without automatic renewal and without a website is told both as they are", async () => {
  const endsAt = wib("1997-03-20 06:00:00");
  const s = await subscribeUntil({ endsAt, autoRenew: false });
  await nights(endsAt, [-3, 3]);
  const mails = await delivered(s);
  expect(mails.map(({ subject }) => subject)).toEqual([
    "Masa aktif paket Uji berakhir 3 hari lagi",
    "Layanan paket Uji ditangguhkan",
  ]);
  expect(mails[0]?.text).toContain("Perpanjangan otomatis Anda nonaktif");
  expect(mails[0]?.text).not.toContain("/pay?key=");
});

it("a paid renewal is confirmed with its invoice", async () => {
  const endsAt = wib("1996-03-20 06:00:00");
  const s = await subscribeUntil({ endsAt });
  await nights(endsAt, [-3]);
  await payAt(s, daysAfter(endsAt, -2));
  const [, paid] = await delivered(s);
  expect(paid?.subject).toBe(`Pembayaran paket ${s.plan.name.toUpperCase()} berhasil`);
  expect(paid?.text).toMatch(/Nomor faktur: INV\/1996\/\d{6}/);
  expect(paid?.text).toContain("Aktif sampai: 20 Apr 1996 06.00 WIB");
});

it("the reminder of a bill that its owner cancelled says so, and that he may renew by himself", async () => {
  const endsAt = wib("1995-03-20 06:00:00");
  const s = await subscribeUntil({ endsAt });
  await nights(endsAt, [-3]);
  const [bill] = await renewalOrderOf(s);
  const input = { order_id: bill?.id, user_id: s.user.userId };
  await run(sql`select hosting_order_cancel(${JSON.stringify(input)}::jsonb)`);
  await nights(endsAt, [-1]);
  const last = (await delivered(s)).at(-1);
  expect(last?.subject).toBe("Masa aktif paket Uji berakhir besok");
  expect(last?.text).toContain("Tagihan perpanjangannya Anda batalkan.");
  expect(last?.text).toContain("perpanjang dari dasbor");
  expect(last?.text).not.toContain("sudah kami siapkan");
});

/** Its owner orders the next period himself, for as many months as he likes, and does not pay. */
async function openRenewal({ id }: Subscribed, duration: number): Promise<void> {
  const terms = { ppn_percent: 0, seller: { name: "", address: "", tax_id: "" } };
  const input = { subscription_id: id, duration, terms };
  await run(sql`select hosting_renewal_open(${JSON.stringify(input)}::jsonb)`);
}

it.each([
  { has: 1, asks: 3, year: 1994, fee: "Biaya perpanjangan 3 bulan: Rp 90.000" },
  { has: 12, asks: 1, year: 1993, fee: "Biaya perpanjangan 1 bulan: Rp 30.000" },
])(
  "an order for $asks months after $has is told by its own months, and as no change of the price",
  async ({ has, asks, year, fee }) => {
    const endsAt = wib(`${year}-03-20 06:00:00`);
    const s = await subscribeUntil({ endsAt });
    await run(
      sql`update hosting_subscriptions set duration = ${has}, price = price * ${has} where id = ${s.id}`,
    );
    await openRenewal(s, asks);
    await nights(endsAt, [-3, 3, 26]);
    const mails = await delivered(s);
    expect(mails).toHaveLength(3);
    for (const { text } of mails) {
      expect(text).toContain(fee);
      expect(text).not.toContain("Harga paket ini");
    }
  },
);

it("a plan that has become dearer is told by the month, whatever the months", async () => {
  const endsAt = wib("1992-03-20 06:00:00");
  const s = await subscribeUntil({ endsAt });
  await run(sql`update hosting_plans set price = 45000 where id = ${s.plan.id}`);
  await openRenewal(s, 3);
  await nights(endsAt, [-3]);
  const [mail] = await delivered(s);
  expect(mail?.text).toContain("Biaya perpanjangan 3 bulan: Rp 135.000");
  expect(mail?.text).toContain("naik dari Rp 30.000 menjadi Rp 45.000 per bulan.");
});
