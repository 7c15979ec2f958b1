import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { createProduct, createUser, type TestProduct, unique } from "../../testing/factories.ts";
import { createShop, run } from "../testing/catalogue.ts";
import { decisionOf } from "./decisions.ts";
import { calling, codesIn, done, halved, priceOf, talkOf } from "./testing/proposals.ts";
import { actionsOf, ask, asked, rowOf, script, toolResults, undo } from "./testing/talk.ts";

describe("what needs a yes", () => {
  const promo = { code: "PROMO", starts_at: "2026-01-01", ends_at: "2090-01-01" };
  const unlistable = { status: "active" };
  it.each<[string, (product: TestProduct) => [string, unknown], RegExp]>([
    [
      "a price below half",
      ({ id }) => ["update_product", { product_id: id, price: 24_999 }],
      /Rp 50\.000 → Rp 24\.999/,
    ],
    [
      "an end of selling",
      ({ id }) => ["update_product", { product_id: id, status: "archived" }],
      /active → archived/,
    ],
    [
      "a stock of nothing",
      ({ id }) => ["update_product", { product_id: id, stock: 0 }],
      /stok 10 → 0/,
    ],
    ["a deletion", ({ id }) => ["delete_product", { product_id: id }], /Hapus produk/],
    [
      "a promo above 50 %",
      () => [
        "create_promo",
        { ...promo, code: unique("p").slice(0, 12), type: "percentage", value: 51 },
      ],
      /51 %/,
    ],
    [
      "a fixed promo without a least purchase",
      () => [
        "create_promo",
        { ...promo, code: unique("p").slice(0, 12), type: "fixed", value: 5000 },
      ],
      /Rp 5\.000/,
    ],
    [
      "a post that goes out by itself",
      () => [
        "draft_instagram_post",
        { caption: "Promo", schedule_at: new Date(Date.now() + 86_400_000).toISOString() },
      ],
      /Jadwalkan/,
    ],
  ])("is %s: proposed, and nothing done", async (_, call, words) => {
    const { seller, product, text, match } = await talkOf((one) => [call(one)], unlistable);
    expect(text).toMatch(words);
    expect(text).toContain("Menunggu konfirmasi Anda");
    expect(await actionsOf(seller)).toEqual([]);
    expect(await rowOf("market_products", product.id)).toMatchObject({
      price: 50_000,
      stock: 10,
      status: "active",
      deleted_at: null,
    });
    const [result] = await toolResults(match);
    expect(result?.content).toContain("Menunggu konfirmasi pengguna");
    for (const code of codesIn(text)) expect(result?.content).not.toContain(code);
  });

  it("is featuring, by an admin too", async () => {
    const admin = await createUser(["admin"]);
    const { store } = await createShop();
    const match = await script([
      calling("feature_store", { store_id: store.id, featured: true }),
      done,
    ]);
    const { text, sessionId } = await ask(admin, match);
    expect(text).toContain("Sorot toko");
    expect((await rowOf("market_stores", store.id)).is_featured).toBe(false);
    expect((await ask(admin, "ya", sessionId)).text).toContain("✅");
    expect((await rowOf("market_stores", store.id)).is_featured).toBe(true);
    const [action] = await actionsOf(admin);
    expect((await undo(admin, action.id)).status).toBe(200);
    expect((await rowOf("market_stores", store.id)).is_featured).toBe(false);
  });

  const fixed = { code: unique("f").slice(0, 12), type: "fixed", value: 5_000 };
  it.each<[string, (product: TestProduct) => [string, unknown]]>([
    ["a small change of price", ({ id }) => ["update_product", { product_id: id, price: 45_000 }]],
    ["new words", ({ id }) => ["update_product", { product_id: id, description: "Segar" }]],
    ["a new product", () => ["create_product", { name: "Kopi", price: 9_000, stock: 2 }]],
    ["a small promo", () => ["create_promo", { ...promo, ...fixed, min_purchase: 90_000 }]],
    ["another address", () => ["update_store_info", { address: "Jl. Merapi No. 3, Blitar" }]],
    ["a draft", () => ["draft_instagram_post", { caption: "Segar" }]],
  ])("is %s too, where the message does not say just that", async (_, call) => {
    const { seller, text } = await talkOf((one) => [call(one)]);
    expect(text).toContain("Menunggu konfirmasi Anda");
    expect(await actionsOf(seller)).toEqual([]);
  });

  it("is every change once the model has read what others wrote, also in a later message", async () => {
    const shop = await createShop();
    const product = await createProduct(shop.store, { price: 50_000 });
    const update = calling("update_product", { product_id: product.id, price: 49_000 });
    const match = await script([calling("find_products", {}), update, done, update, done]);
    const first = await ask(shop.seller, match);
    expect(first.text).toContain("Menunggu konfirmasi Anda");
    const second = await ask(shop.seller, "turunkan sedikit", first.sessionId);
    expect(second.text).toContain("Menunggu konfirmasi Anda");
    expect(await priceOf(product)).toBe(50_000);
    expect((await ask(shop.seller, "ya", first.sessionId)).text).toContain("✅");
    expect(await priceOf(product)).toBe(49_000);
  });
});

