import { z } from "zod";
import type {
  SupplierFamily,
  SupplierOrder,
  SupplierStatus,
} from "../../../shared/providers/vip-reseller.ts";
import { isSameTarget } from "../orders/targets.ts";
import type { TargetKind } from "../tables/catalogue.ts";

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
  targetKind: TargetKind | null;
}

/** What the supplier shows of one of our orders. */
export interface Seen {
  /** Whether it is for our order's target. */
  isOurs: boolean;
  status: SupplierStatus;
  statusText: string;
  priceIdr: number | null;
}

export function seenAs(order: OurOrder, their: SupplierOrder): Seen {
  const { status, statusText, priceIdr } = their;
  const sameTarget = isSameTarget(order, their.target);
  return { isOurs: their.family === order.family && sameTarget, status, statusText, priceIdr };
}

const differences = z.array(z.record(z.string(), z.unknown()));
/** What a comparison found; of a long day it waits in a job for the rest. */
export const Compared = z.object({
  orders: z.number(),
  matched: z.number(),
  missingThere: differences,
  priceDifferences: differences,
  stateDifferences: differences,
});
export type Compared = z.output<typeof Compared>;

export const NOTHING: Compared = {
  orders: 0,
  matched: 0,
  missingThere: [],
  priceDifferences: [],
  stateDifferences: [],
};
/** A day that went wrong as a whole is told by its first differences: a report is no dump. */
const MOST_TOLD = 500;

/** Two comparisons of different orders as one. */
export function together(one: Compared, other: Compared): Compared {
  const told = (kind: "missingThere" | "priceDifferences" | "stateDifferences") =>
    [...one[kind], ...other[kind]].slice(0, MOST_TOLD);
  return {
    orders: one.orders + other.orders,
    matched: one.matched + other.matched,
    missingThere: told("missingThere"),
    priceDifferences: told("priceDifferences"),
    stateDifferences: told("stateDifferences"),
  };
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
