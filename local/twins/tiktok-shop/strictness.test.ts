import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testPng } from "../testing/images.ts";
import { press } from "../testing/market.ts";
import { type Seller, serviceId, startTiktok, type Tiktok, warehouseId } from "./testing.ts";

let tiktok: Tiktok;
let seller: Seller;
let now = Date.parse("2026-11-21T12:00:00+07:00");

beforeAll(async () => {
  tiktok = await startTiktok({ clock: () => now, redirectUrl: "https://shop.example/kembali" });
  seller = await tiktok.seller();
});
afterAll(() => tiktok.stop());

const warehouses = (input: Partial<Parameters<Tiktok["ask"]>[2]> = {}) =>
  tiktok.ask("GET", "/logistics/202309/warehouses", { seller, ...input });

describe("authorisation", () => {
  it("returns to the registered address with a code that buys tokens once", async () => {
    const link = `${tiktok.url}/open/authorize?service_id=${serviceId}&state=s1&redirect_uri=https://evil.example`;
    const answer = await press(link, "Hubungkan toko baru");
    const back = new URL(answer.headers.get("location") ?? "");
    expect(back.origin + back.pathname).toBe("https://shop.example/kembali");
    expect(back.searchParams.get("state")).toBe("s1");
    const query = { auth_code: back.searchParams.get("code") ?? "", grant_type: "authorized_code" };
    const first = await tiktok.token(query);
    expect(first.body).toMatchObject({ code: 0, data: { user_type: 0, seller_base_region: "ID" } });
    expect((await tiktok.token(query)).body.code).not.toBe(0);
  });

  it("tells when tokens end as a moment, and takes the words of the grant to the letter", async () => {
    const { body } = await tiktok.hand("authorise");
    const wrong = await tiktok.token({ auth_code: body.code, grant_type: "authorization_code" });
    expect(wrong.body.code).not.toBe(0);
    const right = await tiktok.token({ auth_code: body.code, grant_type: "authorized_code" });
    expect(right.body.data.access_token_expire_in).toBe(Math.floor(now / 1000) + 7 * 86_400);
  });

  it("gives a new pair for a refresh token, which works once", async () => {
    const mine = await tiktok.seller();
    const query = { refresh_token: mine.refreshToken, grant_type: "refresh_token" };
    const first = await tiktok.token(query, "refresh");
    expect(first.body.data.refresh_token).not.toBe(mine.refreshToken);
    expect((await tiktok.token(query, "refresh")).body.message).toContain("used");
  });

  it("ends by time and by the seller's hand", async () => {
    const mine = await tiktok.seller();
    now += 7 * 86_400_000;
    expect((await warehouses({ seller: mine })).body.code).toBe(105_002);
    seller = await tiktok.seller();
    const other = await tiktok.seller();
    await tiktok.hand(`revoke/${other.shopId}`);
    expect((await warehouses({ seller: other })).body.code).toBe(101_000);
  });
});

describe("a call is refused", () => {
  it("with a wrong signature, by HTTP 401", async () => {
    const answer = await warehouses({ change: { sign: "0".repeat(64) } });
    expect(answer).toMatchObject({ status: 401, body: { code: 106_001 } });
  });

  it.each([
    ["six minutes late", -360],
    ["a minute early", 60],
  ])("%s", async (_name, seconds) => {
    const timestamp = String(Math.floor(now / 1000) + seconds);
    const answer = await warehouses({ change: { timestamp } });
    expect(answer.body).toMatchObject({ code: 36_009_004, message: "Invalid timestamp" });
  });

  it("without the shop's cipher, with another shop's, and with one that is too much", async () => {
    expect((await warehouses({ cipher: null })).body.code).toBe(106_013);
    const other = await tiktok.seller();
    expect((await warehouses({ cipher: other.cipher })).body.code).toBe(101_000);
    const much = await tiktok.ask("GET", "/authorization/202309/shops", { seller });
    expect(much.body).toMatchObject({
      code: 36_009_004,
      message: expect.stringContaining("superfluous"),
    });
  });

  it("with its token in the query, or none", async () => {
    expect((await warehouses({ headers: { "x-tts-access-token": "" } })).status).toBe(401);
    const query = { access_token: seller.token };
    expect((await warehouses({ query })).body.message).toContain("header");
  });

  it("when its body is not the signed one", async () => {
    const path = "/product/202502/products/search";
    const query = { page_size: "10" };
    const good = await tiktok.ask("POST", path, { seller, query, body: { seller_skus: ["A"] } });
    expect(good.body.code).toBe(0);
    const answer = await tiktok.ask("POST", path, {
      seller,
      query,
      body: {},
      change: { page_size: "11" },
    });
    expect(answer.body.code).toBe(106_001);
  });
});

