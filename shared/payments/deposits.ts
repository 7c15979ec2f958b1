import { z } from "zod";
import { call } from "../db/statement.ts";
import { openedPayment } from "./charge.ts";
import { type Settlement, woken } from "./settlement.ts";

/** What SQL function `payments_deposit_open` answers. */
export const openedDeposit = z.object({ deposit_id: z.uuid(), payment: openedPayment });

/** Money that a user pays into his own wallet: gateway/<provider> -> wallet/<user>. */
export const depositSettlement: Settlement = {
  purpose: "deposit",
  settled: (intentId) => call("payments_deposit_settled", { intent_id: intentId }, woken),
  expired: (intentId) => call("payments_deposit_expired", { intent_id: intentId }, woken),
};
