import { describe, expect, it } from "vitest";
import { normalisePhone } from "./phone.ts";

describe("a phone number", () => {
  it.each([
    "081234567890",
    "81234567890",
    "6281234567890",
    "+6281234567890",
    "+62 081234567890",
    "+62 0081234567890",
    "+081234567890",
    "+00 62 81234567890",
    "006281234567890",
    " 0812-3456-7890 ",
    "(0812) 3456.7890",
    "\u202a+62 812\u20113456\u20117890\u202c",
  ])("is the same number when %j is typed", (typed) => {
    expect(normalisePhone(typed)).toBe("081234567890");
  });

  it.each([
    ["+65 9123 4567", "+6591234567"],
    ["0065 9123 4567", "+6591234567"],
    ["0342-801234", "0342801234"],
    ["0800", "0800"],
    ["8123", "8123"],
  ])("of another country or kind keeps its own digits: %j", (typed, kept) => {
    expect(normalisePhone(typed)).toBe(kept);
  });

  it.each(["kopi-kelud", "' or 1=1 --", "", "+", "08-x"])("is not made of %j", (typed) => {
    expect(normalisePhone(typed)).toBe(typed);
  });
});
