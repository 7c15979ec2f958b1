import { z } from "zod";
import type { MailBlock } from "../../shared/mail/layout.ts";
import { type MailTemplate, mailTemplate } from "../../shared/mail/mail.ts";
import { formatRupiah as rupiah } from "../../shared/money/format.ts";
import { instagramMails } from "./instagram/mails.ts";
import { payoutMails } from "./payouts/mails.ts";
import { orderUrl } from "./storefront/urls.ts";

/** What SQL function `market_mail` writes. */
const OrderMail = z.object({
  name: z.string(),
  number: z.string(),
  order_id: z.string(),
  store_name: z.string(),
  store_slug: z.string(),
  subtotal_amount: z.number(),
  discount_amount: z.number(),
  shipping_amount: z.number(),
  total_amount: z.number(),
  seller_amount: z.number(),
  courier: z.string(),
  tracking_code: z.string().nullable(),
  recipient: z.object({ name: z.string(), phone: z.string(), street: z.string() }).loose(),
  items: z.array(z.object({ name: z.string(), quantity: z.number(), subtotal: z.number() })),
});
type OrderMail = z.output<typeof OrderMail>;

const goods = ({ items }: OrderMail): MailBlock => ({
  kind: "facts",
  facts: items.map((item) => [`${item.quantity} × ${item.name}`, rupiah(item.subtotal)]),
});

const sums = (mail: OrderMail): MailBlock => ({
  kind: "facts",
  facts: [
    ["Subtotal", rupiah(mail.subtotal_amount)],
    ...(mail.discount_amount > 0
      ? ([["Potongan promo", `-${rupiah(mail.discount_amount)}`]] as const)
      : []),
    [`Ongkos kirim (${mail.courier})`, rupiah(mail.shipping_amount)],
    ["Total", rupiah(mail.total_amount)],
  ],
});

const parcel = (mail: OrderMail): MailBlock => ({
  kind: "facts",
  facts: [
    ["Kurir", mail.courier],
    ["Nomor resi", mail.tracking_code ?? "menyusul"],
    ["Penerima", mail.recipient.name],
  ],
});

/** One mail to the buyer about an order, ending in a link to its page. */
const toBuyer = (
  name: string,
  subject: (mail: OrderMail) => string,
  text: (mail: OrderMail) => string,
  blocks: (mail: OrderMail) => MailBlock[],
) =>
  mailTemplate({
    name,
    schema: OrderMail,
    subject,
    page: (mail, config) => ({
      title: subject(mail),
      blocks: [
        { kind: "text", text: `Halo ${mail.name},\n${text(mail)}` },
        ...blocks(mail),
        {
          kind: "button",
          label: "Lihat pesanan",
          url: orderUrl(config, mail.store_slug, mail.order_id),
        },
      ],
    }),
  });

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

/** One mail to the seller about an order of his store. */
const toSeller = <T extends OrderMail>(
  name: string,
  schema: z.ZodType<T>,
  subject: (mail: T) => string,
  text: (mail: T) => string,
  blocks: (mail: T) => MailBlock[],
) =>
  mailTemplate({
    name,
    schema,
    subject,
    page: (mail) => ({
      title: subject(mail),
      blocks: [{ kind: "text", text: `Halo ${mail.name},\n${text(mail)}` }, ...blocks(mail)],
    }),
  });

const parcelInTransitBuyer = toBuyer(
  "parcel_in_transit_buyer",
  (mail) => `Paket pesanan ${mail.number} dalam perjalanan`,
  (mail) => `paket dari ${mail.store_name} sedang dalam perjalanan ke alamat Anda.`,
  (mail) => [parcel(mail)],
);

const parcelRefusedBuyer = toBuyer(
  "parcel_refused_buyer",
  (mail) => `Paket pesanan ${mail.number} ditolak`,
  (mail) =>
    `kurir melaporkan bahwa paket dari ${mail.store_name} ditolak dan akan dikembalikan; dana Anda belum diteruskan ke penjual.`,
  (mail) => [parcel(mail)],
);

const parcelReturningBuyer = toBuyer(
  "parcel_returning_buyer",
  (mail) => `Paket pesanan ${mail.number} sedang dikembalikan`,
  (mail) =>
    `paket sedang dalam perjalanan kembali ke ${mail.store_name}; dana Anda belum diteruskan ke penjual.`,
  (mail) => [parcel(mail)],
);

