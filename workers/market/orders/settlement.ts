import { call } from "../../../shared/db/statement.ts";
import { type Settlement, woken } from "../../../shared/payments/index.ts";

/** What a paid, or no longer payable, order means for the market: see migrations/functions/market_orders_settle.sql. */
export const orderSettlement: Settlement = {
  purpose: "market_order",
  settled: (intentId) => call("market_order_settled", { intent_id: intentId }, woken),
  expired: (intentId) => call("market_order_expired", { intent_id: intentId }, woken),
};
