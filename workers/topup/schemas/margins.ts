import { z } from "@hono/zod-openapi";
import { AdminPage, optional, Reason } from "./admin.ts";
import { moment } from "./moment.ts";

export const LEVELS = ["member", "reseller", "agent"] as const;
const Level = z.enum(LEVELS);
const Family = z.enum(["prepaid", "game", "social"]);

/** Per cent with two places behind the point, as the table keeps hundredths; the least that a rule may earn is none. */
const percent = () =>
  z
    .number()
    .min(0)
    .max(1_000)
    .refine(
      (value) => Math.abs(value * 100 - Math.round(value * 100)) < 1e-6,
      "Two places at most",
    );
const fixed = () => z.number().int().min(0).max(100_000_000);
const brand = z
  .string()
  .refine((value) => !/\p{Cc}/u.test(value) && value.isWellFormed(), "Contains control characters")
  .trim()
  .min(1)
  .max(200);

/** Where a rule holds; what is left open matches all. */
const scope = {
  family: Family.nullable().default(null),
  /** As the supplier spells it. */
  brand: brand.nullable().default(null),
  level: Level.nullable().default(null),
};

const rule = {
  ...scope,
  percent: percent().default(0),
  /** Rupiah on top; of social services on 1,000. */
  fixed: fixed().default(0),
  active: z.boolean().default(true),
};
export const NewMargin = z.strictObject(rule).openapi("TopupNewMargin");
export type NewMargin = z.output<typeof NewMargin>;

const changes = {
  percent: percent().optional(),
  fixed: fixed().optional(),
  active: z.boolean().optional(),
};
export const MarginChanges = z.strictObject(changes).openapi("TopupMarginChanges");
export type MarginChanges = z.output<typeof MarginChanges>;

const because = { reason: Reason };
export const MarginCreation = z
  .strictObject({ ...rule, ...because })
  .openapi("TopupMarginCreation");
export const MarginChange = z.strictObject({ ...changes, ...because }).openapi("TopupMarginChange");
export const MarginRemoval = z.strictObject(because).openapi("TopupMarginRemoval");

/** What would be done: one of the three. */
export const MarginPlan = z
  .union([
    z.strictObject({ create: NewMargin }),
    z.strictObject({ id: z.uuid(), change: MarginChanges }),
    z.strictObject({ id: z.uuid(), delete: z.literal(true) }),
  ])
  .openapi("TopupMarginPlan");
export type MarginPlan = z.output<typeof MarginPlan>;

export const MarginShape = z
  .object({
    id: z.uuid(),
    family: Family.nullable(),
    brand: z.string().nullable(),
    level: Level.nullable(),
    percent: z.number(),
    fixed: z.number(),
    active: z.boolean(),
    updatedAt: moment(),
  })
  .openapi("TopupMargin");

export const ListedMargin = MarginShape.extend({
  /** How many services on sale it was made for. */
  matches: z.number(),
  /** How many of them have a price by it, for some buyers at least: the others' is a more specific rule's. */
  decides: z.number(),
}).openapi("TopupListedMargin");
export type ListedMargin = z.output<typeof ListedMargin>;

/** Of a rule for no service that is listed: a brand is as the supplier spells it. */
const warning = z.string().nullable();

/** A written rule and the job that puts the catalogue's prices in line with it. */
export const MarginWritten = z
  .object({ rule: MarginShape, job: z.uuid(), warning })
  .openapi("TopupMarginWritten");

const effect = z.object({ services: z.number(), raised: z.number(), lowered: z.number() });

export const MarginEffect = z
  .object({
    warning,
    /** How many services would have another price, for each kind of buyer. */
    levels: z.object({ member: effect, reseller: effect, agent: effect }),
    /** The largest changes by their share of the price. */
    examples: z.array(
      z.object({
        level: Level,
        family: Family,
        service: z.string(),
        name: z.string(),
        brand: z.string(),
        supplierPrice: z.number(),
        price: z.number(),
        newPrice: z.number(),
      }),
    ),
  })
  .openapi("TopupMarginEffect");

export const MemberChange = z
  .strictObject({ level: Level, reason: Reason })
  .openapi("TopupMemberChange");
export const MemberParameter = z.object({
  userId: z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER),
});
export const MemberQuery = z.object({
  ...AdminPage,
  level: optional(z.enum(["reseller", "agent"])),
});

export const MemberSet = z
  .object({ userId: z.number(), level: Level, was: Level })
  .openapi("TopupMemberSet");
export const MemberShape = z
  .object({ userId: z.number(), name: z.string(), level: Level, since: moment() })
  .openapi("TopupMember");

export const PriceEntry = z
  .object({
    oldSupplierPrice: z.number().nullable(),
    supplierPrice: z.number(),
    oldPrice: z.number().nullable(),
    price: z.number(),
    at: moment(),
  })
  .openapi("TopupPriceEntry");
