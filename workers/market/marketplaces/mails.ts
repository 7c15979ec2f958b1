import { z } from "zod";
import type { MailBlock } from "../../../shared/mail/layout.ts";
import { type MailTemplate, mailTemplate } from "../../../shared/mail/mail.ts";
import { PLATFORM_NAME, PLATFORMS } from "../../../shared/providers/marketplace.ts";
import { formatJakarta, formatJakartaDay } from "../../../shared/time/jakarta.ts";

/** What SQL function `market_marketplace_mail` writes. */
const ShopMail = z.object({
  name: z.string(),
  store_name: z.string(),
  platform: z.enum(PLATFORMS),
  shop_name: z.string().nullable(),
});
type ShopMail = z.output<typeof ShopMail>;

const toSeller = <T extends ShopMail>(
  name: string,
  schema: z.ZodType<T>,
  subject: (mail: T) => string,
  text: (mail: T) => string,
  blocks: (mail: T) => MailBlock[] = () => [],
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

const shopOf = ({ platform, shop_name: name }: ShopMail) =>
  name ? `${PLATFORM_NAME[platform]} (${name})` : PLATFORM_NAME[platform];

const broken = toSeller(
  "marketplace_broken",
  ShopMail.extend({ reason: z.string() }),
  (mail) => `Hubungkan ulang toko ${PLATFORM_NAME[mail.platform]} Anda`,
  (mail) =>
    `produk, harga, stok dan pesanan ${mail.store_name} tidak lagi tersambung dengan ${shopOf(mail)}.\n${mail.reason}\nBuka menu marketplace untuk menghubungkannya lagi; perubahan yang tertunda dikirim dengan sendirinya.`,
);

const ending = toSeller(
  "marketplace_ending",
  ShopMail.extend({ ends_at: z.string() }),
  (mail) => `Izin toko ${PLATFORM_NAME[mail.platform]} Anda segera berakhir`,
  (mail) =>
    `izin akses ke ${shopOf(mail)} berakhir pada ${formatJakartaDay(new Date(mail.ends_at))}. Hubungkan ulang sebelum tanggal itu supaya ${mail.store_name} tetap tersambung.`,
);

const oversold = toSeller(
  "marketplace_oversold",
  ShopMail.extend({
    number: z.string(),
    lines: z.array(z.object({ name: z.string(), quantity: z.number(), short: z.number() })),
  }),
  (mail) => `Stok tidak cukup untuk pesanan ${PLATFORM_NAME[mail.platform]} ${mail.number}`,
  (mail) =>
    `pesanan di ${shopOf(mail)} melebihi stok ${mail.store_name}. Tambah stok, atau hubungi pembeli lewat marketplace itu.`,
  (mail) => [
    {
      kind: "facts",
      facts: mail.lines.map((line) => [
        line.name,
        `dipesan ${line.quantity}, kurang ${line.short}`,
      ]),
    },
  ],
);

const silent = toSeller(
  "marketplace_silent",
  ShopMail.extend({ since: z.string() }),
  (mail) => `Pesanan ${PLATFORM_NAME[mail.platform]} Anda tidak terbaca`,
  (mail) =>
    `sejak ${formatJakarta(new Date(mail.since))} kami tidak dapat membaca pesanan di ${shopOf(mail)}, jadi yang terjual di sana belum mengurangi stok ${mail.store_name}.\nPeriksa pesanan di sana, dan turunkan stok produk yang hampir habis. Kami terus mencoba; bila tidak membaik, hubungkan ulang toko itu di menu marketplace.`,
);

/** Every mail about shops on other marketplaces. */
export const marketplaceMails: readonly MailTemplate<unknown>[] = [
  broken,
  ending,
  oversold,
  silent,
];
