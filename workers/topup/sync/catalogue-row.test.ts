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

describe("what a customer names as the target of a prepaid service", () => {
  it.each<[string, string, string]>([
    ["TELKOMSEL", "pulsa-reguler", "phone"],
    ["INDOSAT", "paket-internet", "phone"],
    ["XL", "masa-aktif", "phone"],
    ["DANA", "saldo-emoney", "phone"],
    ["PLN", "token-pln", "pln_meter"],
    ["MANDIRI E-TOLL", "saldo-emoney", "customer_number"],
    ["TAPCASH BNI", "saldo-emoney", "customer_number"],
    ["BRIZZI", "saldo-emoney", "customer_number"],
    ["K-VISION", "paket-tv", "customer_number"],
    ["TELKOMSEL", "voucher-internet", "customer_number"],
    ["MAXIS", "pulsa-internasional", "customer_number"],
    ["GARENA", "game", "customer_number"],
  ])("%s %s: %s", (brand, type, kind) => {
    expect(row({ brand, type, category: "" })).toMatchObject({ target_kind: kind });
  });
});

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
