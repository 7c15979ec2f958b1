import { z } from "@hono/zod-openapi";
import { AppError } from "../../../shared/http/errors.ts";

const date = z.string().openapi({ format: "date-time" });

export const SubscriptionView = z
  .object({
    id: z.string(),
    userId: z.string(),
    orderId: z.string(),
    planName: z.string(),
    planType: z.enum(["HOSTING", "VPS"]),
    status: z.enum(["ACTIVE", "SUSPENDED", "EXPIRED", "CANCELLED"]),
    startDate: date,
    endDate: date,
    autoRenew: z.boolean(),
    createdAt: date,
    updatedAt: date,
  })
  .openapi("HostingSubscription");

export const OrderView = z
  .object({
    id: z.string(),
    userId: z.string(),
    planId: z.string(),
    planName: z.string(),
    planType: z.enum(["HOSTING", "VPS"]),
    price: z.number(),
    monthlyPrice: z.number(),
    duration: z.number(),
    status: z.enum(["PENDING", "PROCESSING", "COMPLETED", "FAILED", "CANCELLED", "EXPIRED"]),
    paymentMethod: z.string(),
    paymentId: z.string().nullable(),
    paymentUrl: z.string().nullable(),
    paidAt: date.nullable(),
    expiresAt: date.nullable(),
    invoiceNumber: z.string().nullable(),
    renewsSubscriptionId: z.string().nullable(),
    metadata: z.record(z.string(), z.unknown()),
    createdAt: date,
    updatedAt: date,
  })
  .openapi("HostingOrder");
export type OrderView = z.output<typeof OrderView>;

export const OrderRow = OrderView.extend({ subscription: SubscriptionView.nullable() });
export type OrderRow = z.output<typeof OrderRow>;

const WebsiteView = z.object({
  id: z.string(),
  userId: z.string(),
  subscriptionId: z.string(),
  domain: z.string(),
  aaPanelUserId: z.null(),
  aaPanelSiteId: z.string().nullable(),
  ftpUsername: z.string().nullable(),
  /** Shown when the website is made, and by its credentials route: not in what a page may keep. */
  ftpPassword: z.null(),
  status: z.enum(["PENDING", "ACTIVE", "SUSPENDED", "DELETED"]),
  createdAt: date,
  updatedAt: date,
});

export const OrderDetail = OrderView.extend({
  subscription: SubscriptionView.extend({ website: WebsiteView.nullable() }).nullable(),
});
export type OrderDetail = z.output<typeof OrderDetail>;

export const PaymentDetails = z.object({
  sessionId: z.string().nullable(),
  redirectUrl: z.string(),
});

/** Words of people, without control characters: they are shown and sent on. */
const plain = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .refine((value) => !/\p{Cc}/u.test(value) && value.isWellFormed());

const LARGEST_METADATA = 2_000;
/** Ours to say: a client's own values would be taken for the payment's. */
const RESERVED = ["paymentStatus", "paymentDetails"];

const Metadata = z
  .record(z.string().max(100), z.unknown())
  .refine((value) => JSON.stringify(value).length <= LARGEST_METADATA)
  .transform((value) =>
    Object.fromEntries(Object.entries(value).filter(([name]) => !RESERVED.includes(name))),
  );

export const DURATIONS = [1, 3, 6, 12, 24] as const;

const PlanType = z
  .string()
  .transform((value) => value.toUpperCase())
  .pipe(z.enum(["HOSTING", "VPS"]));

const INCOMPLETE = "Data order tidak lengkap";
const PRICE =
  "Harga harus bilangan bulat rupiah lebih dari 0: harga paket per bulan atau harga seluruh masa";

/** One that is missing has other words than one that is wrong. */
const Price = z
  .number({ error: ({ input }) => (input == null ? INCOMPLETE : PRICE) })
  .int(PRICE)
  .positive(PRICE)
  .max(10_000_000_000, PRICE);

/** `price` may be a month's or the whole; the plan decides what is charged. */
export const CreatePayment = z
  .object({
    planName: plain(100).openapi({ example: "Business" }),
    planType: PlanType.openapi({ type: "string", example: "hosting" }),
    price: Price.openapi({ example: 30_000 }),
    duration: z
      .union(
        DURATIONS.map((months) => z.literal(months)),
        "Durasi harus 1, 3, 6, 12 atau 24 bulan",
      )
      .default(1)
      .openapi({ type: "integer", example: 1 }),
    planId: z.string().min(1).max(100).optional(),
    subscriptionId: z.string().min(1).max(100).optional(),
    metadata: Metadata.optional().openapi({ type: "object", example: { domain: "example.com" } }),
  })
  .openapi("CreateHostingPayment");
export type CreatePayment = z.output<typeof CreatePayment>;

/** Of the fields whose schemas do not say it themselves. */
const WORDS: Record<string, string> = {
  planId: "planId tidak dikenal",
  subscriptionId: "subscriptionId tidak dikenal",
  metadata: `metadata harus berupa objek, paling besar ${LARGEST_METADATA} karakter`,
};
const SPEAKING = ["price", "duration"];

type Checked = { success: true } | { success: false; error: z.core.$ZodError };

/** A field that is missing or of the wrong kind has one text in the contract; the others say what is wrong. */
export function paymentWords(result: Checked): undefined {
  if (result.success) return undefined;
  const [first] = result.error.issues;
  const field = String(first?.path[0] ?? "");
  const own = SPEAKING.includes(field) ? first?.message : WORDS[field];
  throw new AppError("invalid_input", own ?? INCOMPLETE);
}
