import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testPng } from "../testing/images.ts";
import { press } from "../testing/market.ts";
import { appKey, type Lazada, type Seller, startLazada } from "./testing.ts";

const callback = "https://shop.example/kembali?platform=lazada";
let lazada: Lazada;
let seller: Seller;
let now = Date.parse("2026-11-21T12:00:00+07:00");

beforeAll(async () => {
  lazada = await startLazada({ clock: () => now, redirectUrl: callback });
  seller = await lazada.seller();
});
afterAll(() => lazada.stop());

const tree = (as: Seller, change: Record<string, string> = {}) =>
  lazada.ask("GET", "/products/get", { seller: as, with: { filter: "all" }, change });

describe("authorisation", () => {
  const link = (redirect: string) =>
    `${lazada.url}/oauth/authorize?${new URLSearchParams({ response_type: "code", force_auth: "true", client_id: appKey, redirect_uri: redirect, state: "s1" })}`;

  it("returns to the app's own callback with a code that buys tokens once", async () => {
    const answer = await press(link(callback), "Hubungkan toko baru");
    const back = new URL(answer.headers.get("location") ?? "");
    expect(back.searchParams.get("state")).toBe("s1");
    const code = back.searchParams.get("code") ?? "";
    const first = await lazada.ask("POST", "/auth/token/create", { with: { code } });
    expect(first.body).toMatchObject({
      code: "0",
      expires_in: 864_000,
      refresh_expires_in: 4_320_000,
      country_user_info: [{ country: "id", seller_id: expect.any(String) }],
    });
    const second = await lazada.ask("POST", "/auth/token/create", { with: { code } });
    expect(second.body.code).toBe("InvalidCode");
  });

  it("refuses a callback that differs by one character", async () => {
    expect((await fetch(link(`${callback}/`))).status).toBe(400);
  });

  it("gives a new access token on refresh without lengthening the refresh token's life", async () => {
    const mine = await lazada.seller();
    const refresh = () =>
      lazada.ask("POST", "/auth/token/refresh", { with: { refresh_token: mine.refreshToken } });
    now += 40 * 86_400_000;
    const { body } = await refresh();
    expect(body).toMatchObject({
      code: "0",
      refresh_expires_in: 864_000,
      refresh_token: mine.refreshToken,
    });
    expect(body.country_user_info_list[0].seller_id).toBe(mine.shopId);
    now += 10 * 86_400_000;
    expect((await refresh()).body.code).toBe("IllegalRefreshToken");
    seller = await lazada.seller();
  });

  it("ends when the seller revokes it, and by hand", async () => {
    const mine = await lazada.seller();
    await lazada.hand(`expire/${mine.shopId}`);
    expect((await tree(mine)).body.code).toBe("IllegalAccessToken");
    const other = await lazada.seller();
    await lazada.hand(`revoke/${other.shopId}`);
    expect((await tree(other)).body.code).toBe("IllegalAccessToken");
  });
});

describe("a call is refused under HTTP 200", () => {
  const cases: [string, string, Record<string, string>][] = [
    ["without app key", "MissingParameter", { app_key: "" }],
    ["without signature", "MissingParameter", { sign: "" }],
    ["with a value changed after signing", "IncompleteSignature", { filter: "live" }],
    ["with a lower-case signature", "IncompleteSignature", { sign: "lower" }],
    ["with another method", "InvalidSignMethod", { sign_method: "md5" }],
    ["with a timestamp of three hours ago", "IllegalTimestamp", { timestamp: "old" }],
    ["with a token changed after signing", "IncompleteSignature", { access_token: "x" }],
  ];
  it.each(cases)("%s", async (_name, code, change) => {
    const spoilt = { ...change };
    if (change.timestamp) spoilt.timestamp = String(now - 3 * 3_600_000);
    if (change.sign === "lower") spoilt.sign = "ab".repeat(32);
    const answer = await tree(seller, spoilt);
    expect(answer).toMatchObject({ status: 200, body: { code, type: "ISV" } });
  });
});

