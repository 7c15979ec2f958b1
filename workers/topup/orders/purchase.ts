import type { Ctx } from "../../../shared/context.ts";
import { seal, unseal } from "../../../shared/crypto/index.ts";
import type { SupplierOrder } from "../../../shared/providers/vip-reseller.ts";
import type { OrderState } from "../tables/orders.ts";
import type { Order } from "./order.ts";
import { isBlackedOut, isSameTarget, plainZone } from "./targets.ts";

/** What of an order is needed to compare a purchase with it. */
export type Asked = Pick<
  Order,
  "id" | "family" | "code" | "target" | "targetKind" | "zone" | "quantity" | "isAsTold"
>;

/**
 * Why a purchase is not what the order asked for, or null. What the supplier leaves out or blacks out is no reason, nor is
 * anything of one that the history told of in such words: it was taken so (topup_orders_decide.sql). That it was bought is
 * certain then; whether its buyer has what he paid for, no list and no balance tells, so a person must ask. A name alone
 * is judged by the price list of that moment (topup_orders_renames.sql).
 */
export function suspicionOf(order: Asked, purchase: SupplierOrder): string | null {
  if (order.isAsTold) return null;
  const { target, code } = purchase;
  if (target && !isSameTarget(order, target) && !isBlackedOut(order, target)) {
    return "the supplier's purchase is for another target";
  }
  if (purchase.zone && plainZone(purchase.zone) !== plainZone(order.zone ?? "-")) {
    return "the supplier's purchase is for another zone";
  }
  if (code && code !== order.code) return `the supplier's purchase is of another service, ${code}`;
  const wrongQuantity = purchase.quantity !== null && purchase.quantity !== order.quantity;
  return order.family === "social" && wrongQuantity
    ? "the supplier's purchase is of another quantity"
    : null;
}

/** By what a purchase shows its service: its name counts where no code is told; neither, where it is suspicious. */
export function serviceOf(purchase: SupplierOrder, suspect: string | null) {
  const { code, service } = purchase;
  if (suspect !== null) return { code: null, service: null };
  return { code, service: code ? null : service };
}

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

/** What was bought gives our money back, so its buyer gets his, whatever it was. */
const GIVES_BACK: ReadonlySet<Outcome> = new Set(["failed", "cancelled", "refunded"]);

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
  /** As `serviceOf`. */
  service: string | null;
  code: string | null;
}

/**
 * What the supplier says of an order's purchase now. A note is the serial number after success and is sealed, and so is
 * one under a word that is not known, which may mean success; before and otherwise it is a text for admins.
 */
export async function updateOf(ctx: Ctx, order: Asked, purchase: SupplierOrder): Promise<Update> {
  const suspect = suspicionOf(order, purchase);
  const told = outcomeOf(purchase);
  const outcome = suspect && !GIVES_BACK.has(told) ? "unreadable" : told;
  const delivered = purchase.status === "success" || purchase.status === "partial";
  const sealed = delivered || purchase.status === "unknown";
  const serial = sealed && order.family !== "social" ? purchase.note : "";
  const words = sealed ? purchase.statusText : purchase.note || purchase.statusText;
  return {
    id: order.id,
    trxid: purchase.trxid,
    outcome,
    charged: purchase.priceIdr,
    remain: purchase.remain,
    start_count: purchase.startCount,
    notes: outcome === "failed" ? "The order failed at the provider" : null,
    supplier_note: (outcome === "unreadable" ? suspect : null) ?? (delivered ? null : words),
    strange: purchase.status === "unknown" ? purchase.statusText : null,
    sealed_serial: serial ? await seal(ctx.config, ownerOf(order.id), serial) : null,
    ...serviceOf(purchase, suspect),
  };
}

/** No word of the supplier's about a purchase: only when it is asked next changes, and how often it was not known. */
export const silenceOf = (id: string, trxid: string, outcome: "missing" | "untold"): Update => ({
  ...{ id, trxid, outcome, charged: null, remain: null, start_count: null, notes: null },
  ...{ supplier_note: null, sealed_serial: null, strange: null, service: null, code: null },
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
