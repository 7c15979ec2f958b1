import { call } from "../../shared/db/statement.ts";
import { type Settlement, woken } from "../../shared/payments/index.ts";

/** The purpose of every payment for a plan. */
export const HOSTING = "hosting";

/** A paid order: gateway/ipaymu -> commission/hosting, its subscription begun or moved on, its invoice issued. */
export const hostingSettlement: Settlement = {
  purpose: HOSTING,
  settled: (intentId, at) =>
    call("hosting_settled", { intent_id: intentId, at: at.toISOString() }, woken),
  expired: (intentId) => call("hosting_expired", { intent_id: intentId }, woken),
};
