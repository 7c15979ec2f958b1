import { describe, expect, test } from "vitest";
import { mapStatus, type PaymentStatus } from "./transaction.ts";

describe("Midtrans' status words", () => {
  const rows: [string, string | undefined, string, PaymentStatus][] = [
    ["settlement", "accept", "200", "paid"],
    ["settlement", undefined, "200", "paid"],
    ["SETTLEMENT", "ACCEPT", "200", "paid"],
    ["capture", "accept", "200", "paid"],
    ["capture", undefined, "200", "paid"],
    // Paid needs the code as well as the word.
    ["settlement", "accept", "201", "review"],
    ["settlement", "accept", "202", "review"],
    ["capture", "challenge", "201", "review"],
    ["capture", "challenge", "200", "review"],
    ["settlement", "something-new", "200", "review"],
    ["settlement", "deny", "200", "failed"],
    ["capture", "deny", "200", "failed"],
    ["pending", "deny", "201", "failed"],
    ["pending", "accept", "201", "pending"],
    ["PENDING", undefined, "201", "pending"],
    ["authorize", "accept", "200", "pending"],
    ["deny", "accept", "202", "failed"],
    ["failure", undefined, "202", "failed"],
    ["cancel", undefined, "200", "cancelled"],
    ["expire", undefined, "407", "expired"],
    ["expire", "accept", "202", "expired"],
    ["refund", "accept", "200", "refunded"],
    ["partial_refund", "accept", "200", "partly_refunded"],
    ["chargeback", "accept", "200", "disputed"],
    ["partial_chargeback", undefined, "200", "disputed"],
    ["a_new_word", "accept", "200", "review"],
  ];

  test.each(rows)(
    "%s with fraud %s and code %s is %s",
    (transactionStatus, fraudStatus, statusCode, expected) => {
      expect(mapStatus({ transactionStatus, fraudStatus, statusCode })).toBe(expected);
    },
  );
});
