import { describe, expect, it } from "vitest";
import { isStoreSlug, slugFromName, slugProblem } from "./slugs.ts";

describe("a store's slug", () => {
  it("is 3 to 63 small letters, digits and single hyphens inside", () => {
    for (const slug of ["abc", "kopi-wafero", "1toko2", "a".repeat(63)]) {
      expect(slugProblem(slug), slug).toBeNull();
    }
    const refused = [
      "",
      "ab",
      "-abc",
      "abc-",
      "a_b",
      "a.b",
      "Kopi",
      "kopi wafero",
      "köpi",
      "a".repeat(64),
    ];
    for (const slug of refused) expect(slugProblem(slug), slug).toBeTypeOf("string");
  });

  it("never looks like another name in a browser", () => {
    expect(isStoreSlug("xn--80ak6aa92e")).toBe(false);
    expect(isStoreSlug("kopi--wafero")).toBe(false);
  });

  it("is never a name of our own hosts", () => {
    const ours =
      "www api admin app assets static mail smtp ftp ns1 ns2 cdn blog help support docs status";
    for (const label of `${ours} dev test localhost toko store shop dashboard login auth pay`.split(
      " ",
    )) {
      expect(isStoreSlug(label), label).toBe(false);
    }
  });

  it("is suggested by the store's name", () => {
    expect(slugFromName("Kopi Wafero!")).toBe("kopi-wafero");
    expect(slugFromName("  Café & Röti  ")).toBe("cafe-roti");
    expect(slugFromName("***")).toBe("");
    expect(slugFromName("a".repeat(80))).toHaveLength(63);
    expect(slugFromName(`${"a".repeat(62)} b`)).toBe("a".repeat(62));
  });
});
