import { z } from "@hono/zod-openapi";

const Type = z.enum(["HOSTING", "VPS"]);

const Feature = z.object({
  name: z.string().trim().min(1).max(100),
  description: z.string().trim().max(300).nullable().default(null),
  isIncluded: z.boolean().default(true),
  sortOrder: z.number().int().min(0).max(1_000).default(0),
});

const amount = z.number().int().min(1_000).max(100_000_000);
const text = (max: number) =>
  z
    .string()
    .trim()
    .max(max)
    .refine((value) => !/[^\P{Cc}\n]/u.test(value) && value.isWellFormed());

export const PlanView = z
  .object({
    id: z.string(),
    name: z.string(),
    displayName: z.string(),
    description: z.string(),
    type: Type,
    price: z.number(),
    /** Twelve months at once: there is no rebate, so it is the same per month. */
    priceYearly: z.number(),
    storage: z.string(),
    bandwidth: z.string(),
    websites: z.string(),
    isActive: z.boolean(),
    isPopular: z.boolean(),
    isSoldOut: z.boolean(),
    sortOrder: z.number(),
    features: z.array(Feature),
  })
  .openapi("HostingPlan");
export type PlanView = z.output<typeof PlanView>;

/** What an admin sees beside: how many of its slots a plan has sold. */
export const PlanForAdmin = PlanView.extend({
  slots: z.number().nullable(),
  slotsTaken: z.number(),
});
export type PlanForAdmin = z.output<typeof PlanForAdmin>;

const fields = {
  name: z
    .string()
    .trim()
    .toLowerCase()
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, "Nama paket berisi huruf, angka dan tanda hubung")
    .max(50)
    .openapi({ example: "paket-contoh" }),
  displayName: text(60).min(1),
  description: text(500),
  type: z
    .string()
    .toUpperCase()
    .pipe(Type)
    .openapi({ type: "string", enum: ["HOSTING", "VPS"] }),
  price: amount,
  storage: text(60),
  bandwidth: text(60),
  websites: text(60),
  /** How many may be sold at once; null: any number. */
  slots: z.number().int().min(0).max(1_000_000).nullable(),
  isActive: z.boolean(),
  isPopular: z.boolean(),
  isSoldOut: z.boolean(),
  sortOrder: z.number().int().min(0).max(10_000),
  features: z.array(Feature).max(50),
};

const { name, displayName, type, price, ...optional } = fields;

export const NewPlan = z
  .object({ name, displayName, type, price })
  .extend(z.object(optional).partial().shape)
  .openapi("NewHostingPlan");
export type NewPlan = z.output<typeof NewPlan>;

export const PlanChange = z.object(fields).partial().openapi("HostingPlanChange");
export type PlanChange = z.output<typeof PlanChange>;

export const PlanQuery = z.object({
  type: z
    .string()
    .toUpperCase()
    .pipe(Type)
    .optional()
    .openapi({ type: "string", enum: ["HOSTING", "VPS"] }),
  activeOnly: z.enum(["true", "false"]).optional(),
});