describe("a product is refused", () => {
  const sku = {
    seller_sku: "S",
    price: { amount: "45000", currency: "IDR" },
    inventory: [{ warehouse_id: warehouseId, quantity: 1 }],
  };
  const cases: [string, number, string, Record<string, unknown>][] = [
    ["with a title of 24 characters", 12_052_001, "title", { title: "a".repeat(24) }],
    ["without description", 12_052_001, "description", { description: undefined }],
    ["in a category that is no leaf", 12_052_024, "leaf", { category_id: "600001" }],
    ["with the old category tree", 12_052_001, "category_version", { category_version: "v1" }],
    ["with a category id as a number", 12_052_001, "category", { category_id: 600_003 }],
    [
      "with an image that was not uploaded",
      12_052_001,
      "main_images",
      { main_images: [{ uri: "x" }] },
    ],
    ["without the category's attribute", 12_052_001, "Jenis Kopi", { product_attributes: [] }],
    [
      "with a weight in grams",
      12_052_001,
      "unit",
      { package_weight: { value: "300", unit: "GRAM" } },
    ],
    [
      "with a price as a number",
      12_052_001,
      "amount",
      { skus: [{ ...sku, price: { amount: 45_000, currency: "IDR" } }] },
    ],
    [
      "under a hundred rupiah",
      12_052_001,
      "amount",
      { skus: [{ ...sku, price: { amount: "99", currency: "IDR" } }] },
    ],
    [
      "with an unknown warehouse",
      12_019_022,
      "warehouse",
      { skus: [{ ...sku, inventory: [{ warehouse_id: "1", quantity: 1 }] }] },
    ],
    ["on an unknown platform", 12_052_001, "BUKALAPAK", { listing_platforms: ["BUKALAPAK"] }],
    [
      "where one of its platforms has not the category",
      12_052_001,
      "TIKTOK_SHOP",
      { category_id: "600020", listing_platforms: ["TIKTOK_SHOP", "TOKOPEDIA"] },
    ],
  ];
  it.each(cases)("%s", async (_name, code, words, change) => {
    const body = await tiktok.product(seller, change);
    const answer = await tiktok.ask("POST", "/product/202309/products", { seller, body });
    expect(answer.body.code).toBe(code);
    expect(answer.body.message).toContain(words);
  });
});

it.each([
  ["too small", testPng(299, 600), "MAIN_IMAGE", "300"],
  ["no picture", Buffer.from("<svg></svg>"), "MAIN_IMAGE", "neither"],
  ["for an unknown use", testPng(), "BANNER", "use_case"],
])("refuses an image that is %s", async (_name, bytes, useCase, words) => {
  const { body } = await tiktok.upload(seller, bytes, useCase);
  expect(body.code).not.toBe(0);
  expect(body.message).toContain(words);
});

it("tells categories, rules, attributes and a recommendation for Indonesia's tree alone", async () => {
  const ask = (path: string, query: Record<string, string> = { category_version: "v2" }) =>
    tiktok.ask("GET", `/product/202309/${path}`, { seller, query });
  expect((await ask("categories", {})).body.code).not.toBe(0);
  const { categories } = (await ask("categories")).body.data;
  expect(categories).toContainEqual(
    expect.objectContaining({ id: "600003", parent_id: "600002", is_leaf: true }),
  );
  const { attributes } = (await ask("categories/600003/attributes")).body.data;
  expect(attributes[0]).toMatchObject({
    id: "200",
    is_requried: true,
    values: [{ id: "201" }, { id: "202" }, { id: "203" }],
  });
  expect((await ask("categories/600001/rules")).body.code).toBe(12_052_024);
  const body = { product_title: "Kopi Robusta", category_version: "v2" };
  const path = "/product/202309/categories/recommend";
  const best = await tiktok.ask("POST", path, { seller, body });
  expect(best.body.data.leaf_category_id).toBe("600003");
});
