import { z } from "zod";
import { mailTemplate } from "../../../shared/mail/mail.ts";
import { formatJakarta } from "../../../shared/time/jakarta.ts";

/** To the owner of a webhook endpoint that was switched off. Written by topup_delivery_finish. */
export const endpointDisabledMail = mailTemplate({
  name: "topup_endpoint_disabled",
  schema: z.object({ url: z.string(), since: z.coerce.date() }),
  subject: () => "Webhook Anda dinonaktifkan",
  page: ({ url, since }) => ({
    title: "Webhook Anda dinonaktifkan",
    blocks: [
      {
        kind: "text",
        text: "Alamat ini tidak menerima satu pun kiriman kami, jadi kami berhenti mengirim ke sana.",
      },
      {
        kind: "facts",
        facts: [
          ["Alamat", url],
          ["Sejak", formatJakarta(since)],
        ],
      },
      {
        kind: "text",
        text: "Perbaiki penerimanya lalu aktifkan lagi di pengaturan webhook. Status pesanan tetap dapat dilihat melalui API.",
      },
    ],
  }),
});