it("refuses a token that nobody was given, however well it is signed", async () => {
  const stranger = { ...seller, token: "0".repeat(32) };
  expect((await tree(stranger)).body.code).toBe("IllegalAccessToken");
});

describe("a product is refused", () => {
  const cases: [string, string, string, Record<string, unknown>, Record<string, unknown>][] = [
    ["in no category", "201", "", { PrimaryCategory: 0 }, {}],
    ["in a category that is no leaf", "4134", "", { PrimaryCategory: "10002001" }, {}],
    [
      "with images from elsewhere",
      "4138",
      "Images",
      { Images: { Image: ["https://x.example/a.png"] } },
      {},
    ],
    ["without images", "4139", "", { Images: {} }, {}],
    ["with a list that is none", "5", "", { Skus: { Sku: {} } }, {}],
    [
      "with another's brand",
      "4142",
      "brand",
      { Attributes: { name: "a", description: "b", brand: "Entah", coffee_type: "Robusta" } },
      {},
    ],
    [
      "without what the category wants",
      "500",
      "coffee_type",
      { Attributes: { name: "a", description: "b", brand: "No Brand" } },
      {},
    ],
    ["without SKU", "500", "SellerSku", {}, { SellerSku: "" }],
    ["with sen", "500", "price", {}, { price: "10.5" }],
    ["without size", "500", "package_length", {}, { package_length: undefined }],
    ["with three decimals of weight", "500", "package_weight", {}, { package_weight: "0.305" }],
  ];
  it.each(cases)("%s", async (_name, code, field, change, sku) => {
    const payload = await lazada.product(seller, change, sku);
    const { body } = await lazada.ask("POST", "/product/create", { seller, with: { payload } });
    expect(body.code).toBe(code);
    if (field) expect(body.detail[0].field).toBe(field);
  });

  it("when the payload is neither JSON nor XML", async () => {
    const answer = await lazada.ask("POST", "/product/create", { seller, with: { payload: "{" } });
    expect(answer.body.code).toBe("1001");
  });

  it("when its SKU is there already", async () => {
    await lazada.create(seller, "TWICE");
    const payload = await lazada.product(seller, {}, { SellerSku: "TWICE" });
    const { body } = await lazada.ask("POST", "/product/create", { seller, with: { payload } });
    expect(body.code).toBe("4105");
  });
});

describe("an image", () => {
  it.each([
    ["too small", testPng(300, 600), "303"],
    ["no picture", Buffer.from("%PDF-1.7 not a picture"), "302"],
  ])("that is %s is refused", async (_name, bytes, code) => {
    expect((await lazada.upload(seller, bytes)).body.code).toBe(code);
  });

  it("is fetched from where it lies, when that can be done", async () => {
    const payload = (url: string) => `<Request><Image><Url>${url}</Url></Image></Request>`;
    const ask = (url: string) =>
      lazada.ask("POST", "/image/migrate", { seller, with: { payload: payload(url) } });
    expect((await ask(`${lazada.url}/_health`)).body.code).toBe("302");
    expect((await ask("http://127.0.0.1:9/nothing.png")).body.code).toBe("301");
  });
});

it("tells the category tree, its attributes and a suggestion", async () => {
  const { body } = await lazada.ask("GET", "/category/tree/get", {});
  expect(body.data[0].children[0].children[0]).toMatchObject({
    category_id: 10_002_003,
    leaf: true,
  });
  const attributes = await lazada.ask("GET", "/category/attributes/get", {
    with: { primary_category_id: "10002003" },
  });
  const coffee = attributes.body.data.find((one: { name: string }) => one.name === "coffee_type");
  expect(coffee).toMatchObject({
    is_mandatory: 1,
    options: [{ name: "Arabika" }, { name: "Robusta" }, { name: "Campuran" }],
  });
  const suggestion = await lazada.ask("GET", "/product/category/suggestion/get", {
    seller,
    with: { product_name: "Kopi Robusta" },
  });
  expect(suggestion.body.data.categorySuggestions[0].categoryId).toBe(10_002_003);
});