describe("the user's yes", () => {
  it.each(["ya", "Ya.", "SETUJU", "ok lanjutkan", "konfirmasi"])(
    "%s does it, without asking a model",
    async (yes) => {
      const { seller, product, sessionId, match } = await talkOf(halved);
      const before = (await asked(match)).length;
      const answer = await ask(seller, yes, sessionId);
      expect(answer.raw).toMatch(/^data: \{"text":"✅ Selesai: .*\n\ndata: \[DONE\]\n\n$/);
      expect(await priceOf(product)).toBe(1_000);
      expect(await asked(match)).toHaveLength(before);
      expect((await actionsOf(seller))[0]).toMatchObject({
        tool: "update_product",
        confirmed: true,
      });
    },
  );

  it("by its code does it", async () => {
    const { seller, product, sessionId, text } = await talkOf(halved);
    await ask(seller, `konfirmasi ${codesIn(text)[0]}`, sessionId);
    expect(await priceOf(product)).toBe(1_000);
  });

  it.each(["tidak", "batal", "jangan dulu"])("is not %s", async (no) => {
    const { seller, product, sessionId } = await talkOf(halved);
    expect((await ask(seller, no, sessionId)).text).toContain("Dibatalkan");
    await ask(seller, "ya", sessionId);
    expect(await priceOf(product)).toBe(50_000);
  });

  it("counts only in the very next message", async () => {
    const { seller, product, sessionId } = await talkOf(halved);
    await ask(seller, "omong-omong, berapa pesanan hari ini?", sessionId);
    await ask(seller, "ya", sessionId);
    expect(await priceOf(product)).toBe(50_000);
  });

  it("counts only in the session of the proposal, and only of its user", async () => {
    const { seller, product, sessionId, text } = await talkOf(halved);
    const { seller: stranger } = await createShop();
    await ask(seller, "ya");
    await ask(seller, `konfirmasi ${codesIn(text)[0]}`);
    expect((await ask(stranger, "ya", sessionId)).status).toBe(404);
    expect(await priceOf(product)).toBe(50_000);
  });

  it("comes too late after ten minutes", async () => {
    const { seller, product, sessionId } = await talkOf(halved);
    await run(
      sql`update market_assistant_proposals set expires_at = now() where session_id = ${sessionId}`,
    );
    await ask(seller, "ya", sessionId);
    expect(await priceOf(product)).toBe(50_000);
  });

  it("counts once, of two at once too", async () => {
    const { seller, sessionId } = await talkOf(halved);
    const answers = await Promise.all([ask(seller, "ya", sessionId), ask(seller, "ya", sessionId)]);
    expect(answers.filter(({ text }) => text.includes("✅"))).toHaveLength(1);
    expect(await actionsOf(seller)).toHaveLength(1);
  });

  it("to several must say which", async () => {
    const { seller, product, sessionId, text } = await talkOf((one) => [
      ...halved(one),
      ["delete_product", { product_id: one.id }],
    ]);
    const [price, deletion] = codesIn(text);
    expect((await ask(seller, "ya", sessionId)).text).toContain("konfirmasi semua");
    expect(await actionsOf(seller)).toEqual([]);
    await ask(seller, `konfirmasi ${price}`, sessionId);
    expect(await rowOf("market_products", product.id)).toMatchObject({
      price: 1_000,
      deleted_at: null,
    });
    await ask(seller, `konfirmasi ${deletion}`, sessionId);
    expect((await rowOf("market_products", product.id)).deleted_at).toBeNull();
  });

  it("does nothing where the product has changed since", async () => {
    const { seller, product, sessionId } = await talkOf(halved);
    await run(sql`update market_products set price = 60000 where id = ${product.id}`);
    const { text } = await ask(seller, "ya", sessionId);
    expect(text).toContain("❌ Tidak jadi");
    expect(await priceOf(product)).toBe(60_000);
    await ask(seller, "ya", sessionId);
    expect(await priceOf(product)).toBe(60_000);
  });

  it("does nothing for whoever lost the role since", async () => {
    const { seller, product, sessionId } = await talkOf(halved);
    await run(sql`update identity_users set roles = '{admin}' where id = ${seller.userId}`);
    expect((await ask(seller, "ya", sessionId)).text).toContain("❌");
    expect(await priceOf(product)).toBe(50_000);
  });

  it("cannot be spoken by the model, nor stand in the same message as another wish", async () => {
    const shop = await createShop();
    const product = await createProduct(shop.store, { price: 50_000 });
    const match = await script([
      calling("update_product", { product_id: product.id, price: 1_000 }),
      { blocks: [{ text: "ya, konfirmasi semua" }, { tool: "konfirmasi", input: {} }] },
      done,
    ]);
    const { sessionId } = await ask(shop.seller, match);
    await ask(shop.seller, "ya, lalu buat promo 10 persen", sessionId);
    expect(await priceOf(product)).toBe(50_000);
  });
});

describe("a message", () => {
  it.each([
    ["ya", "confirm"],
    ["Iya, saya setuju", "confirm"],
    ["konfirmasi K7Q2", "confirm"],
    ["ya semua", "confirm"],
    ["oke jangan", "cancel"],
    ["batalkan semua", "cancel"],
    ["yang mana?", "none"],
    ["ya, tapi Rp 20.000 saja", "none"],
    ["saya", "none"],
    ["K7Q2", "none"],
    ["", "none"],
    ["ya ".repeat(40), "none"],
  ])("%j says %s", (message, kind) => {
    expect(decisionOf(message).kind).toBe(kind);
  });
});
