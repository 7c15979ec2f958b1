import type { Ctx } from "../../../shared/context.ts";
import { seal, unseal } from "../../../shared/crypto/index.ts";
import type { SupplierOrder } from "../../../shared/providers/vip-reseller.ts";
import type { OrderState } from "../tables/orders.ts";
import type { Order } from "./order.ts";

/** What a purchase shows of what it is of, as SQL function `topup_suspicion` takes it: its name counts where it tells no code. */
export const shownOf = ({ target, zone, code, service, quantity }: SupplierOrder) => ({
  target: target || null,
  zone: zone || null,
  code: code || null,
  service: code ? null : service,
  quantity,
});

/**
 * What a supplier's word does to an order. `open`: nothing yet; `unreadable`: a person must look; `missing`: the
 * supplier does not know the purchase; `untold`: it did not answer.
 */
export type Outcome =
  | "open"
  | "success"
  | "partial"
  | "failed"
  | "cancelled"
  | "refunded"
  | "unreadable"
  | "missing"
  | "untold";

/** The contract's words for one and the same end: the money goes back. */
const ENDS: Record<string, Outcome> = {
  cancel: "cancelled",
  canceled: "cancelled",
  cancelled: "cancelled",
  refunded: "refunded",
};

export function outcomeOf({ status, statusText }: SupplierOrder): Outcome {
  switch (status) {
    case "waiting":
    case "processing":
    case "unknown":
      return "open";
    case "success":
    case "partial":
      return status;
    case "error":
      return ENDS[statusText] ?? "failed";
    default:
      return status satisfies never;
  }
}

/** What SQL function `topup_orders_advance` takes of one purchase. */
export interface Update {
  id: string;
  trxid: string;
  outcome: Outcome;
  charged: number | null;
  remain: number | null;
  start_count: number | null;
  notes: string | null;
  supplier_note: string | null;
  sealed_serial: string | null;
  /** A status word that nobody documented: the operator hears of it once. */
  strange: string | null;
  /** As `shownOf`. */
  target: string | null;
  zone: string | null;
  service: string | null;
  code: string | null;
  quantity: number | null;
}

/**
 * What the supplier says of an order's purchase now. A note may be a serial number under a word of delivery, and under one
 * that nobody documented, and is sealed; with an error, and of social goods that are under way, it is a text for admins.
 */
export async function updateOf(
  ctx: Ctx,
  order: Pick<Order, "id" | "family">,
  purchase: SupplierOrder,
): Promise<Update> {
  const outcome = outcomeOf(purchase);
  const delivered = purchase.status === "success" || purchase.status === "partial";
  const mayBeSerial = order.family !== "social" && (delivered || purchase.status === "unknown");
  const isText =
    order.family === "social"
      ? !delivered && purchase.status !== "unknown"
      : purchase.status === "error";
  // "-" is how the supplier writes nothing.
  const note = /[\p{L}\p{N}]/u.test(purchase.note) ? purchase.note : "";
  const words = (isText && note) || purchase.statusText;
  const serial = mayBeSerial ? note : "";
  return {
    id: order.id,
    trxid: purchase.trxid,
    outcome,
    charged: purchase.priceIdr,
    remain: purchase.remain,
    start_count: purchase.startCount,
    notes: outcome === "failed" ? "The order failed at the provider" : null,
    supplier_note: delivered ? null : words,
    strange: purchase.status === "unknown" ? purchase.statusText : null,
    sealed_serial: serial ? await seal(ctx.config, ownerOf(order.id), serial) : null,
    ...shownOf(purchase),
  };
}

/** No word of the supplier's about a purchase: only when it is asked next changes, and how often it was not known. */
export const silenceOf = (id: string, trxid: string, outcome: "missing" | "untold"): Update => ({
  ...{ id, trxid, outcome, charged: null, remain: null, start_count: null, notes: null },
  ...{ supplier_note: null, sealed_serial: null, strange: null },
  ...{ target: null, zone: null, service: null, code: null, quantity: null },
});

const ownerOf = (orderId: string) => `topup-order/${orderId}`;

/** A serial number as it is kept. */
export const sealSerial = (ctx: Ctx, orderId: string, serial: string) =>
  seal(ctx.config, ownerOf(orderId), serial);

/** The states in which a kept serial is its buyer's: of other goods, or of what he gets his money back for, it is not. */
export const TELLS_SERIAL: ReadonlySet<string> = new Set<OrderState>(["success", "partial"]);

/** As SQL function `topup_lacks_serial`. */
export const lacksSerial = ({ state, family, sealedSerial }: Order) =>
  TELLS_SERIAL.has(state) && family !== "social" && !sealedSerial;

/** A kept serial number in the clear; null before the order was delivered. */
export async function openSerial(ctx: Ctx, order: Order): Promise<string | null> {
  if (!order.sealedSerial || !TELLS_SERIAL.has(order.state)) return null;
  const serial = await unseal(ctx.config, ownerOf(order.id), order.sealedSerial);
  if (serial === null)
    ctx.log.error("serial cannot be opened", { order: order.number, alert: true });
  return serial;
}
