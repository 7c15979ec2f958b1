import { z } from "zod";
import type { MailBlock } from "../../../shared/mail/layout.ts";
import { type MailTemplate, mailTemplate } from "../../../shared/mail/mail.ts";
import { formatRupiah as rupiah } from "../../../shared/money/format.ts";
import { formatJakarta, formatJakartaDay } from "../../../shared/time/jakarta.ts";

/** What SQL function `hosting_renewal_mail` writes. */
const PeriodMail = z.object({
  name: z.string(),
  plan_name: z.string(),
  domain: z.string().nullable(),
  end_date: z.coerce.date(),
  duration: z.number(),
  amount: z.number(),
  /** What as many months cost at the price of the period that ends. */
  previous_amount: z.number(),
  auto_renew: z.boolean(),
  payment_url: z.string().nullable(),
});
type PeriodMail = z.output<typeof PeriodMail>;

/** The website by its name, or the plan where there is none yet. */
const thing = ({ domain, plan_name }: PeriodMail) => domain ?? `paket ${plan_name}`;

const facts = (mail: PeriodMail): MailBlock => ({
  kind: "facts",
  facts: [
    ["Paket", mail.plan_name],
    ...(mail.domain ? ([["Website", mail.domain]] as const) : []),
    ["Masa aktif sampai", formatJakarta(mail.end_date)],
    [`Biaya perpanjangan ${mail.duration} bulan`, rupiah(mail.amount)],
  ],
});

const button = (mail: PeriodMail, label: string): MailBlock[] =>
  mail.payment_url ? [{ kind: "button", label, url: mail.payment_url }] : [];

/** A renewal costs what the plan costs on the day it is asked for; a customer learns of a change before he pays. */
function priceChange({ amount, previous_amount: before, duration }: PeriodMail): MailBlock[] {
  if (amount === before) return [];
  const way = amount > before ? "naik" : "turun";
  const text = `Harga paket ini ${way} dari ${rupiah(before / duration)} menjadi ${rupiah(amount / duration)} per bulan. Periode yang sudah Anda bayar tidak berubah.`;
  return [{ kind: "text", text }];
}

const template = <T extends PeriodMail>(
  name: string,
  schema: z.ZodType<T>,
  subject: (mail: T) => string,
  blocks: (mail: T) => MailBlock[],
): MailTemplate<unknown> =>
  mailTemplate({
    name,
    schema,
    subject,
    page: (mail) => ({
      title: subject(mail),
      blocks: [{ kind: "text", text: `Halo ${mail.name},` }, ...blocks(mail)],
    }),
  });

const Reminder = PeriodMail.extend({ days_left: z.number().int(), suspends_at: z.coerce.date() });
type Reminder = z.output<typeof Reminder>;

/** A reminder that comes late, because a run was missed, counts the days that are really left. */
function when({ days_left: days }: Reminder): string {
  if (days > 1) return `berakhir ${days} hari lagi`;
  if (days === 1) return "berakhir besok";
  return days === 0 ? "berakhir hari ini" : "sudah berakhir";
}

function reminderWords(mail: Reminder): string {
  const ends = `Masa aktif ${thing(mail)} ${when(mail)}.`;
  if (mail.auto_renew && mail.payment_url) {
    return `${ends} Tagihan perpanjangannya sudah kami siapkan. Selama belum dibayar, layanan tetap aktif sampai ${formatJakarta(mail.suspends_at)}, setelah itu ditangguhkan.`;
  }
  const why = mail.auto_renew
    ? "Tagihan perpanjangannya Anda batalkan."
    : "Perpanjangan otomatis Anda nonaktif, jadi tidak ada tagihan baru.";
  return `${ends} ${why} Layanan tetap aktif sampai ${formatJakarta(mail.suspends_at)}, setelah itu ditangguhkan. Jika ingin melanjutkan, perpanjang dari dasbor sebelum waktu itu.`;
}

const reminder = template(
  "hosting_renewal_reminder",
  Reminder,
  (mail) => `Masa aktif ${thing(mail)} ${when(mail)}`,
  (mail) => [
    { kind: "text", text: reminderWords(mail) },
    facts(mail),
    ...priceChange(mail),
    ...button(mail, "Bayar perpanjangan"),
  ],
);

const Dated = PeriodMail.extend({ delete_at: z.coerce.date() });

const toPay = ({ payment_url }: PeriodMail) =>
  payment_url
    ? "Begitu pembayaran kami terima, layanan aktif kembali dalam satu menit."
    : "Perpanjang dari dasbor untuk mengaktifkannya kembali.";

const suspended = template(
  "hosting_suspended",
  Dated,
  (mail) => `Layanan ${thing(mail)} ditangguhkan`,
  (mail) => [
    {
      kind: "text",
      text: `masa aktifnya berakhir ${formatJakartaDay(mail.end_date)} dan belum diperpanjang, jadi website tidak dapat dibuka lagi. Semua berkas dan data masih kami simpan sampai ${formatJakartaDay(mail.delete_at)}. ${toPay(mail)}`,
    },
    facts(mail),
    ...button(mail, "Bayar dan aktifkan kembali"),
  ],
);

const deletionWarning = template(
  "hosting_deletion_warning",
  Dated,
  (mail) => `${thing(mail)} akan dihapus pada ${formatJakartaDay(mail.delete_at)}`,
  (mail) => [
    {
      kind: "text",
      text: `layanan ini ditangguhkan dan belum diperpanjang. Pada ${formatJakarta(mail.delete_at)} website, basis data, dan semua berkasnya dihapus untuk selamanya dan tidak dapat dipulihkan. ${toPay(mail)}`,
    },
    facts(mail),
    ...button(mail, "Bayar dan selamatkan website"),
  ],
);

const deleted = template(
  "hosting_deleted",
  PeriodMail,
  (mail) => `Layanan ${thing(mail)} sudah berakhir`,
  () => [
    {
      kind: "text",
      text: "layanan ini tidak diperpanjang, jadi website beserta berkasnya sudah dihapus dan tagihannya dibatalkan. Tidak ada yang perlu Anda bayar. Terima kasih pernah bersama kami.",
    },
  ],
);

export const renewalMails: readonly MailTemplate<unknown>[] = [
  reminder,
  suspended,
  deletionWarning,
  deleted,
];
