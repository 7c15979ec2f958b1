import { z } from "@hono/zod-openapi";
import { AdminPage, clean, optional, Reason } from "./admin.ts";
import { moment } from "./moment.ts";

const money = () => z.number().int().min(0).max(10_000_000_000);

export const Settlement = z
  .object({
    as: z.enum(["success", "failed", "partial", "refunded"]),
    reason: Reason,
    chargedAmount: money().optional(),
    remain: z.number().int().min(1).max(2_000_000_000).optional(),
    trxid: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,64}$/)
      .optional(),
    serial: clean().trim().min(1).max(500).optional(),
  })
  .openapi("TopupSettlement");
export type Settlement = z.output<typeof Settlement>;

export const Because = z.object({ reason: Reason }).openapi("TopupReason");

export const Retry = z
  .object({
    reason: Reason,
    /** The owner has ordered the same since, and is meant to pay for both. */
    confirm: z.boolean().optional(),
  })
  .openapi("TopupRetry");

export const ORDER_STATES = [
  "pending",
  "queued",
  "buying",
  "unknown",
  "review",
  "processing",
  "success",
  "partial",
  "failed",
  "cancelled",
  "refunded",
] as const;
export const OrderStateName = z.enum(ORDER_STATES);

export const HandRequestShape = z
  .object({
    id: z.uuid(),
    orderId: z.uuid(),
    action: z.enum(["success", "failed", "partial", "refunded", "retry"]),
    reason: z.string(),
    needsSecond: z.boolean(),
    state: z.enum(["waiting", "confirmed", "done", "refused", "rejected", "expired"]),
    requestedBy: z.number(),
    decidedBy: z.number().nullable(),
    outcome: z.string().nullable(),
    expiresAt: moment(),
    createdAt: moment(),
  })
  .openapi("TopupHandRequest");
export type HandRequest = z.output<typeof HandRequestShape>;

export const AdminOrderShape = z
  .object({
    id: z.uuid(),
    orderNumber: z.string(),
    userId: z.number(),
    family: z.enum(["prepaid", "game", "social"]),
    service: z.string(),
    serviceName: z.string(),
    target: z.string(),
    zone: z.string().nullable(),
    quantity: z.number(),
    amount: z.number(),
    supplierAmount: z.number(),
    chargedAmount: z.number().nullable(),
    refundedAmount: z.number(),
    state: OrderStateName,
    via: z.enum(["app", "api"]),
    trxId: z.string().nullable(),
    remain: z.number().nullable(),
    startCount: z.number().nullable(),
    notes: z.string().nullable(),
    supplierNote: z.string().nullable(),
    reviewReason: z.string().nullable(),
    createdAt: moment(),
    paidAt: moment().nullable(),
    finishedAt: moment().nullable(),
  })
  .openapi("TopupAdminOrder");
export type AdminOrder = z.output<typeof AdminOrderShape>;

export const OrderDetail = AdminOrderShape.extend({
  events: z.array(z.object({ state: OrderStateName, at: moment() })),
  requests: z.array(HandRequestShape),
  audit: z.array(
    z.object({
      action: z.string(),
      actorKind: z.string(),
      actorId: z.number().nullable(),
      outcome: z.string(),
      reason: z.string().nullable(),
      at: moment(),
    }),
  ),
}).openapi("TopupOrderDetail");

const day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);

export const OrderQuery = z.object({
  ...AdminPage,
  state: optional(OrderStateName),
  family: optional(z.enum(["prepaid", "game", "social"])),
  userId: optional(z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER)),
  /** Jakarta days, both included. */
  from: optional(day),
  to: optional(day),
  search: optional(clean("Invalid").trim().max(200)),
});
export type OrderQuery = z.output<typeof OrderQuery>;
