import { z } from "zod";
import type { MailBlock } from "../../../shared/mail/layout.ts";
import { type MailTemplate, mailTemplate } from "../../../shared/mail/mail.ts";
import { formatRupiah as rupiah } from "../../../shared/money/format.ts";
import { formatJakarta } from "../../../shared/time/jakarta.ts";

const hello = (name: string, text: string): MailBlock => ({
  kind: "text",
  text: `Halo ${name},\n${text}`,
});

/** Written by SQL function `hosting_order_settle`. */
const paymentSuccess = mailTemplate({
  name: "hosting_payment_success",
  schema: z.object({
    name: z.string(),
    order_id: z.string(),
    plan_name: z.string(),
    amount: z.number(),
    duration: z.number(),
    end_date: z.coerce.date(),
    invoice_number: z.string(),
  }),
  subject: ({ plan_name }) => `Pembayaran paket ${plan_name} berhasil`,
  page: (mail) => ({
    title: `Pembayaran paket ${mail.plan_name} berhasil`,
    blocks: [
      hello(mail.name, "terima kasih, pembayaran Anda sudah kami terima."),
      {
        kind: "facts",
        facts: [
          ["Nomor faktur", mail.invoice_number],
          ["Paket", mail.plan_name],
          ["Durasi", `${mail.duration} bulan`],
          ["Aktif sampai", formatJakarta(mail.end_date)],
          ["Dibayar", rupiah(mail.amount)],
        ],
      },
    ],
  }),
});

/** Written by SQL function `hosting_expired`. */
const paymentFailed = mailTemplate({
  name: "hosting_payment_failed",
  schema: z.object({
    name: z.string(),
    order_id: z.string(),
    plan_name: z.string(),
    amount: z.number(),
    reason: z.string(),
  }),
  subject: ({ plan_name }) => `Pembayaran paket ${plan_name} belum berhasil`,
  page: (mail) => ({
    title: `Pembayaran paket ${mail.plan_name} belum berhasil`,
    blocks: [
      hello(mail.name, `${mail.reason}\nTidak ada dana yang kami terima untuk pesanan ini.`),
      {
        kind: "facts",
        facts: [
          ["Paket", mail.plan_name],
          ["Jumlah", rupiah(mail.amount)],
          ["Nomor pesanan", mail.order_id],
        ],
      },
      { kind: "text", text: "Silakan pesan kembali kapan saja." },
    ],
  }),
});

/** Written by the job that creates a site. The password is shown to the owner alone, and never travels by mail. */
const websiteCreated = mailTemplate({
  name: "hosting_website_created",
  schema: z.object({
    name: z.string(),
    domain: z.string(),
    ftp_host: z.string(),
    ftp_username: z.string(),
  }),
  subject: ({ domain }) => `Website ${domain} siap digunakan`,
  page: (mail) => ({
    title: `Website ${mail.domain} siap digunakan`,
    blocks: [
      hello(mail.name, "website Anda sudah aktif. Unggah berkasnya lewat dasbor atau FTP."),
      {
        kind: "facts",
        facts: [
          ["Alamat website", mail.domain],
          ["Server FTP", mail.ftp_host],
          ["Nama pengguna FTP", mail.ftp_username],
          ["Kata sandi FTP", "lihat di dasbor"],
        ],
      },
      {
        kind: "text",
        text: "Arahkan domain Anda ke server kami jika alamatnya belum terbuka. Kata sandi tidak pernah kami kirim lewat email; jangan berikan kepada siapa pun.",
      },
    ],
  }),
});

/** Written by the job that resumes a site after its payment. */
const resumed = mailTemplate({
  name: "hosting_resumed",
  schema: z.object({ name: z.string(), domain: z.string() }),
  subject: ({ domain }) => `Website ${domain} aktif kembali`,
  page: ({ name, domain }) => ({
    title: `Website ${domain} aktif kembali`,
    blocks: [
      hello(name, `terima kasih. Penangguhan ${domain} sudah dicabut dan website dapat dibuka.`),
    ],
  }),
});

export const saleMails: readonly MailTemplate<unknown>[] = [
  paymentSuccess,
  paymentFailed,
  websiteCreated,
  resumed,
];
