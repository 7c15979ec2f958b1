import { z } from "zod";
import type { MailTemplate } from "../../shared/mail/mail.ts";
import { formatRupiah as rupiah } from "../../shared/money/format.ts";
import { instagramMails } from "./instagram/mails.ts";
import { goods, OrderMail, parcel, sums, toBuyer, toSeller } from "./order-mail.ts";
import { payoutMails } from "./payouts/mails.ts";
import { parcelMails } from "./shipping/mails.ts";

const orderPaid = toBuyer(
  "order_paid",
  (mail) => `Pembayaran pesanan ${mail.number} diterima`,
  (mail) => `terima kasih. ${mail.store_name} sedang menyiapkan pesanan Anda.`,
  (mail) => [goods(mail), sums(mail)],
);

const orderShipped = toBuyer(
  "order_shipped",
  (mail) => `Pesanan ${mail.number} sedang dikirim`,
  (mail) => `paket dari ${mail.store_name} sudah di tangan kurir.`,
  (mail) => [parcel(mail)],
);

const orderDelivered = toBuyer(
  "order_delivered",
  (mail) => `Pesanan ${mail.number} sudah sampai`,
  () => "paket Anda sudah diterima. Selamat menikmati!",
  (mail) => [goods(mail)],
);

const orderReceived = toSeller(
  "order_received",
  OrderMail,
  (mail) => `Pesanan baru ${mail.number}`,
  () => "ada pesanan baru yang sudah dibayar. Kurir akan menjemput paketnya.",
  (mail) => [
    goods(mail),
    {
      kind: "facts",
      facts: [
        ["Penerima", mail.recipient.name],
        ["Alamat", mail.recipient.street],
        ["Kurir", mail.courier],
        ["Anda terima setelah paket sampai", rupiah(mail.seller_amount)],
      ],
    },
  ],
);

const orderPaidOut = toSeller(
  "order_paid_out",
  OrderMail,
  (mail) => `Dana pesanan ${mail.number} masuk ke saldo Anda`,
  () => "paket sudah sampai, dan hasil penjualannya sudah masuk ke saldo Anda.",
  (mail) => [{ kind: "facts", facts: [["Hasil penjualan", rupiah(mail.seller_amount)]] }],
);

const pickupRefused = toSeller(
  "pickup_refused",
  OrderMail.extend({ reason: z.string() }),
  (mail) => `Paket pesanan ${mail.number} belum dapat dijemput`,
  (mail) =>
    `${mail.reason}\nKami mencoba lagi setiap beberapa jam. Anda juga dapat mengirim paket ini sendiri: simpan nomor resinya di menu pengiriman, lalu ongkos kirim dari pembeli ikut menjadi milik Anda setelah paket sampai.`,
  (mail) => [parcel(mail)],
);

/** Every mail of the market. */
export const marketMails: readonly MailTemplate<unknown>[] = [
  orderPaid,
  orderShipped,
  orderDelivered,
  orderReceived,
  orderPaidOut,
  pickupRefused,
  ...parcelMails,
  ...payoutMails,
  ...instagramMails,
];
