import { z } from "zod";
import { auditContext } from "../../../shared/audit/audit.ts";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { seal, unseal } from "../../../shared/crypto/seal.ts";
import { call } from "../../../shared/db/statement.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import type { BankAccount, BankAccountInput } from "../schemas/payouts.ts";

/** The number is the seller's wherever it lies, so that a payout can keep the account of its day. */
const sealOwner = (sellerId: number) => `market-bank/${sellerId}`;

/** Saves where the actor's payouts go from now on; he hears of it by mail. */
export async function saveBankAccount(ctx: Ctx, input: BankAccountInput): Promise<BankAccount> {
  const sellerId = actorOf(ctx).userId;
  const last4 = input.account_number.slice(-4);
  const saved = await ctx.db.run(
    call(
      "market_bank_account_save",
      {
        seller_id: sellerId,
        bank_code: input.bank_code,
        sealed_number: await seal(ctx.config, sealOwner(sellerId), input.account_number),
        number_last4: last4,
        holder: input.account_holder,
        audit: auditContext(ctx),
      },
      z.object({ wake: wakeSchema }),
    ),
  );
  wake(ctx, saved.wake);
  return {
    bank_code: input.bank_code,
    account_last4: last4,
    account_holder: input.account_holder,
  };
}

/** The whole number of a payout's account, for the admin who transfers. */
export async function openAccountNumber(ctx: Ctx, sellerId: number, sealed: string) {
  const number = await unseal(ctx.config, sealOwner(sellerId), sealed);
  if (number === null) throw new Error("an account number does not open");
  return number;
}
