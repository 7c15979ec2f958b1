import { z } from "@hono/zod-openapi";
import { pagingQuery } from "../../../shared/http/answers.ts";
import { optionalParameter, rupiah, text } from "./fields.ts";

const amount = z.number().int();
const date = z.string();

export const PAYOUT_STATES = [
  "requested",
  "approved",
  "paid",
  "bounced",
  "rejected",
  "cancelled",
] as const;

export const PayoutShape = z
  .object({
    id: z.string(),
    seller_id: z.number(),
    amount,
    state: z.enum(PAYOUT_STATES),
    bank_code: z.string(),
    account_last4: z.string(),
    account_holder: z.string(),
    needs_second: z.boolean(),
    approved_by: z.number().nullable(),
    approved_at: date.nullable(),
    seconded_by: z.number().nullable(),
    seconded_at: date.nullable(),
    closed_by: z.number().nullable(),
    closed_at: date.nullable(),
    closed_reason: z.string().nullable(),
    transfer_reference: z.string().nullable(),
    /** The bank sent the transfer back, says an admin; above the limit another one must say so too. */
    bounced_by: z.number().nullable(),
    bounce_reason: z.string().nullable(),
    bounce_seconded_by: z.number().nullable(),
    bounced_at: date.nullable(),
    created_at: date,
  })
  .openapi("Payout");
export type Payout = z.output<typeof PayoutShape>;

/** What a seller sees of his own: which admin decided is not his to know, nor what waits for a second one. */
export const SellerPayoutShape = PayoutShape.omit({
  approved_by: true,
  seconded_by: true,
  closed_by: true,
  needs_second: true,
  bounced_by: true,
  bounce_reason: true,
  bounce_seconded_by: true,
}).openapi("SellerPayout");

export const AdminPayoutShape = PayoutShape.extend({
  seller: z.object({ full_name: z.string(), email: z.string().nullable() }),
  store: z.object({ id: z.string(), name: z.string(), slug: z.string() }).nullable(),
}).openapi("AdminPayout");

/** With the whole number, which the transfer needs. */
export const PayoutDetailShape = AdminPayoutShape.extend({
  account_number: z.string(),
}).openapi("PayoutDetail");

export const BankAccountInput = z
  .object({
    bank_code: z
      .string()
      .trim()
      .toLowerCase()
      .regex(/^[a-z0-9_]{2,20}$/, "Kode bank tidak dikenal")
      .openapi({ example: "bca" }),
    account_number: z
      .string()
      .transform((value) => value.replace(/[\s.-]/g, ""))
      .pipe(z.string().regex(/^\d{6,20}$/, "Nomor rekening terdiri dari 6-20 angka"))
      .openapi({ example: "1234567890" }),
    account_holder: text(3, 100),
  })
  .openapi("BankAccountInput");
export type BankAccountInput = z.output<typeof BankAccountInput>;

export const BankAccountShape = z
  .object({ bank_code: z.string(), account_last4: z.string(), account_holder: z.string() })
  .openapi("BankAccount");
export type BankAccount = z.output<typeof BankAccountShape>;

export const BalanceShape = z
  .object({
    /** May be paid out now. */
    available: amount,
    /** Of orders that are paid and not delivered. */
    held: amount,
    /** On its way to the bank. */
    in_payout: amount,
    /** Advanced for refunds; taken from the next sales. */
    owed: amount,
    minimum_payout: amount,
    tax: z.object({
      year: z.number(),
      turnover: amount,
      withheld: amount,
      statement_filed: z.boolean(),
    }),
    bank_account: BankAccountShape.nullable(),
    open_payout: SellerPayoutShape.nullable(),
  })
  .openapi("SellerBalance");
export type Balance = z.output<typeof BalanceShape>;

export const EntryShape = z
  .object({
    id: z.number(),
    amount,
    balance_after: amount,
    reason: z.string(),
    created_at: date,
  })
  .openapi("BalanceEntry");

export const PayoutInput = z.object({ amount: rupiah() }).openapi("PayoutInput");

export const PayoutsQuery = z.object({
  ...pagingQuery,
  state: optionalParameter(z.enum(PAYOUT_STATES)),
});

export const PayoutReason = z.object({ reason: text(3, 300) }).openapi("PayoutReason");

export const TransferInput = z
  .object({
    transfer_reference: z
      .string()
      .trim()
      .regex(/^[A-Za-z0-9/._-]{4,64}$/, "Nomor referensi terdiri dari 4-64 huruf dan angka")
      .openapi({ example: "TRF-20261121-0001" }),
  })
  .openapi("TransferInput");

export const StatementQuery = z.object({
  month: z.string().regex(/^20\d{2}-(0[1-9]|1[0-2])$/, "Gunakan bulan dalam bentuk 2026-11"),
});

export const TaxStatementInput = z
  .object({
    /** The calendar year of Jakarta that it is about. */
    year: z.number().int().min(2025).max(2099).openapi({ example: 2026 }),
    tax_id: z
      .string()
      .transform((value) => value.replace(/[\s.-]/g, ""))
      .pipe(z.string().regex(/^\d{15,16}$/, "NPWP atau NIK terdiri dari 15-16 angka"))
      .openapi({ example: "3572011504900003" }),
    agreed: z.literal(true, "Setujui isi surat pernyataan"),
  })
  .openapi("TaxStatementInput");
export type TaxStatementInput = z.output<typeof TaxStatementInput>;

export const TaxStatementShape = z
  .object({ year: z.number(), tax_id_last4: z.string(), filed_at: date })
  .openapi("TaxStatement");
export type TaxStatement = z.output<typeof TaxStatementShape>;
