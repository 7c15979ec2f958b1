import { expect, test } from "vitest";
import { formatRupiah } from "./format.ts";

test.each([
  [0, "Rp 0"],
  [999, "Rp 999"],
  [10_000, "Rp 10.000"],
  [-2_500, "-Rp 2.500"],
  [Number.MAX_SAFE_INTEGER, "Rp 9.007.199.254.740.991"],
])("%d rupiah is written %s", (amount, words) => {
  expect(formatRupiah(amount)).toBe(words);
});
