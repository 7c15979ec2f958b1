import { sql } from "drizzle-orm";
import { boolean, check, integer, jsonb, pgTable, text, uniqueIndex } from "drizzle-orm/pg-core";
import { at, id, idr, timestamps } from "../../../shared/db/columns.ts";

export interface PlanFeature {
  name: string;
  description: string | null;
  isIncluded: boolean;
  sortOrder: number;
}

/**
 * What is for sale. `price` is a month's, PPN included. `slots`: how many may be sold at once (null: any number);
 * `slotsTaken` counts unpaid orders and living subscriptions, and is moved by conditional writes only.
 */
export const plans = pgTable(
  "hosting_plans",
  {
    id: id(),
    name: text().notNull(),
    displayName: text().notNull(),
    description: text().notNull().default(""),
    type: text().notNull(),
    price: idr().notNull(),
    storage: text().notNull().default(""),
    bandwidth: text().notNull().default(""),
    websites: text().notNull().default(""),
    features: jsonb().$type<PlanFeature[]>().notNull().default([]),
    slots: integer(),
    slotsTaken: integer().notNull().default(0),
    isActive: boolean().notNull().default(true),
    isPopular: boolean().notNull().default(false),
    isSoldOut: boolean().notNull().default(false),
    sortOrder: integer().notNull().default(0),
    deletedAt: at(),
    ...timestamps(),
  },
  (t) => [
    uniqueIndex("hosting_plans_name_key").on(t.name).where(sql`${t.deletedAt} is null`),
    check("hosting_plans_name_lower", sql`${t.name} = lower(${t.name})`),
    check("hosting_plans_type_known", sql`${t.type} in ('HOSTING', 'VPS')`),
    check("hosting_plans_price_bounded", sql`${t.price} between 1000 and 100000000`),
    check("hosting_plans_slots_counted", sql`${t.slotsTaken} >= 0 and ${t.slots} >= 0`),
  ],
);
