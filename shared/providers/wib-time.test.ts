import { describe, expect, test } from "vitest";
import { wholeIdr } from "./idr.ts";
import { formatWib, parseWib } from "./wib-time.ts";

describe("Jakarta times", () => {
  test("are written seven hours ahead of UTC, over midnight and the new year", () => {
    expect(formatWib(new Date("2026-12-31T17:00:00.999Z"))).toBe("2027-01-01 00:00:00");
  });

  test.each([
    ["2026-11-21 07:00:00", "2026-11-21T00:00:00.000Z"],
    ["2025-01-09T06:02:03.000000Z", "2025-01-09T06:02:03.000Z"],
    ["2025-01-09T06:02:03.123456Z", "2025-01-09T06:02:03.123Z"],
    ["2025-01-09T06:02:03+07:00", "2025-01-08T23:02:03.000Z"],
  ])("%s is %s", (text, iso) => {
    expect(parseWib(text)?.toISOString()).toBe(iso);
  });

  test.each([
    "",
    "2026-02-31 00:00:00",
    "2026-13-01 00:00:00",
    "21-11-2026",
    "now",
    "2026-11-21 25:00:00",
    null,
    undefined,
  ])("%j is no time", (text) => {
    expect(parseWib(text)).toBeNull();
  });

  test("what is written is read back", () => {
    const at = new Date("2026-11-21T04:49:12Z");
    expect(parseWib(formatWib(at))).toEqual(at);
  });
});

describe("whole rupiah", () => {
  test.each([
    ["10000.00", 10_000],
    ["12000", 12_000],
    ["0.00", 0],
    [64_000, 64_000],
    ["999999999999999.00", 999_999_999_999_999],
  ])("%j is %i", (value, amount) => {
    expect(wholeIdr.parse(value)).toBe(amount);
  });

  test.each([
    "10000.50",
    "10000.01",
    "-1.00",
    -1,
    "1e3",
    "10,000.00",
    "",
    " 1",
    0.5,
    null,
    true,
    "1234567890123456",
  ])("%j is refused", (value) => {
    expect(wholeIdr.safeParse(value).success).toBe(false);
  });
});
