import { z } from "zod";
import { type MailTemplate, mailTemplate } from "../../../shared/mail/mail.ts";

/** What SQL function `market_instagram_mail` writes. */
const InstagramMail = z.object({ name: z.string(), store_name: z.string(), reason: z.string() });

const failed = mailTemplate({
  name: "instagram_failed",
  schema: InstagramMail.extend({ caption: z.string() }),
  subject: () => "Kiriman Instagram Anda tidak terbit",
  page: (mail) => ({
    title: "Kiriman Instagram Anda tidak terbit",
    blocks: [
      {
        kind: "text",
        text: `Halo ${mail.name},\nkiriman Instagram ${mail.store_name} tidak dapat diterbitkan.\n${mail.reason}`,
      },
      { kind: "facts", facts: [["Keterangan", mail.caption || "(kosong)"]] },
      { kind: "text", text: "Buka menu Instagram untuk memperbaiki lalu menjadwalkannya lagi." },
    ],
  }),
});

const broken = mailTemplate({
  name: "instagram_broken",
  schema: InstagramMail,
  subject: () => "Hubungkan ulang akun Instagram Anda",
  page: (mail) => ({
    title: "Hubungkan ulang akun Instagram Anda",
    blocks: [
      {
        kind: "text",
        text: `Halo ${mail.name},\n${mail.store_name} tidak lagi dapat mengirim ke Instagram.\n${mail.reason}\nBuka menu Instagram untuk menghubungkannya lagi.`,
      },
    ],
  }),
});

/** Every mail about a store's Instagram. */
export const instagramMails: readonly MailTemplate<unknown>[] = [failed, broken];
