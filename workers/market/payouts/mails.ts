import { z } from "zod";
import type { MailBlock } from "../../../shared/mail/layout.ts";
import { type MailTemplate, mailTemplate } from "../../../shared/mail/mail.ts";
import { formatRupiah as rupiah } from "../../../shared/money/format.ts";

const account = (bank: string, last4: string) => `${bank.toUpperCase()} •••• ${last4}`;

const PayoutMail = z.object({
  name: z.string(),
  amount: z.number(),
  bank: z.string(),
  last4: z.string(),
  reason: z.string().nullable(),
  reference: z.string().nullable(),
});
type PayoutMail = z.output<typeof PayoutMail>;

const aboutPayout = (
  name: string,
  title: (mail: PayoutMail) => string,
  text: string,
  more: (mail: PayoutMail) => readonly (readonly [string, string])[],
) =>
  mailTemplate({
    name,
    schema: PayoutMail,
    subject: title,
    page: (mail) => ({
      title: title(mail),
      blocks: [
        { kind: "text", text: `Halo ${mail.name},\n${text}` },
        {
          kind: "facts",
          facts: [
            ["Jumlah", rupiah(mail.amount)],
            ["Rekening", account(mail.bank, mail.last4)],
            ...more(mail),
          ],
        },
      ],
    }),
  });

const payoutPaid = aboutPayout(
  "payout_paid",
  (mail) => `Pencairan ${rupiah(mail.amount)} sudah ditransfer`,
  "pencairan saldo Anda sudah kami transfer.",
  (mail) => [["Nomor referensi", mail.reference ?? "-"]],
);

const payoutRejected = aboutPayout(
  "payout_rejected",
  (mail) => `Pencairan ${rupiah(mail.amount)} ditolak`,
  "pencairan saldo Anda tidak dapat kami proses. Dananya sudah kembali ke saldo Anda.",
  (mail) => [["Alasan", mail.reason ?? "-"]],
);

const payoutBounced = aboutPayout(
  "payout_bounced",
  (mail) => `Transfer pencairan ${rupiah(mail.amount)} gagal`,
  "bank mengembalikan transfer pencairan saldo Anda. Dananya sudah kembali ke saldo Anda. Periksa rekening Anda sebelum mengajukan pencairan lagi.",
  (mail) => [
    ["Alasan", mail.reason ?? "-"],
    ["Nomor referensi", mail.reference ?? "-"],
  ],
);

const bankAccountChanged = mailTemplate({
  name: "bank_account_changed",
  schema: z.object({ name: z.string(), bank: z.string(), last4: z.string() }),
  subject: () => "Rekening pencairan Anda diubah",
  page: (mail) => ({
    title: "Rekening pencairan Anda diubah",
    blocks: [
      {
        kind: "text",
        text: `Halo ${mail.name},\npencairan saldo Anda mulai sekarang dikirim ke rekening ${account(mail.bank, mail.last4)}. Jika bukan Anda yang mengubahnya, segera ganti kata sandi Anda dan hubungi kami.`,
      },
    ],
  }),
});

const RefundMail = z.object({
  name: z.string(),
  number: z.string(),
  store_name: z.string(),
  reason: z.string(),
  amount: z.number(),
});

const reasonBlock = (mail: z.output<typeof RefundMail>): MailBlock => ({
  kind: "facts",
  facts: [
    ["Jumlah", rupiah(mail.amount)],
    ["Alasan", mail.reason],
  ],
});

const orderRefunded = mailTemplate({
  name: "order_refunded",
  schema: RefundMail.extend({ paid_to: z.string(), closed: z.boolean() }),
  subject: (mail) => `Dana pesanan ${mail.number} dikembalikan`,
  page: (mail) => ({
    title: `Dana pesanan ${mail.number} dikembalikan`,
    blocks: [
      {
        kind: "text",
        text: `Halo ${mail.name},\n${mail.closed ? `pesanan Anda di ${mail.store_name} dibatalkan` : `sebagian dana pesanan Anda di ${mail.store_name} dikembalikan`}. ${mail.paid_to === "wallet" ? "Dananya sudah masuk ke saldo Anda." : "Dananya kembali lewat cara Anda membayar, paling lama beberapa hari kerja."}`,
      },
      reasonBlock(mail),
    ],
  }),
});

/** Before the parcel has arrived the money lies with us, and the seller's balance never had it. */
function takenFrom({ held, closed }: { held: boolean; closed: boolean }): string {
  if (!held) {
    return "bagian Anda dari dana yang dikembalikan diambil dari saldo Anda; yang tidak tercukupi, dari penjualan berikutnya.";
  }
  const words =
    "dana itu diambil dari dana pesanan yang masih kami tahan; saldo Anda tidak berkurang.";
  return closed
    ? `${words} Pesanan ini berakhir. Bila paketnya belum dijemput, jangan kirim paketnya; kurir yang sudah diminta menjemputnya kami kabari.`
    : words;
}

const orderTakenBack = mailTemplate({
  name: "order_taken_back",
  schema: RefundMail.extend({
    commission_amount: z.number(),
    held: z.boolean().default(false),
    closed: z.boolean().default(false),
  }),
  subject: (mail) => `Dana pesanan ${mail.number} dikembalikan ke pembeli`,
  page: (mail) => ({
    title: `Dana pesanan ${mail.number} dikembalikan ke pembeli`,
    blocks: [
      {
        kind: "text",
        text: `Halo ${mail.name},\n${takenFrom(mail)} Komisi atas bagian itu, ${rupiah(mail.commission_amount)}, tidak Anda tanggung.`,
      },
      reasonBlock(mail),
    ],
  }),
});

const orderGivenUp = mailTemplate({
  name: "order_given_up",
  schema: RefundMail,
  subject: (mail) => `Pesanan ${mail.number} Anda batalkan`,
  page: (mail) => ({
    title: `Pesanan ${mail.number} Anda batalkan`,
    blocks: [
      {
        kind: "text",
        text: `Halo ${mail.name},\npesanan ini sudah dibatalkan dan dananya dikembalikan kepada pembeli. Jangan kirim paketnya; kurir yang sudah diminta menjemputnya kami kabari.`,
      },
      {
        kind: "facts",
        facts: [["Alasan", mail.reason]],
      },
    ],
  }),
});

/** Mails about sellers' money and about what goes back to buyers. */
export const payoutMails: readonly MailTemplate<unknown>[] = [
  payoutPaid,
  payoutRejected,
  payoutBounced,
  bankAccountChanged,
  orderRefunded,
  orderTakenBack,
  orderGivenUp,
];
