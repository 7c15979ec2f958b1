import { z } from "zod";
import type { MailBlock } from "../../shared/mail/layout.ts";
import { mailTemplate } from "../../shared/mail/mail.ts";
import { formatRupiah as rupiah } from "../../shared/money/format.ts";
import { orderUrl } from "./storefront/urls.ts";

/** What SQL function `market_mail` writes. */
export const OrderMail = z.object({
  name: z.string(),
  number: z.string(),
  order_id: z.string(),
  /** When the mail was written; mails from before it was told have none. */
  order_status: z.string().optional(),
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
export type OrderMail = z.output<typeof OrderMail>;

/** What was bought. */
export const goods = ({ items }: OrderMail): MailBlock => ({
  kind: "facts",
  facts: items.map((item) => [`${item.quantity} × ${item.name}`, rupiah(item.subtotal)]),
});

/** What it came to. */
export const sums = (mail: OrderMail): MailBlock => ({
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

/** Where it goes, by whom. */
export const parcel = (mail: OrderMail): MailBlock => ({
  kind: "facts",
  facts: [
    ["Kurir", mail.courier],
    ["Nomor resi", mail.tracking_code ?? "menyusul"],
    ["Penerima", mail.recipient.name],
  ],
});

/** One mail to the buyer about an order, ending in a link to its page. */
export const toBuyer = (
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

/** One mail to the seller about an order of his store. */
export const toSeller = <T extends OrderMail>(
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
