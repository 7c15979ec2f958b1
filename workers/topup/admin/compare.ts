import { z } from "zod";
import type {
  SupplierFamily,
  SupplierOrder,
  SupplierStatus,
} from "../../../shared/providers/vip-reseller.ts";
import { plainTarget } from "../orders/targets.ts";

export interface OurOrder {
  id: string;
  number: string;
  family: SupplierFamily;
  trxid: string | null;
  state: string;
  /** What it cost by our books, and what we expected when it was ordered. */
  charged: number;
  quoted: number;
  target: string;
}

/** What the supplier shows of one of our orders, without its target: this may wait in a job meanwhile. */
export const Seen = z.object({
  /** Whether it is for our order's target. */
  isOurs: z.boolean(),
  status: z.enum(["waiting", "processing", "success", "partial", "error", "unknown"]),
  statusText: z.string(),
  priceIdr: z.number().nullable(),
});
export type Seen = z.output<typeof Seen>;

export function seenAs(order: OurOrder, their: SupplierOrder): Seen {
  const { status, statusText, priceIdr } = their;
  const sameTarget = plainTarget(their.target) === plainTarget(order.target);
  return { isOurs: their.family === order.family && sameTarget, status, statusText, priceIdr };
}

export interface Compared {
  orders: number;
  matched: number;
  missingThere: Record<string, unknown>[];
  priceDifferences: Record<string, unknown>[];
  stateDifferences: Record<string, unknown>[];
}

/** What our state must be for each of the supplier's; what is under way there may be anything open here. */
const OPEN = ["queued", "buying", "unknown", "review", "processing"];
const FITTING: Record<SupplierStatus, readonly string[]> = {
  success: ["success"],
  partial: ["partial"],
  error: ["failed", "cancelled", "refunded"],
  waiting: OPEN,
  processing: OPEN,
  unknown: OPEN,
};

/** Lays our orders of a day beside what the supplier shows, by its ids (null: not at all). Those without a purchase yet are in doubt, and told. */
export function compare(
  ours: readonly OurOrder[],
  theirs: ReadonlyMap<string, Seen | null>,
): Compared {
  const found: Compared = {
    orders: ours.length,
    matched: 0,
    missingThere: [],
    priceDifferences: [],
    stateDifferences: [],
  };
  for (const order of ours) {
    const { number, trxid, state } = order;
    const their = trxid === null ? null : theirs.get(trxid);
    if (trxid === null) {
      found.stateDifferences.push({ number, trxid, ours: state, theirs: null });
    } else if (!their?.isOurs) {
      found.missingThere.push({ number, trxid, ours: state });
    } else {
      found.matched += 1;
      const { charged, quoted } = order;
      const { priceIdr: price } = their;
      if (price !== null && (price !== charged || price !== quoted)) {
        found.priceDifferences.push({ number, trxid, quoted, ours: charged, theirs: price });
      }
      if (!FITTING[their.status].includes(state)) {
        found.stateDifferences.push({ number, trxid, ours: state, theirs: their.statusText });
      }
    }
  }
  return found;
}
