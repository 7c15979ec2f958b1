import { describe, expect, it } from "vitest";
import type { SupplierOrder } from "../../../shared/providers/vip-reseller.ts";
import { compare, NOTHING, type OurOrder, seenAs, together } from "./compare.ts";

const ours: OurOrder = {
  id: "1",
  number: "PRE-1",
  family: "prepaid",
  trxid: "VP1",
  state: "success",
  charged: 2_000,
  quoted: 2_000,
  target: "081234567890",
  targetKind: "phone",
};

const told = (target: string, priceIdr = 2_000, order = ours) => {
  const their: SupplierOrder = {
    trxid: "VP1",
    family: "prepaid",
    target,
    zone: null,
    service: "Pulsa",
    code: null,
    status: "success",
    statusText: "success",
    note: "",
    priceIdr,
    quantity: null,
    remain: null,
    startCount: null,
    balanceAfterIdr: null,
  };
  return compare([order], new Map([["VP1", seenAs(order, their)]]));
};

describe("our order beside the supplier's", () => {
  it.each(["081234567890", "6281234567890", "+62 812-3456-7890"])(
    "is the same one for %s, however the number is written",
    (target) => {
      expect(told(target)).toMatchObject({ matched: 1, missingThere: [] });
    },
  );

  it("is missing there when its purchase is for another number", () => {
    expect(told("081234567891")).toMatchObject({ matched: 0, missingThere: [{ trxid: "VP1" }] });
  });

  it.each([
    [2_000, 2_000, 0],
    // Booked as the supplier said, so only the quotation tells.
    [1, 1, 1],
    [2_500, 2_500, 1],
    [2_500, 2_000, 1],
  ])("at %i there and %i in our books differs from what was quoted: %i", (theirs, charged, n) => {
    const { priceDifferences } = told(ours.target, theirs, { ...ours, charged });
    expect(priceDifferences).toHaveLength(n);
    for (const difference of priceDifferences) {
      expect(difference).toMatchObject({ quoted: 2_000, ours: charged, theirs });
    }
  });
});

describe("the portions of a long day", () => {
  it("count all of their orders, and tell the first of very many differences", () => {
    const many = compare(
      Array.from({ length: 400 }, () => ours),
      new Map([["VP1", null]]),
    );
    const all = [many, many, many].reduce(together, NOTHING);
    expect([all.orders, all.matched, all.missingThere.length]).toEqual([1_200, 0, 500]);
  });
});
