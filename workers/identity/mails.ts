import { z } from "zod";
import { type MailTemplate, mailTemplate } from "../../shared/mail/mail.ts";

/** Written by SQL function `identity_register`, once for each account. */
const welcome = mailTemplate({
  name: "identity_welcome",
  schema: z.object({ name: z.string(), email: z.string() }),
  subject: () => "Selamat datang di Lumbung",
  page: ({ name, email }, config) => ({
    title: "Akun Anda sudah aktif",
    blocks: [
      {
        kind: "text",
        text: `Halo ${name},\nterima kasih sudah mendaftar. Anda dapat langsung masuk dengan email ini, di semua layanan kami: hosting, toko, isi ulang, dan siaran langsung.`,
      },
      { kind: "facts", facts: [["Email", email]] },
      { kind: "button", label: "Buka Lumbung", url: config.APP_URL },
      {
        kind: "text",
        text: "Bukan Anda yang mendaftar? Abaikan email ini; tanpa kata sandi tidak ada yang dapat menggunakan akun ini atas nama Anda.",
      },
    ],
  }),
});

export const identityMails: readonly MailTemplate<unknown>[] = [welcome];
