import { describe, expect, it } from "vitest";
import { createProduct, createUser, unique } from "../../testing/factories.ts";
import { createShop } from "../testing/catalogue.ts";
import { agreedTalkOf, done, talkOf } from "./testing/proposals.ts";
import { actionsOf, ask, rowOf, script } from "./testing/talk.ts";

const long = (words: string, most: number) => `${words} ${"kata ".repeat(most)}akhir.`;
const period = { starts_at: "2026-12-01", ends_at: "2026-12-31" };

describe("what a user is asked to confirm", () => {
  it("stands there whole, however long: names, descriptions, captions, addresses", async () => {
    const name = long("Kopi", 20);
    const description = long("Disangrai", 400);
    const caption = long("Panen", 300);
    const address = long("Jl. Merdeka", 60);
    const { text } = await talkOf(({ id }) => [
      ["update_product", { product_id: id, description }],
      ["create_product", { name, price: 9_000, stock: 2, description }],
      ["draft_instagram_post", { caption }],
      ["update_store_info", { description, address }],
    ]);
    expect(text.split(description)).toHaveLength(4);
    for (const words of [name, caption, address]) expect(text).toContain(words);
  });

  it("names every field of it", async () => {
    const code = unique("P").slice(0, 12).toUpperCase();
    const { text, product } = await talkOf(({ id }) => [
      [
        "create_product",
        { name: "Teh", price: 9_000, stock: 2, weight_gram: 250, status: "active" },
      ],
      [
        "create_promo",
        { ...period, code, type: "fixed", value: 5_000, min_purchase: 90_000, max_uses: 7 },
      ],
      ["draft_instagram_post", { product_id: id, caption: "Segar" }],
      ["sync_to_marketplace", { platform: "shopee", product_ids: [id] }],
      [
        "enhance_product_photo",
        { product_id: id, image_url: "http://localhost:8787/uploads/x.jpg" },
      ],
    ]);
    const parts = [
      "Buat produk “Teh”: harga Rp 9.000, stok 2, berat (gram) 250, status active",
      `Buat promo ${code}: potongan Rp 5.000, belanja minimal Rp 90.000, paling banyak 7 kali, berlaku 1 Des 2026 00.00 WIB sampai 31 Des 2026 23.59 WIB`,
      `posting Instagram tentang produk “${product.name}”: “Segar”`,
      `Sinkronkan produk “${product.name}” ke shopee`,
      "Perbaiki foto “http://localhost:8787/uploads/x.jpg” dari produk",
    ];
    for (const part of parts) expect(text).toContain(part);
  });

  it("tells products apart whose names begin alike", async () => {
    const name = "Kopi Robusta Kelud sangrai sedang kemasan kertas seribu gram isi ";
    const { text } = await talkOf(({ id }) => [["delete_product", { product_id: id }]], {
      name: `${name}dua`,
    });
    expect(text).toContain(`Hapus produk “${name}dua”`);
  });

  it("tells an admin whose it is: names of products and stores are anybody's", async () => {
    const admin = await createUser(["admin"]);
    const { store } = await createShop();
    const { id, name } = await createProduct(store);
    const match = await script([
      {
        blocks: [
          { tool: "feature_product", input: { product_id: id, featured: true } },
          { tool: "feature_store", input: { store_id: store.id, featured: true } },
        ],
      },
      done,
    ]);
    const { text, sessionId } = await ask(admin, match);
    expect(text).toContain(`Sorot produk “${name}” dari toko “${store.slug}” di halaman depan`);
    expect(text).toContain(`(“${store.slug}”) di halaman depan`);
    expect((await ask(admin, "konfirmasi semua", sessionId)).text.split("✅")).toHaveLength(3);
  });

  it("is what is done", async () => {
    const description = long("Disangrai", 400);
    const { seller, product } = await agreedTalkOf(({ id }) => [
      ["update_product", { product_id: id, description }],
    ]);
    expect(await actionsOf(seller)).toHaveLength(1);
    expect(await rowOf("market_products", product.id)).toMatchObject({ description });
  });
});
