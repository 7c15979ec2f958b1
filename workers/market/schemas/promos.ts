import { z } from "@hono/zod-openapi";
import { MAX_IDR, rupiah } from "./fields.ts";

export const PromoShape = z
  .object({
    id: z.string(),
    store_id: z.string().nullable(),
    created_by: z.number(),
    code: z.string(),
    type: z.enum(["percentage", "fixed"]),
    value: z.number(),
    min_purchase: z.number(),
    max_uses: z.number().nullable(),
    used_count: z.number(),
    starts_at: z.string(),
    ends_at: z.string(),
    is_active: z.boolean(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .openapi("Promo");

/** A whole moment, or a date or a time as a form field gives it, which then means Asia/Jakarta. */
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const LOCAL_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?$/;
const OFFSET_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})$/;

export const moment = (timeOfDate: string) =>
  z
    .string()
    .trim()
    .transform((value, problem) => {
      let full = value;
      if (DATE.test(value)) full = `${value}T${timeOfDate}+07:00`;
      else if (LOCAL_TIME.test(value)) full = `${value}+07:00`;
      const date = new Date(OFFSET_TIME.test(full) ? full : Number.NaN);
      if (date.getTime() > Date.UTC(2000, 0) && date.getTime() < Date.UTC(2100, 0)) {
        return date.toISOString();
      }
      problem.addIssue({ code: "custom", message: "Tanggal tidak valid" });
      return z.NEVER;
    });

/** The shipped dashboard's names for the same things. */
function withDashboardNames(body: unknown): unknown {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return body;
  const given: Record<string, unknown> = { ...body };
  if ("discount_percent" in given && !("value" in given)) {
    given.type = "percentage";
    given.value = given.discount_percent;
  }
  if ("min_order_amount" in given) given.min_purchase ??= given.min_order_amount;
  if ("valid_until" in given) given.ends_at ??= given.valid_until;
  return given;
}

const input = {
  code: z
    .string()
    .trim()
    .toUpperCase()
    .regex(/^[A-Z0-9_-]{3,20}$/, "Kode promo 3-20 huruf, angka, - atau _")
    .openapi({ example: "HEMAT" }),
  type: z.enum(["percentage", "fixed"]),
  value: rupiah(),
  min_purchase: z.number().int().min(0).max(MAX_IDR),
  max_uses: z.number().int().min(1).max(1_000_000_000).nullable(),
  starts_at: moment("00:00:00"),
  ends_at: moment("23:59:59.999"),
  is_active: z.boolean(),
};

export const NewPromo = z
  .preprocess(
    withDashboardNames,
    z.object({
      ...input,
      min_purchase: input.min_purchase.default(0),
      max_uses: input.max_uses.default(null),
      starts_at: input.starts_at.optional(),
      is_active: input.is_active.default(true),
    }),
  )
  .openapi("NewPromo");

export const PromoChanges = z
  .preprocess(
    withDashboardNames,
    z.object({ id: z.string().max(100), ...z.object(input).partial().shape }),
  )
  .openapi("PromoChanges");

export type NewPromo = z.output<typeof NewPromo>;
export type PromoChanges = z.output<typeof PromoChanges>;
export type Promo = z.output<typeof PromoShape>;
