import { z } from "@hono/zod-openapi";
import { pagingQuery } from "../../../shared/http/answers.ts";
import { moment } from "./moment.ts";

const CONTROL = /\p{Cc}/u;

/** What an admin gives as his reason: it stands in the audit for good. */
export const Reason = z
  .string()
  .refine((value) => !CONTROL.test(value) && value.isWellFormed(), "Contains control characters")
  .trim()
  .min(3)
  .max(300);

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
    serial: z
      .string()
      .refine(
        (value) => !CONTROL.test(value) && value.isWellFormed(),
        "Contains control characters",
      )
      .trim()
      .min(1)
      .max(500)
      .optional(),
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
/** A query parameter that a form sends empty when it was left open. */
export const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === "" ? undefined : value), schema.optional());

export const AdminPage = {
  cursor: z.string().max(100).optional(),
  limit: pagingQuery.limit,
};

export const OrderQuery = z.object({
  ...AdminPage,
  state: optional(OrderStateName),
  family: optional(z.enum(["prepaid", "game", "social"])),
  userId: optional(z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER)),
  /** Jakarta days, both included. */
  from: optional(day),
  to: optional(day),
  search: optional(
    z
      .string()
      .refine((value) => !CONTROL.test(value) && value.isWellFormed(), "Invalid")
      .trim()
      .max(200),
  ),
});
export type OrderQuery = z.output<typeof OrderQuery>;

export const StockChange = z
  .object({
    serviceId: z.uuid(),
    /** How many more, or fewer. */
    quantity: z
      .number()
      .int()
      .min(-1_000_000)
      .max(1_000_000)
      .refine((value) => value !== 0, "Must not be 0"),
    reason: Reason,
  })
  .openapi("TopupStockChange");
export type StockChange = z.output<typeof StockChange>;

export const StockShape = z
  .object({ stock: z.number(), oldStock: z.number(), reserved: z.number() })
  .openapi("TopupStock");

export const StockEntry = z
  .object({
    type: z.string(),
    quantity: z.number(),
    oldStock: z.number().nullable(),
    newStock: z.number().nullable(),
    reason: z.string().nullable(),
    actorId: z.number().nullable(),
    orderId: z.string().nullable(),
    at: moment(),
  })
  .openapi("TopupStockEntry");

export const SupplierShape = z
  .object({
    balance: z.number().nullable(),
    floor: z.number(),
    held: z.boolean(),
    heldSince: moment().nullable(),
    checkedAt: moment().nullable(),
    lists: z.array(
      z.object({
        family: z.enum(["prepaid", "game", "social"]),
        /** When the price list was read that is in force; null: not within 90 days. */
        readAt: moment().nullable(),
        /** No list was put in force for so long that the operator is mailed. */
        stale: z.boolean(),
        /** Why the newest one was not. */
        reason: z.string().nullable(),
      }),
    ),
  })
  .openapi("TopupSupplier");

const DEAREST_DEPOSIT = 100_000_000_000;

export const NewDeposit = z
  .strictObject({
    /** Negative: taken out, or an entry put right. */
    amount: z
      .number()
      .int()
      .min(-DEAREST_DEPOSIT)
      .max(DEAREST_DEPOSIT)
      .refine((value) => value !== 0, "Must not be 0"),
    /** When the supplier booked it; default: now. */
    paidAt: z.iso
      .datetime({ offset: true })
      .optional()
      .openapi({ example: "2026-01-31T12:00:00+07:00" }),
    note: Reason,
  })
  .openapi("TopupNewDeposit");
export type NewDeposit = z.output<typeof NewDeposit>;

export const DepositShape = z
  .object({
    id: z.uuid(),
    amount: z.number(),
    paidAt: moment(),
    note: z.string(),
    actorId: z.number(),
    createdAt: moment(),
    /** `waiting`: it does not count yet; another admin must send the same amount. */
    state: z.enum(["noted", "waiting"]),
  })
  .openapi("TopupDeposit");

export const CallbackShape = z
  .object({
    id: z.uuid(),
    /** `forgotten`: only their number is left, of a day in the times when there was no room for more. */
    verdict: z.enum(["verified", "forged", "unreadable", "forgotten"]),
    /** For how many callbacks it stands: refused ones that come together are kept together. */
    count: z.number(),
    /** From how many addresses they came, and the busiest of these. */
    sources: z.number(),
    from: z.array(z.object({ address: z.string(), count: z.number() })),
    firstAt: moment(),
    lastAt: moment(),
    form: z.string().nullable(),
    trxId: z.string().nullable(),
    status: z.string().nullable(),
    receivedAt: moment(),
    /** What became of it: applied, parked (with the reason), still received, or dead: no retry could apply it. */
    state: z.string(),
    note: z.string().nullable(),
    attempts: z.number(),
  })
  .openapi("TopupCallback");

export const RefusedCallbackShape = z
  .object({
    verdict: z.enum(["forged", "unreadable"]),
    form: z.enum(["provider", "specification"]).nullable(),
    from: z.string(),
    /** Of equal ones the first and the last, and how many they are. */
    at: moment(),
    lastAt: moment(),
    times: z.number(),
    length: z.number(),
    sha256: z.string(),
    /** Whether its body is kept to the end; of others it is the beginning. */
    isWhole: z.boolean(),
  })
  .openapi("TopupRefusedCallback");

const differences = z.array(z.record(z.string(), z.unknown()));

export const ReportShape = z
  .object({
    day: z.string(),
    orders: z.number(),
    matched: z.number(),
    missingThere: differences,
    missingHere: differences,
    priceDifferences: differences,
    stateDifferences: differences,
    expectedBalance: z.number().nullable(),
    /** Where purchases were on their way, the balance may lie between these and be right. */
    leastBalance: z.number().nullable(),
    mostBalance: z.number().nullable(),
    surplus: z.number().nullable(),
    balance: z.number(),
    balanceAt: moment(),
    clean: z.boolean(),
    createdAt: moment(),
  })
  .openapi("TopupReport");
export type Report = z.output<typeof ReportShape>;

export const DayParameter = z.object({ day: z.string().max(100) });
export const IdParameter = z.object({ id: z.string().max(100) });
