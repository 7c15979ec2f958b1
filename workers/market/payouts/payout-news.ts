import { sql } from "drizzle-orm";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import type { JobHandler } from "../../../shared/jobs/jobs.ts";
import { PayoutShape, SellerPayoutShape } from "../schemas/payouts.ts";
import type { TellUser } from "../shipping/order-news.ts";

const Payload = z.object({ payout_id: z.uuid() });

/**
 * Tells the seller live that his payout came to a new state (`payout:update`, the payout as `GET /api/seller/payouts`
 * shows it). The job is written in the transaction of the change (SQL function `market_payout_news`); what is told is
 * how the payout stands now, so that events that overtake each other end in the truth.
 */
export const payoutNewsJob = (tellUser: TellUser): JobHandler => ({
  kind: "market.payout_news",
  queue: "provisioning",
  async run(ctx, job) {
    const { payout_id: id } = Payload.parse(job.payload);
    const [found] = await ctx.db.run(
      rows(
        sql`select market_payout_view(p) as payout from market_payouts p where p.id = ${id}`,
        z.object({ payout: PayoutShape }),
      ),
    );
    if (!found) return { state: "success", result: { told: 0 } };
    const { payout } = found;
    await tellUser(ctx, payout.seller_id, "payout:update", SellerPayoutShape.parse(payout));
    return { state: "success", result: { told: 1 } };
  },
});
