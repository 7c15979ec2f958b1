/**
 * Where an order stands with the supplier. `success`, `error` and `partial` are final; `unknown` is a word that nobody
 * documented: still open, and worth a look by a person.
 */
export type SupplierStatus = "waiting" | "processing" | "success" | "error" | "partial" | "unknown";

/** The one table of status words: the supplier's own, and those that the application's contract names. */
const STATUSES: Record<string, SupplierStatus> = {
  waiting: "waiting",
  pending: "waiting",
  process: "processing",
  processing: "processing",
  "in progress": "processing",
  success: "success",
  completed: "success",
  delivered: "success",
  error: "error",
  failed: "error",
  rejected: "error",
  cancel: "error",
  canceled: "error",
  cancelled: "error",
  refunded: "error",
  partial: "partial",
};

/** What a status word means. A word of no table is never taken for a failure: that would pay back what was delivered. */
export function mapStatus(word: string): SupplierStatus {
  const plain = word.trim().toLowerCase();
  return Object.hasOwn(STATUSES, plain) ? (STATUSES[plain] ?? "unknown") : "unknown";
}
