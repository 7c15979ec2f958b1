import type { Ctx } from "../context.ts";
import { describeError } from "../log.ts";
import { confirmCharge } from "./confirm.ts";
import type { ChargeName } from "./provider.ts";
import { paymentProvider } from "./registry.ts";
import type { Settlement } from "./settlement.ts";

/**
 * Ends a charge at its provider where that is possible, and takes in what the provider then says of it. Where it is
 * out of reach, the minute cron asks again (`reconcileCharges`) once the payment has been given up.
 */
export async function closeCharge(
  ctx: Ctx,
  provider: string,
  charge: ChargeName,
  settlements: readonly Settlement[],
): Promise<void> {
  try {
    await paymentProvider(ctx, provider)
      .close(charge)
      .catch(() => undefined);
    await confirmCharge(ctx, charge.providerRef, settlements);
  } catch (error) {
    ctx.log.warn("charge not closed", describeError(error));
  }
}
