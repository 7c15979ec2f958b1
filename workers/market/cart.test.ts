import { describe, expect, it } from "vitest";
import { summarise } from "./cart.ts";
import type { CartRow } from "./schemas/cart.ts";

const kopi = { id: "s1", name: "Kopi", slug: "kopi" };
const teh = { id: "s2", name: "Teh", slug: "teh" };

const line = (changes: Partial<CartRow> = {}): CartRow => ({
  product_id: "p1",
  quantity: 2,
  seen_price: 10_000,
  name: "Kopi Hitam",
  price: 10_000,
  stock: 5,
  weight_gram: 250,
  image_url: null,
  on_sale: true,
  store: kopi,
  ...changes,
});

describe("a cart's sums", () => {
  it("count what can be ordered, per store and in all", () => {
    const cart = summarise([
      line(),
      line({ product_id: "p2", quantity: 9 }),
      line({ product_id: "p3", store: teh, quantity: 1, price: 5_000, seen_price: 5_000 }),
    ]);
    expect(cart.subtotal).toBe(25_000);
    expect(cart.count).toBe(3);
    expect(cart.stores).toEqual([
      { ...kopi, subtotal: 20_000, weight_gram: 500, product_ids: ["p1", "p2"] },
      { ...teh, subtotal: 5_000, weight_gram: 250, product_ids: ["p3"] },
    ]);
  });

  it("of an empty cart are zero", () => {
    expect(summarise([])).toEqual({ items: [], stores: [], subtotal: 0, count: 0 });
  });
});

describe("a cart's line tells the buyer", () => {
  const told = (changes: Partial<CartRow>) => {
    const [item] = summarise([line(changes)]).items;
    return [item?.available, item?.message];
  };

  it("nothing while all is as it was", () => {
    expect(told({})).toEqual([true, null]);
  });

  it("that the product is gone, sold out or nearly so", () => {
    expect(told({ on_sale: false })).toEqual([false, "Produk sudah tidak dijual"]);
    expect(told({ stock: 0 })).toEqual([false, "Stok habis"]);
    expect(told({ stock: 1 })).toEqual([false, "Stok tersisa 1"]);
  });

  it("that the price has changed, and from what", () => {
    expect(told({ price: 1_250_000 })).toEqual([
      true,
      "Harga berubah dari Rp10.000 menjadi Rp1.250.000",
    ]);
  });

  it("no stock of a product that is not sold any more", () => {
    expect(summarise([line({ on_sale: false })]).items[0]?.stock).toBe(0);
  });
});
