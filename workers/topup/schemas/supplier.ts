import { z } from "@hono/zod-openapi";
import { Reason } from "./admin.ts";
import { moment } from "./moment.ts";

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
