import { z } from "zod";
import { call } from "../../../shared/db/statement.ts";
import { wakeSchema } from "../../../shared/jobs/jobs.ts";
import type { Settlement } from "../../../shared/payments/index.ts";

const Woken = z.object({ wake: wakeSchema });

/** What a paid, or no longer payable, order means for the market: see migrations/functions/market_orders_settle.sql. */
export const orderSettlement: Settlement = {
  purpose: "market_order",
  settled: (intentId) => call("market_order_settled", { intent_id: intentId }, Woken),
  expired: (intentId) => call("market_order_expired", { intent_id: intentId }, Woken),
};
