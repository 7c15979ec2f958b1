import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../context.ts";
import { rows } from "../db/statement.ts";
import { AppError } from "../http/errors.ts";
import { type NoticeApplier, receiveNotice } from "../inbox/inbox.ts";
import { readCallback } from "../providers/ipaymu.ts";
import { applyNotice } from "./apply-notice.ts";
import { IPAYMU } from "./ipaymu.ts";
import type { PaymentNotice } from "./provider.ts";
import { paymentProvider } from "./registry.ts";
import type { Settlement } from "./settlement.ts";

/**
 * POST /api/payment/callback: checks the signature and puts the callback on the queue, with no database on the way.
 * Throws `invalid_input` for one that iPaymu did not sign, or that cannot be read.
 */
export async function receiveIpaymuNotice(
  ctx: Ctx,
  headers: Headers,
  rawBody: string,
): Promise<void> {
  const notice = await paymentProvider(ctx, IPAYMU).parseNotice(rawBody, headers);
  if (!notice) {
    // Were iPaymu's real form another one, payments would still be found by the cron: this line tells why so late.
    ctx.log.warn("callback refused", { provider: IPAYMU, bytes: rawBody.length });
    throw new AppError("invalid_input", "Invalid signature");
  }
  await receiveNotice(ctx, { provider: IPAYMU, body: rawBody });
}

/**
 * iPaymu's callbacks. Each only says which charge to ask the provider about: their signature, which was checked when
 * they came, is made with a number that is no secret.
 */
export function ipaymuNoticeApplier(settlements: readonly Settlement[]): NoticeApplier {
  return {
    provider: IPAYMU,
    eventKey: (_, body) => noticeOf(body).eventKey,
    apply: (ctx, body) => apply(ctx, noticeOf(body), settlements),
  };
}

async function apply(ctx: Ctx, notice: PaymentNotice, settlements: readonly Settlement[]) {
  const isOrder = z.uuid().safeParse(notice.providerRef).success;
  const named = isOrder ? await nameCharge(ctx, notice, settlements) : notice;
  return await applyNotice(ctx, IPAYMU, named, settlements);
}

/**
 * The specification's callback names the order itself. Of its payments, also those that have ended, it speaks of the one
 * under whose reference iPaymu has the transaction; while it does not know that yet, of the one that is open.
 */
async function nameCharge(
  ctx: Ctx,
  notice: PaymentNotice,
  settlements: readonly Settlement[],
): Promise<PaymentNotice> {
  const told = await ctx.providers.ipaymu.getTransaction(notice.transactionId);
  const orderId = notice.providerRef.toLowerCase();
  const purposes = JSON.stringify(settlements.map(({ purpose }) => purpose));
  const [charge] = await ctx.db.run(
    rows(
      sql`select c.provider_ref from payments_intents i join payments_charges c on c.intent_id = i.id
        where i.purpose in (select jsonb_array_elements_text(${purposes}::jsonb)) and i.purpose_id = ${orderId}
          and i.provider = ${IPAYMU}
        order by c.provider_ref is not distinct from ${told?.providerRef ?? null} desc,
          i.state in ('pending', 'paid') desc, i.id desc
        limit 1`,
      z.object({ provider_ref: z.string() }),
    ),
  );
  return { ...notice, providerRef: charge?.provider_ref ?? notice.providerRef };
}

function noticeOf(body: string) {
  const notice = readCallback(body);
  if (!notice) throw new Error("a callback was queued that cannot be read");
  return notice;
}
