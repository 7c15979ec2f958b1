import type {
  SupplierFamily,
  SupplierOrder,
  SupplierStatus,
} from "../../../shared/providers/vip-reseller.ts";

export interface OurOrder {
  id: string;
  number: string;
  family: SupplierFamily;
  trxid: string | null;
  state: string;
  charged: number;
  target: string;
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

/** Lays our orders of a day beside what the supplier shows. Those without a purchase yet are in doubt, and told. */
export function compare(ours: readonly OurOrder[], theirs: readonly SupplierOrder[]): Compared {
  const byId = new Map(theirs.map((order) => [order.trxid, order]));
  const found: Compared = {
    orders: ours.length,
    matched: 0,
    missingThere: [],
    priceDifferences: [],
    stateDifferences: [],
  };
  for (const order of ours) {
    const { number, trxid, state } = order;
    const their = trxid === null ? undefined : byId.get(trxid);
    if (trxid === null) {
      found.stateDifferences.push({ number, trxid, ours: state, theirs: null });
    } else if (!their || their.family !== order.family || their.target !== order.target) {
      found.missingThere.push({ number, trxid, ours: state });
    } else {
      found.matched += 1;
      if (their.priceIdr !== null && their.priceIdr !== order.charged) {
        found.priceDifferences.push({ number, trxid, ours: order.charged, theirs: their.priceIdr });
      }
      if (!FITTING[their.status].includes(state)) {
        found.stateDifferences.push({ number, trxid, ours: state, theirs: their.statusText });
      }
    }
  }
  return found;
}
