import type { Ctx } from "../context.ts";
import { confirm, findCharge, flag } from "./confirm.ts";
import type { PaymentNotice } from "./provider.ts";
import type { Settlement } from "./settlement.ts";

/**
 * What a notice leads to: its charge is looked up and brought to where the provider, asked by us, says it is. Any
 * number of deliveries in any order has one effect, and nothing but the provider's answer moves money.
 */
export async function applyNotice(
  ctx: Ctx,
  provider: string,
  notice: PaymentNotice,
  settlements: readonly Settlement[],
): Promise<"applied" | { parked: string }> {
  const charge = await ctx.db.run(findCharge(notice.providerRef));
  if (charge?.intent.provider !== provider) return { parked: "unknown order id" };
  if (notice.amountIdr !== null && notice.amountIdr !== charge.intent.amount) {
    await flag(ctx, charge, "notice_amount_mismatch");
    return { parked: "another amount than asked for" };
  }
  const { transactionId } = notice;
  const confirmed = await confirm(ctx, charge, settlements, { transactionId });
  switch (confirmed.kind) {
    case "done":
      return "applied";
    case "over":
      // Late money of which the provider's own answer knows nothing yet would else never be asked about again.
      return notice.status === "paid" ? { parked: "not confirmed yet" } : "applied";
    case "missing":
      return { parked: "unknown order id" };
    case "odd":
      return { parked: confirmed.finding };
    case "absent":
      return { parked: "the provider does not know it yet" };
    case "waiting":
      // News that the provider's own answer does not bear out yet is kept and tried again.
      return notice.status === "pending" ? "applied" : { parked: "not confirmed yet" };
    default:
      return confirmed satisfies never;
  }
}
