import { describe, expect, it } from "vitest";
import type { SupplierService } from "../../../shared/providers/vip-reseller.ts";
import { catalogueRow } from "./catalogue-row.ts";

const row = (changes: Partial<SupplierService>) =>
  catalogueRow(
    {
      family: "prepaid",
      code: "PLN1",
      name: "PLN 50.000",
      brand: "PLN",
      category: "Token PLN",
      type: "token-pln",
      note: "",
      priceIdr: { basic: 50_000, premium: 50_000, special: 50_000 },
      min: null,
      max: null,
      status: "available",
      server: null,
      multiTrx: null,
      maintenance: null,
      ...changes,
    },
    "basic",
  );

describe("a bill that is paid afterwards", () => {
  it.each<Partial<SupplierService>>([
    { name: "PLN PASCABAYAR" },
    { name: "Telkomsel Halo Pasca Bayar" },
    { category: "Postpaid" },
    { type: "tagihan-pdam" },
  ])("(%j) comes in switched off, as its price is not known before", (changes) => {
    expect(row(changes)).toMatchObject({ sellable: false });
  });

  it("is told from what is paid before", () => {
    expect(row({})).toMatchObject({ sellable: true });
  });
});
