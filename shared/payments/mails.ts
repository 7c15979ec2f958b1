import { z } from "zod";
import { type MailTemplate, mailTemplate } from "../mail/mail.ts";
import { formatRupiah } from "../money/format.ts";

/** What SQL function `payments_refund_finish` writes. */
const Refunded = z.object({
  payment: z.string(),
  amount: z.number(),
  to: z.enum(["refunded", "credited"]),
});
type Refunded = z.output<typeof Refunded>;

const WORDS = {
  refunded: "Dana sudah dikembalikan ke sumber pembayaran Anda.",
  credited:
    "Pembayaran ini tidak dapat dikembalikan ke sumbernya, jadi dananya sudah masuk ke saldo Lumbung Anda.",
} as const;

const refundedMail = mailTemplate<Refunded>({
  name: "payment_refunded",
  schema: Refunded,
  subject: ({ amount }) => `Dana ${formatRupiah(amount)} dikembalikan`,
  page: ({ payment, amount, to }) => ({
    title: "Dana Anda dikembalikan",
    blocks: [
      { kind: "text", text: WORDS[to] },
      {
        kind: "facts",
        facts: [
          ["Nomor pembayaran", payment],
          ["Jumlah", formatRupiah(amount)],
        ],
      },
    ],
  }),
});

export const paymentMails: readonly MailTemplate<unknown>[] = [refundedMail];