const parcelFailedBuyer = toBuyer(
  "parcel_failed_buyer",
  (mail) => `Pengiriman pesanan ${mail.number} terkendala`,
  (mail) =>
    `kurir melaporkan kendala dengan paket dari ${mail.store_name}. Kami tetap mengikuti kabarnya; dana Anda belum diteruskan ke penjual.`,
  (mail) => [parcel(mail)],
);

const parcelCancelledBuyer = toBuyer(
  "parcel_cancelled_buyer",
  (mail) => `Penjemputan paket ${mail.number} dibatalkan`,
  (mail) =>
    `penjemputan paket dibatalkan. ${mail.store_name} akan mengirimnya dengan cara lain; dana Anda belum diteruskan ke penjual.`,
  (mail) => [parcel(mail)],
);

const parcelReturnedBuyer = toBuyer(
  "parcel_returned_buyer",
  (mail) => `Paket pesanan ${mail.number} kembali ke penjual`,
  (mail) =>
    `paket tidak sampai dan dikembalikan ke ${mail.store_name}. Penjual akan menghubungi Anda; dana Anda belum diteruskan kepadanya.`,
  (mail) => [parcel(mail)],
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

const parcelCollected = toSeller(
  "parcel_collected",
  OrderMail,
  (mail) => `Paket pesanan ${mail.number} sudah diambil kurir`,
  () => "paket sudah di tangan kurir. Dana masuk ke saldo Anda setelah paket sampai.",
  (mail) => [parcel(mail)],
);

const parcelSent = toSeller(
  "parcel_sent",
  OrderMail,
  (mail) => `Pengiriman pesanan ${mail.number} tercatat`,
  () =>
    "nomor resi Anda sudah tersimpan dan pembeli sudah diberi tahu. Dana masuk ke saldo Anda setelah paket sampai.",
  (mail) => [parcel(mail)],
);

const parcelInTransit = toSeller(
  "parcel_in_transit",
  OrderMail,
  (mail) => `Paket pesanan ${mail.number} dalam perjalanan`,
  () => "paket sedang dalam perjalanan ke pembeli.",
  (mail) => [parcel(mail)],
);

const parcelRefused = toSeller(
  "parcel_refused",
  OrderMail,
  (mail) => `Paket pesanan ${mail.number} ditolak`,
  () =>
    "kurir melaporkan bahwa paket ditolak dan akan dikembalikan kepada Anda. Silakan hubungi pembeli.",
  (mail) => [parcel(mail)],
);

const parcelReturning = toSeller(
  "parcel_returning",
  OrderMail,
  (mail) => `Paket pesanan ${mail.number} sedang dikembalikan kepada Anda`,
  () => "paket tidak sampai dan sedang dalam perjalanan kembali kepada Anda.",
  (mail) => [parcel(mail)],
);

const parcelFailed = toSeller(
  "parcel_failed",
  OrderMail,
  (mail) => `Paket pesanan ${mail.number} terkendala`,
  () =>
    "kurir melaporkan kendala: paket belum dapat diantar, tertahan, atau hilang. Kami tetap mengikuti kabarnya. Silakan hubungi pembeli; jika paket dikirim ulang, simpan nomor resi yang baru di menu pengiriman.",
  (mail) => [parcel(mail)],
);

const parcelCancelled = toSeller(
  "parcel_cancelled",
  OrderMail,
  (mail) => `Penjemputan paket ${mail.number} dibatalkan kurir`,
  () =>
    "kurir membatalkan penjemputan. Silakan kirim paket ini sendiri dan simpan nomor resinya di menu pengiriman.",
  (mail) => [parcel(mail)],
);

const parcelReturned = toSeller(
  "parcel_returned",
  OrderMail,
  (mail) => `Paket pesanan ${mail.number} dikembalikan kepada Anda`,
  () =>
    "paket tidak sampai dan dikembalikan kepada Anda. Silakan hubungi pembeli, kirim ulang, lalu simpan nomor resi yang baru di menu pengiriman.",
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
  parcelCollected,
  parcelSent,
  parcelInTransit,
  parcelInTransitBuyer,
  parcelRefused,
  parcelRefusedBuyer,
  parcelReturning,
  parcelReturningBuyer,
  parcelFailed,
  parcelFailedBuyer,
  parcelCancelled,
  parcelCancelledBuyer,
  parcelReturned,
  parcelReturnedBuyer,
  ...payoutMails,
  ...instagramMails,
];
