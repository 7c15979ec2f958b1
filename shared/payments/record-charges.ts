import { z } from "zod";
import type { Ctx } from "../context.ts";
import { call, type Statement } from "../db/statement.ts";
import { wake } from "../jobs/jobs.ts";
import { channel, type ShownCharge, shownCharge } from "./charge.ts";
import { closeCharge } from "./close.ts";
import { type ChargeOutcome, recordOf } from "./create-charge.ts";
import type { Settlement } from "./settlement.ts";

const Recorded = z.object({
  given_up: z.boolean(),
  shown: z.array(shownCharge),
  close: z.array(
    z.object({ channel, provider_ref: z.string(), transaction_id: z.string().nullable() }),
  ),
});

/**
 * Records what a provider answered when it was asked for charges, and releases what the intent held where no charge
 * is left. What it opened for a payment that was given up meanwhile is ended there. Says whether it was, and what its
 * payer is shown: of two answers for one charge the one that was recorded first.
 */
export async function recordCharges(
  ctx: Ctx,
  intent: { id: string; provider: string; customerEmail?: string | null | undefined },
  outcomes: readonly ChargeOutcome[],
  settlement: Settlement,
): Promise<{ isGivenUp: boolean; shown: ShownCharge[] }> {
  const known = outcomes.filter((outcome) => outcome.state !== "running");
  const input = {
    intent_id: intent.id,
    customer_email: intent.customerEmail ?? null,
    charges: known.map(recordOf),
  };
  const charged = call("payments_charged", input, Recorded);
  // Only a refused charge can be the last one that was open.
  const mayBeLast = known.some(({ state }) => state === "failed");
  const recorded = mayBeLast
    ? await withRelease(ctx, charged, settlement.expired(intent.id))
    : await ctx.db.run(charged);
  await Promise.all(
    recorded.close.map(({ channel, provider_ref: providerRef, transaction_id: transactionId }) =>
      closeCharge(ctx, intent.provider, { channel, providerRef, transactionId }, [settlement]),
    ),
  );
  return { isGivenUp: recorded.given_up, shown: recorded.shown };
}

async function withRelease<T>(
  ctx: Ctx,
  charged: Statement<T>,
  expired: ReturnType<Settlement["expired"]>,
): Promise<T> {
  const [recorded, released] = await ctx.db.batch([charged, expired]);
  wake(ctx, released.wake);
  return recorded;
}
