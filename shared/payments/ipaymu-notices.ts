import type { Ctx } from "../context.ts";
import { AppError } from "../http/errors.ts";
import { type NoticeApplier, receiveNotice } from "../inbox/inbox.ts";
import { readCallback } from "../providers/ipaymu.ts";
import { applyNotice } from "./apply-notice.ts";
import { IPAYMU } from "./ipaymu.ts";
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
    apply: (ctx, body) => applyNotice(ctx, IPAYMU, noticeOf(body), settlements),
  };
}

function noticeOf(body: string) {
  const notice = readCallback(body);
  if (!notice) throw new Error("a callback was queued that cannot be read");
  return notice;
}
