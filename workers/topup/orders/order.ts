import { z } from "zod";
import type { SupplierFamily } from "../../../shared/providers/vip-reseller.ts";
import type { TargetKind } from "../tables/catalogue.ts";
import type { OrderState } from "../tables/orders.ts";

/** The states of the contract, and `PARTIAL`. */
export type WireState =
  | "PENDING"
  | "WAITING_PAYMENT"
  | "PROCESSING"
  | "SUCCESS"
  | "FAILED"
  | "CANCELLED"
  | "REFUNDED"
  | "PARTIAL";

/** How a state is called outside. What we do not know yet is being processed, as far as the customer can tell. */
export const WIRE_STATES: Record<OrderState, WireState> = {
  pending: "PENDING",
  queued: "PROCESSING",
  buying: "PROCESSING",
  unknown: "PROCESSING",
  review: "PROCESSING",
  processing: "PROCESSING",
  success: "SUCCESS",
  partial: "PARTIAL",
  failed: "FAILED",
  cancelled: "CANCELLED",
  refunded: "REFUNDED",
};

const FINAL: readonly OrderState[] = ["success", "partial", "failed", "cancelled", "refunded"];
export const isFinal = (state: OrderState): boolean => FINAL.includes(state);

const state = z.enum(Object.keys(WIRE_STATES) as [OrderState, ...OrderState[]]);
const family: z.ZodType<SupplierFamily> = z.enum(["prepaid", "game", "social"]);
export const targetKind = z.enum([
  "phone",
  "pln_meter",
  "customer_number",
  "game_id",
  "link",
]) satisfies z.ZodType<TargetKind>;
const date = z.coerce.date();

/** What SQL function `topup_order_view` gives. */
export const orderShape = z
  .object({
    id: z.uuid(),
    number: z.string(),
    user_id: z.number(),
    service_id: z.uuid(),
    family,
    code: z.string(),
    service_name: z.string(),
    brand: z.string(),
    target: z.string(),
    target_kind: targetKind.nullable(),
    zone: z.string().nullable(),
    quantity: z.number(),
    amount: z.number(),
    supplier_amount: z.number(),
    charged_amount: z.number().nullable(),
    state,
    ordered_via: z.enum(["app", "api"]),
    reseller_key_id: z.uuid().nullable(),
    trxid: z.string().nullable(),
    remain: z.number().nullable(),
    start_count: z.number().nullable(),
    refunded_amount: z.number(),
    notes: z.string().nullable(),
    supplier_note: z.string().nullable(),
    sealed_serial: z.string().nullable(),
    review_reason: z.string().nullable(),
    attempt_id: z.uuid().nullable(),
    attempt_at: date.nullable(),
    attempt_until: date.nullable(),
    paid_at: date.nullable(),
    asked_at: date.nullable(),
    expires_at: date.nullable(),
    created_at: date,
    updated_at: date,
    finished_at: date.nullable(),
  })
  .transform((row) => ({
    id: row.id,
    number: row.number,
    userId: row.user_id,
    serviceId: row.service_id,
    family: row.family,
    code: row.code,
    serviceName: row.service_name,
    brand: row.brand,
    target: row.target,
    targetKind: row.target_kind,
    zone: row.zone,
    quantity: row.quantity,
    amount: row.amount,
    supplierAmount: row.supplier_amount,
    chargedAmount: row.charged_amount,
    state: row.state,
    wireState: WIRE_STATES[row.state],
    orderedVia: row.ordered_via,
    resellerKeyId: row.reseller_key_id,
    trxid: row.trxid,
    remain: row.remain,
    startCount: row.start_count,
    refundedAmount: row.refunded_amount,
    notes: row.notes,
    supplierNote: row.supplier_note,
    sealedSerial: row.sealed_serial,
    reviewReason: row.review_reason,
    attemptId: row.attempt_id,
    attemptAt: row.attempt_at,
    attemptUntil: row.attempt_until,
    paidAt: row.paid_at,
    askedAt: row.asked_at,
    expiresAt: row.expires_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    finishedAt: row.finished_at,
  }));

/** One order as the system knows it; what of it goes out, and to whom, the routes decide. */
export type Order = z.output<typeof orderShape>;

/** What ends in vain is called where nobody wrote down why: all of its money is back. */
const IN_VAIN: Partial<Record<OrderState, string>> = {
  failed: "The order failed at the provider",
  cancelled: "The order was cancelled",
  refunded: "The order was refunded",
};

/** Why the buyer has all of his money back, in words for him; null: he has what he paid for, or may get it. */
export const failureOf = ({ state, notes }: Order): string | null => {
  const words = IN_VAIN[state];
  return words === undefined ? null : (notes ?? words);
};
