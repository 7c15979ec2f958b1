import { z } from "@hono/zod-openapi";
import { pagingQuery } from "../../../shared/http/answers.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { issueWords } from "../../../shared/http/language.ts";

/** Text as people type it: something that is neither empty nor endless, without control characters. */
const words = (longest: number, least = 1) =>
  z
    .string()
    .trim()
    .min(least)
    .max(longest)
    .refine((value) => !/\p{Cc}/u.test(value), "must not have control characters");

/** What may be left out: some programs write null where they have nothing. */
const absent = <T extends z.ZodType>(schema: T) =>
  schema.nullish().transform((value) => value ?? undefined);

/** Without an upper bound: what is too much, the service itself says. */
const quantity = () =>
  z
    .number()
    .positive("Quantity must be greater than 0")
    .refine(Number.isInteger, "Quantity must be a whole number")
    .openapi({ type: "integer" });

/** The price of all of it, as the caller was told: another one is refused. A caller that knows none leaves it out. */
const quoted = () =>
  absent(z.number().int().positive()).openapi({
    description: "The whole price, as you were told; refused with the price where it is another",
  });

/** Asked for by 409 where the like was paid a moment ago, so it stands wherever an order is paid. */
const confirm = absent(z.boolean()).openapi({
  description: "Whether a like order of the last ten minutes is known, and meant to be repeated",
});

export const PrepaidBody = z
  .object({
    service: words(100),
    phoneNumber: words(40),
    amount: quoted(),
    /** The supplier takes one item an order. */
    quantity: absent(z.literal(1, "Quantity must be 1: order once for each")),
    confirm,
  })
  .openapi("TopupPrepaidOrder");

export const SocialBody = z
  .object({
    service: words(100),
    target: words(500),
    quantity: quantity(),
    amount: quoted(),
    confirm,
  })
  .openapi("TopupSocialOrder");

export const GameBody = z
  .object({
    service: words(100),
    gameId: words(100),
    /** Empty where a form has a field for it and the game has none. */
    zone: words(50, 0).nullish(),
    quantity: absent(quantity()),
  })
  .openapi("TopupGameOrder");

export const ProcessBody = z
  .object({ orderNumber: words(60), confirm })
  .openapi("TopupProcessOrder");

export const OrderQuery = z.object({
  orderNumber: z.string().max(60).optional(),
  trxId: z.string().max(100).optional(),
});

const status = z.enum([
  "PENDING",
  "WAITING_PAYMENT",
  "PROCESSING",
  "SUCCESS",
  "FAILED",
  "CANCELLED",
  "REFUNDED",
  "PARTIAL",
]);

/** A parameter that a form sends empty when it was left open. */
const open = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === "" ? undefined : value), schema.optional());
const day = z.iso.date().openapi({ example: "2026-11-22" });

const KINDS = { prepaid: "prepaid", "social-media": "social", game: "game" } as const;

export const HistoryQuery = z.object({
  limit: pagingQuery.limit,
  cursor: open(z.uuid()),
  status: open(status),
  type: open(z.enum(["prepaid", "social-media", "game"])),
  from: open(day),
  to: open(day),
  search: open(words(100)),
});

/** An order in its buyer's history; `type` is the path under `/api/orders` that tells more of it. */
export const kindOf = (family: "prepaid" | "social" | "game"): keyof typeof KINDS =>
  family === "social" ? "social-media" : family;
export const familyOfKind = (kind: keyof typeof KINDS | undefined) => kind && KINDS[kind];

type Result = { success: true } | { success: false; error: z.core.$ZodError };

/** The contract's texts: one for whatever of `required` is not there, else the schema's own. */
export function inContractWords(required: readonly string[], missing: string) {
  return (result: Result): undefined => {
    if (result.success) return undefined;
    const { issues } = result.error;
    const isMissing = ({ path, code }: z.core.$ZodIssue) =>
      path.length === 0 ||
      (required.includes(String(path[0])) && (code === "invalid_type" || code === "too_small"));
    const positive = issues.find(({ message }) => message.startsWith("Quantity"));
    const lacking = issues.some((issue) => issue !== positive && isMissing(issue));
    const [first] = issues;
    const message = lacking
      ? missing
      : (positive?.message ??
        (first ? `${first.path.join(".")}: ${issueWords(first, "en")}` : missing));
    throw new AppError("invalid_input", message);
  };
}

const placed = {
  orderNumber: z.string(),
  externalId: z.string().nullable(),
  status: z.string(),
  service: z.string(),
};

export const PrepaidPlaced = z
  .object({ ...placed, phoneNumber: z.string(), amount: z.number() })
  .openapi("TopupPrepaidPlaced");

export const SocialPlaced = z
  .object({ ...placed, target: z.string(), quantity: z.number(), totalPrice: z.number() })
  .openapi("TopupSocialPlaced");

export const GamePlaced = z
  .object({
    orderNumber: z.string(),
    status: z.string(),
    service: z.string(),
    gameId: z.string(),
    zone: z.string().nullable(),
    quantity: z.number(),
    amount: z.number(),
    expiresAt: z.string().nullable(),
  })
  .openapi("TopupGamePlaced");

export const ProcessResult = z
  .object({
    orderNumber: z.string(),
    status,
    results: z.array(
      z.object({
        product: z.string(),
        success: z.boolean(),
        trxId: z.string().nullable().optional(),
        status: z.string().optional(),
        sn: z.string().optional(),
        error: z.string().optional(),
      }),
    ),
  })
  .openapi("TopupProcessed");

/** An order as its owner sees it; `sn` is his alone. */
export const OrderView = z
  .object({
    orderNumber: z.string(),
    externalId: z.string().nullable(),
    status,
    totalAmount: z.number(),
    refundedAmount: z.number(),
    customerData: z.record(z.string(), z.unknown()),
    items: z.array(z.record(z.string(), z.unknown())),
    createdAt: z.string(),
    updatedAt: z.string(),
    notes: z.string().nullable(),
    sn: z.string().nullable(),
    /** Of `/api/orders/process` alone. */
    payment: z
      .object({
        method: z.literal("WALLET"),
        status: z.enum(["PAID", "REFUNDED"]),
        amount: z.number(),
        refundedAmount: z.number(),
        paidAt: z.string(),
      })
      .nullable()
      .optional(),
  })
  .openapi("TopupOrder");

/** What the supplier says of an order. */
export const SupplierView = z
  .object({
    trxId: z.string(),
    status: z.string(),
    phoneNumber: z.string().optional(),
    target: z.string().optional(),
    quantity: z.number().optional(),
    service: z.string(),
    price: z.number(),
    note: z.string(),
    sn: z.string().nullable(),
    createdDate: z.string(),
    lastUpdate: z.string(),
  })
  .openapi("TopupSupplierOrder");

export const HistoryOrder = OrderView.omit({ payment: true })
  .extend({
    type: z.enum(["prepaid", "social-media", "game"]),
    paidAt: z.string().nullable(),
    finishedAt: z.string().nullable(),
    expiresAt: z.string().nullable(),
  })
  .openapi("TopupHistoryOrder");
