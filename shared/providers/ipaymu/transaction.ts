import { z } from "zod";
import { wholeIdr } from "../idr.ts";
import { parseWib } from "../wib-time.ts";

/** Where a payment stands. `review`: a person has to look, nothing is to move by itself. */
export type IpaymuStatus =
  | "pending"
  | "paid"
  | "expired"
  | "cancelled"
  | "failed"
  | "review"
  | "refunded";

/** A transaction as iPaymu tells of it. */
export interface IpaymuPayment {
  transactionId: string;
  /** Our reference, when the transaction has one. */
  providerRef: string | null;
  status: IpaymuStatus;
  amountIdr: number;
  paidAt: Date | null;
}

/**
 * The status codes of `/transaction` and `/history` (providers/ipaymu.md §3). Escrow is never switched on by us, so 7
 * is for review, like every code that we do not know: it neither pays nor releases anything.
 */
export function mapStatus(code: number): IpaymuStatus {
  switch (code) {
    case 1:
    case 6:
      return "paid";
    case 0:
      return "pending";
    case -1:
    case -2:
      return "expired";
    case 2:
      return "cancelled";
    case 4:
    case 5:
      return "failed";
    case 3:
      return "refunded";
    default:
      return "review";
  }
}

/** Numbers may arrive as strings. */
export const statusCode = z
  .union([
    z.number().int(),
    z
      .string()
      .regex(/^-?\d{1,3}$/)
      .transform(Number),
  ])
  .pipe(z.number().int().min(-999).max(999));

/** A number, which has one spelling only: leading zeros would be another name of the same transaction. */
export const transactionId = z.union([
  z.number().int().positive().max(Number.MAX_SAFE_INTEGER).transform(String),
  z.string().regex(/^(?!0)[\w-]{1,64}$/),
]);

const reference = z
  .string()
  .nullish()
  .transform((text) => text || null);

export const Transaction = z
  .object({
    TransactionId: transactionId,
    ReferenceId: reference,
    Amount: wholeIdr,
    Status: statusCode,
    SuccessDate: z.string().nullish().transform(parseWib).catch(null),
  })
  .transform(
    (told): IpaymuPayment => ({
      transactionId: told.TransactionId,
      providerRef: told.ReferenceId,
      status: mapStatus(told.Status),
      amountIdr: told.Amount,
      paidAt: told.SuccessDate,
    }),
  );

/** What a row of the history is found by; it also lists withdrawals and moves between accounts. */
export interface HistoryRow {
  transactionId: string;
  providerRef: string | null;
  status: IpaymuStatus;
}

const Row = z
  .object({ TransactionId: transactionId, ReferenceId: reference, Status: statusCode })
  .transform(
    (told): HistoryRow => ({
      transactionId: told.TransactionId,
      providerRef: told.ReferenceId,
      status: mapStatus(told.Status),
    }),
  );

const rows = z.array(z.unknown()).transform((all) =>
  all.flatMap((row) => {
    const read = Row.safeParse(row);
    return read.success ? [read.data] : [];
  }),
);
const count = z.coerce.number().int().nonnegative();

/**
 * The vendor's docs and its recorded answers disagree on the envelope; both are read. Of the number of pages the docs'
 * one is only said to be there (providers/ipaymu.md §3: "Total/Per_Page/..."), so that either spelling is understood.
 */
export const HistoryData = z.union([
  z
    .object({ Transaction: rows, Pagination: z.object({ total_pages: count }) })
    .transform(({ Transaction, Pagination }) => ({
      rows: Transaction,
      pages: Pagination.total_pages,
    })),
  z
    .object({ Results: rows, Total_Pages: count })
    .transform(({ Results, Total_Pages }) => ({ rows: Results, pages: Total_Pages })),
  z
    .object({ Results: rows, Total_Page: count })
    .transform(({ Results, Total_Page }) => ({ rows: Results, pages: Total_Page })),
]);

/** A page of the history; `highest`: the highest number of a payment on it. */
export interface HistoryPage {
  rows: HistoryRow[];
  pages: number;
  highest: number | null;
}
