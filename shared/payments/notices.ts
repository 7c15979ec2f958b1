import { z } from "zod";
import type { Ctx } from "../context.ts";
import { AppError } from "../http/errors.ts";
import { type NoticeApplier, receiveNotice } from "../inbox/inbox.ts";
import { isStorable } from "../providers/storable.ts";
import { applyNotice } from "./apply-notice.ts";
import { MIDTRANS } from "./midtrans.ts";
import { paymentProvider } from "./registry.ts";
import type { Settlement } from "./settlement.ts";

const Addressed = z.object({
  order_id: z.string().min(1).refine(isStorable),
  transaction_id: z.string().refine(isStorable).nullish(),
});

/**
 * POST /api/webhooks/midtrans: checks the signature and puts the notice on the queue, with no database on the way.
 * Throws `invalid_input` for what is no notice at all or could never be written down, `unauthenticated` for one that Midtrans did not sign.
 */
export async function receiveMidtransNotice(ctx: Ctx, rawBody: string): Promise<void> {
  const notice = await paymentProvider(ctx, MIDTRANS).parseNotice(rawBody);
  if (notice) return await receiveNotice(ctx, { provider: MIDTRANS, body: rawBody });
  if (!Addressed.safeParse(jsonOf(rawBody)).success) {
    throw new AppError(
      "invalid_input",
      "Pemberitahuan tanpa order_id, atau dengan huruf yang tidak dapat disimpan",
    );
  }
  throw new AppError("unauthenticated", "Tanda tangan tidak sah");
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const word = z.string().nullish();
const Told = z.object({
  order_id: word,
  gross_amount: word,
  transaction_id: word,
  transaction_status: word,
  status_code: word,
  fraud_status: word,
  refund_amount: word.catch(null),
  refunds: z
    .array(z.object({ bank_confirmed_at: word }))
    .nullish()
    .catch(null),
});

/**
 * Equal for every delivery of the same news, another for every next news of the payment: a refund is told twice, the
 * second time with the bank's confirmation. The signature leaves the transaction's id open, so what it covers names the
 * event too: an order or amount that comes under another's id is news of its own.
 */
function eventKeyOf(body: string): string {
  const told = Told.parse(jsonOf(body));
  const confirmed = (told.refunds ?? []).filter((refund) => refund.bank_confirmed_at).length;
  const { order_id, gross_amount } = told;
  const { transaction_id, transaction_status, status_code, fraud_status, refund_amount } = told;
  const refund = refund_amount ? `${refund_amount}-${confirmed}` : null;
  const parts = [
    transaction_id,
    transaction_status?.toLowerCase(),
    status_code,
    fraud_status,
    refund,
  ];
  return [order_id, gross_amount, ...parts].map((part) => part ?? "").join("/");
}

/** Midtrans' notices: each only says which charge to ask the provider about. */
export function noticeApplier(settlements: readonly Settlement[]): NoticeApplier {
  return {
    provider: MIDTRANS,
    eventKey: (_, body) => eventKeyOf(body),
    apply: (ctx, body) => apply(ctx, body, settlements),
  };
}

async function apply(
  ctx: Ctx,
  body: string,
  settlements: readonly Settlement[],
): Promise<"applied" | { parked: string }> {
  const notice = await paymentProvider(ctx, MIDTRANS).parseNotice(body);
  if (!notice) return { parked: "the signature does not hold any more" };
  return await applyNotice(ctx, MIDTRANS, notice, settlements);
}
