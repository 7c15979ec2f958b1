import { describe, expect, it } from "vitest";
import { z } from "zod";
import { pagingQuery } from "../../../shared/http/answers.ts";
import { NewProduct, ProductQuery } from "./products.ts";
import { NewPromo } from "./promos.ts";
import { StoreChanges } from "./stores.ts";

const product = { name: "Kopi", price: 10_000 };

describe("a new product", () => {
  it("is a draft without stock unless said otherwise", () => {
    expect(NewProduct.parse(product)).toEqual({
      ...product,
      description: null,
      stock: 0,
      weight_gram: 0,
      category_id: null,
      status: "draft",
      images: [],
    });
  });

  it("takes only what a seller may say", () => {
    const given = { ...product, is_featured: true, store_id: "x", reserved: 5, id: "y" };
    expect(Object.keys(NewProduct.parse(given))).not.toEqual(
      expect.arrayContaining(["is_featured"]),
    );
    expect(NewProduct.parse(given)).not.toHaveProperty("store_id");
  });

  it("refuses amounts that are no whole rupiah", () => {
    for (const price of [0, -1, 1.5, "1000", Number.NaN, 1e300, null]) {
      expect(NewProduct.safeParse({ ...product, price }).success, String(price)).toBe(false);
    }
  });

  it("keeps HTML and SQL as text and refuses what Postgres cannot hold", () => {
    const name = "<script>alert(1)</script>'; drop table users; --";
    expect(NewProduct.parse({ ...product, name }).name).toBe(name);
    expect(NewProduct.safeParse({ ...product, name: "Ko\u0000pi" }).success).toBe(false);
    expect(NewProduct.safeParse({ ...product, name: "Kopi \ud800" }).success).toBe(false);
  });
});

describe("a product search", () => {
  it("forgives paging that is no number", () => {
    const paging = z.object(pagingQuery);
    for (const value of ["NaN", "", "-3", "0", "abc", "1e999"]) {
      expect(paging.parse({ page: value, limit: value })).toEqual({ page: 1, limit: 20 });
    }
    expect(paging.parse({ page: "2", limit: "5000" })).toEqual({ page: 2, limit: 100 });
  });

  it("takes an empty filter for none and refuses a wrong one", () => {
    const empty = { category_id: "", price_min: "", price_max: "", q: "" };
    expect(ProductQuery.parse(empty)).toMatchObject({ page: 1, q: [] });
    expect(ProductQuery.safeParse({ price_min: "abc" }).success).toBe(false);
    expect(ProductQuery.safeParse({ category_id: "1 or 1=1" }).success).toBe(false);
    expect(ProductQuery.parse({ price_max: "1e300" }).price_max).toBe(Number.MAX_SAFE_INTEGER);
  });

  it("looks for at most eight words and no control characters", () => {
    expect(ProductQuery.parse({ q: " kopi\u0000hitam  enak " }).q).toEqual([
      "kopi",
      "hitam",
      "enak",
    ]);
    expect(ProductQuery.parse({ q: "a ".repeat(50) }).q).toHaveLength(8);
  });
});

describe("a promo code", () => {
  const promo = {
    code: "hemat10",
    type: "percentage",
    value: 10,
    starts_at: "2026-11-01",
    ends_at: "2026-11-30",
  };

  it("is in capitals, its days are those of Jakarta", () => {
    expect(NewPromo.parse(promo)).toMatchObject({
      code: "HEMAT10",
      starts_at: "2026-10-31T17:00:00.000Z",
      ends_at: "2026-11-30T16:59:59.999Z",
    });
    expect(NewPromo.parse({ ...promo, ends_at: "2026-11-30T10:00" }).ends_at).toBe(
      "2026-11-30T03:00:00.000Z",
    );
  });

  it("is understood in the shipped dashboard's words", () => {
    const old = {
      code: "lama",
      discount_percent: 5,
      min_order_amount: 20_000,
      valid_until: "2026-12-31",
    };
    expect(NewPromo.parse(old)).toMatchObject({
      type: "percentage",
      value: 5,
      min_purchase: 20_000,
    });
  });

  it("has a sane date, code and use", () => {
    const wrong = [
      { ends_at: "besok" },
      { ends_at: "2026-13-45" },
      { ends_at: "9999-01-01" },
      { code: "a b" },
      { code: "ab" },
      { value: 0 },
      { max_uses: 0 },
      { min_purchase: -1 },
      { type: "gratis" },
    ];
    for (const change of wrong) {
      expect(NewPromo.safeParse({ ...promo, ...change }).success, JSON.stringify(change)).toBe(
        false,
      );
    }
  });
});

describe("a store's fields", () => {
  it("know couriers by any of their names, once", () => {
    const { shipping_couriers } = StoreChanges.parse({ shipping_couriers: ["JNE", "pos", "jne"] });
    expect(shipping_couriers).toEqual(["jne", "posindonesia"]);
    expect(StoreChanges.safeParse({ shipping_couriers: ["burung"] }).success).toBe(false);
  });

  it("never hold a link that runs", () => {
    for (const google_maps_url of [
      "javascript:alert(1)",
      "https://evil.example/google.com",
      "data:,",
    ]) {
      expect(StoreChanges.safeParse({ google_maps_url }).success).toBe(false);
    }
    expect(StoreChanges.safeParse({ google_maps_url: "https://maps.app.goo.gl/abc" }).success).toBe(
      true,
    );
  });

  it("are cleared by null or an empty text", () => {
    expect(StoreChanges.parse({ description: "", phone: null, instagram_handle: "" })).toEqual({
      description: null,
      phone: null,
      instagram_handle: null,
    });
  });

  it("write one phone number one way", () => {
    for (const phone of ["+62 812-3456-7890", "6281234567890", "081234567890"]) {
      expect(StoreChanges.parse({ phone }).phone).toBe("081234567890");
    }
    expect(StoreChanges.safeParse({ phone: "12345" }).success).toBe(false);
  });
});
