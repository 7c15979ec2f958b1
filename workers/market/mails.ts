import { z } from "zod";
import type { MailBlock } from "../../shared/mail/layout.ts";
import { mailTemplate } from "../../shared/mail/mail.ts";
import { formatRupiah as rupiah } from "../../shared/money/format.ts";
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

const orderReceived = mailTemplate({
  name: "order_received",
  schema: OrderMail,
  subject: (mail) => `Pesanan baru ${mail.number}`,
  page: (mail) => ({
    title: `Pesanan baru ${mail.number}`,
    blocks: [
      {
        kind: "text",
        text: `Halo ${mail.name},\nada pesanan baru yang sudah dibayar. Kurir akan menjemput paketnya.`,
      },
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
  }),
});

const parcelTrouble = mailTemplate({
  name: "parcel_trouble",
  schema: OrderMail,
  subject: (mail) => `Paket pesanan ${mail.number} bermasalah`,
  page: (mail) => ({
    title: `Paket pesanan ${mail.number} bermasalah`,
    blocks: [
      {
        kind: "text",
        text: `Halo ${mail.name},\nkurir melaporkan bahwa paket ini tidak dapat diantar. Silakan hubungi pembeli dan kirim ulang.`,
      },
      parcel(mail),
    ],
  }),
});

/** Every mail of the market. */
export const marketMails = [orderPaid, orderShipped, orderDelivered, orderReceived, parcelTrouble];
