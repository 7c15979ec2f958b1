import { z } from "@hono/zod-openapi";
import { pagingQuery } from "../../../shared/http/answers.ts";
import { FEATURE_NAMES, type FeatureName } from "../admin/features.ts";
import { optionalParameter, rupiah, searchParameter, text } from "./fields.ts";
import { moment } from "./promos.ts";
import { StoreShape } from "./stores.ts";

const amount = z.number().int();

export const DashboardQuery = z.object({ store_id: optionalParameter(z.uuid()) });

export const DashboardShape = z
  .object({
    /** Of all time: `revenue` is `commission` kept less `promo` that the market paid for. */
    totals: z.object({
      revenue: amount,
      commission: amount,
      promo: amount,
      sales: amount,
      orders: amount,
      open_orders: amount,
      stores: amount,
      products: amount,
      users: amount,
      open_payouts: amount,
    }),
    series: z.array(
      z.object({
        date: z.string(),
        orders: amount,
        sales: amount,
        commission: amount,
        promo: amount,
        revenue: amount,
      }),
    ),
    recent_orders: z.array(
      z.object({
        id: z.string(),
        number: z.string(),
        status: z.string(),
        source: z.string(),
        total_amount: amount,
        buyer_name: z.string(),
        store: z.object({ id: z.string(), name: z.string(), slug: z.string() }),
        created_at: z.string(),
      }),
    ),
    recent_stores: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        slug: z.string(),
        status: z.string(),
        owner_name: z.string(),
        created_at: z.string(),
      }),
    ),
  })
  .openapi("MarketDashboard");
export type Dashboard = z.output<typeof DashboardShape>;

const yesNo = optionalParameter(
  z.enum(["true", "false", "1", "0"]).transform((value) => value === "true" || value === "1"),
);

export const AdminStoresQuery = z.object({
  ...pagingQuery,
  search: searchParameter,
  q: searchParameter,
  status: optionalParameter(z.enum(["active", "inactive", "suspended"])),
  featured: yesNo,
  deleted: yesNo,
});
export type AdminStoresQuery = z.output<typeof AdminStoresQuery>;

export const AdminStoreShape = StoreShape.extend({
  owner: z.object({ id: z.number(), full_name: z.string(), email: z.string().nullable() }),
  product_count: z.number(),
  open_orders: z.number(),
  /** Closed, and deleted with the end of its last order. */
  deletion_pending: z.boolean(),
}).openapi("AdminStore");
export type AdminStore = z.output<typeof AdminStoreShape>;

export const FeaturedInput = z.object({ featured: z.boolean() }).openapi("FeaturedInput");
export const StoreStatusInput = z
  .object({ status: z.enum(["active", "inactive", "suspended"]), reason: text(3, 300) })
  .openapi("StoreStatusInput");

export const DeleteStoreQuery = z.object({ defer: yesNo });
export const DeletedStoreShape = z
  .object({ id: z.string(), deleted: z.boolean(), open_orders: z.number() })
  .openapi("DeletedStore");

export const AdminPromoQuery = z.object({
  ...pagingQuery,
  store_id: optionalParameter(z.uuid()),
  search: searchParameter,
});

export const BannerShape = z
  .object({
    id: z.string(),
    image_url: z.string(),
    cta_link: z.string().nullable(),
    sort_order: z.number(),
    is_active: z.boolean(),
    starts_at: z.string().nullable(),
    ends_at: z.string().nullable(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .openapi("Banner");
export type Banner = z.output<typeof BannerShape>;

/** A path of ours, or another site over TLS: never a script. */
const ctaLink = z
  .string()
  .trim()
  .max(1000)
  .nullable()
  .transform((value) => value || null)
  .refine(
    (value) => value === null || /^\/(?![/\\])[^\s\\]*$/.test(value) || isHttps(value),
    "Tautan harus diawali / atau https://",
  );

function isHttps(value: string): boolean {
  return URL.canParse(value) && new URL(value).protocol === "https:";
}

const banner = {
  image_url: z.string().max(1000).openapi({ example: "/uploads/banners/1/a.jpg" }),
  cta_link: ctaLink,
  sort_order: z.number().int().min(0).max(10_000),
  is_active: z.boolean(),
  starts_at: moment("00:00:00").nullable(),
  ends_at: moment("23:59:59.999").nullable(),
};

export const NewBanner = z
  .object({
    ...banner,
    cta_link: banner.cta_link.default(null),
    sort_order: banner.sort_order.default(0),
    is_active: banner.is_active.default(true),
    starts_at: banner.starts_at.default(null),
    ends_at: banner.ends_at.default(null),
  })
  .openapi("NewBanner");
export type NewBanner = z.output<typeof NewBanner>;

export const BannerChanges = z
  .object({ id: z.string().max(100), ...z.object(banner).partial().shape })
  .openapi("BannerChanges");
export type BannerChanges = z.output<typeof BannerChanges>;

const flagShape = Object.fromEntries(FEATURE_NAMES.map((name) => [name, z.boolean()])) as Record<
  FeatureName,
  z.ZodBoolean
>;

export const FlagsShape = z.object(flagShape).openapi("FeatureFlags");
export type Flags = z.output<typeof FlagsShape>;

/** An unknown name is a mistake of the caller, never a flag that nothing reads. */
export const FlagChanges = z.strictObject(flagShape).partial().openapi("FeatureFlagChanges");
export type FlagChanges = z.output<typeof FlagChanges>;

const reason = text(3, 300);

export const RefundInput = z
  .object({
    /** Of the goods' price; everything that is left when absent. */
    amount: rupiah().optional(),
    reason,
    /** Whether the goods are for sale again; only with the whole order. */
    restock: z.boolean().default(false),
  })
  .openapi("RefundInput");

export const DeliveredInput = z.object({ reason }).openapi("DeliveredInput");

export const DeliveredShape = z
  .object({ id: z.string(), status: z.string() })
  .openapi("DeliveredOrder");
export type Delivered = z.output<typeof DeliveredShape>;

export const CancelSaleInput = z
  .object({ reason, restock: z.boolean().default(true) })
  .openapi("CancelSaleInput");

export const RefundShape = z
  .object({
    id: z.string(),
    order_id: z.string(),
    status: z.string(),
    amount,
    /** `payment`: by the way he paid; `wallet`: to his balance here. */
    paid_to: z.enum(["payment", "wallet"]),
    seller_amount: amount,
    commission_amount: amount,
    tax_amount: amount,
  })
  .openapi("Refund");
export type Refund = z.output<typeof RefundShape>;
