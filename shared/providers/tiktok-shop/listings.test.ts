import { afterEach, describe, expect, test } from "vitest";
import { marketFailureOf } from "../testing/failures.ts";
import { answer, FakeNetwork, silent } from "../testing/fake-network.ts";
import { auth, listing, ref } from "../testing/marketplace.ts";
import { address, BASE, CIPHER, fakeTikTokShop, no, ok } from "../testing/tiktok-shop.ts";

const network = new FakeNetwork();
const client = () => fakeTikTokShop(network);
const shop = auth({ shopCipher: CIPHER });
const setup = { logisticIds: [], warehouseId: "7068517275539719942" };
const ITEM = "1729592969712203232";
const SKU = "1729592969712207008";
const known = ref({ itemId: ITEM, skuId: SKU });

afterEach(() => {
  network.verify();
});

const input = listing({
  categoryId: "601226",
  setup,
  images: ["tos-1", "tos-2"],
  attributes: [
    { id: "100198", optionIds: ["1000057"] },
    { id: "100199", text: "Buatan tangan" },
  ],
  brand: { id: "7082427311584347905", name: "Wafero" },
});
const product = {
  title: "Keripik Tempe Khas Blitar 250 gram",
  description: "<p>Renyah &amp; gurih.<br>Tanpa &lt;pengawet&gt;.</p>",
  category_id: "601226",
  category_version: "v2",
  main_images: [{ uri: "tos-1" }, { uri: "tos-2" }],
  package_weight: { value: "0.255", unit: "KILOGRAM" },
  package_dimensions: { length: "20", width: "11", height: "5", unit: "CENTIMETER" },
  product_attributes: [
    { id: "100198", values: [{ id: "1000057" }] },
    { id: "100199", values: [{ name: "Buatan tangan" }] },
  ],
  brand_id: "7082427311584347905",
  listing_platforms: ["TOKOPEDIA"],
};
const creation = {
  save_mode: "LISTING",
  ...product,
  skus: [
    {
      seller_sku: "BLT-001",
      price: { amount: "75000", currency: "IDR" },
      inventory: [{ warehouse_id: "7068517275539719942", quantity: 12 }],
      sales_attributes: [],
    },
  ],
  external_product_id: "BLT-001",
  idempotency_key: "BLT-001",
};
const PRODUCTS = "/product/202309/products";

describe("creating a listing", () => {
  const create = () => client().createListing(shop, input);

  test("names Tokopedia, kilograms, whole rupiah as text, the warehouse and the cipher", async () => {
    const told = ok({
      product_id: ITEM,
      skus: [{ id: SKU, seller_sku: "BLT-001", sales_attributes: [] }],
      warnings: [{ message: "The image is small" }],
    });
    network.on("POST", await address(PRODUCTS, { json: creation }), answer(200, told));
    expect(await create()).toEqual({
      itemId: ITEM,
      skuId: SKU,
      sku: "BLT-001",
      status: "review",
      priceIdr: 75_000,
      stock: 12,
      warnings: ["The image is small"],
    });
    const [sent] = network.sent;
    expect(sent?.body).toBe(JSON.stringify(creation));
    expect(sent?.headers).toMatchObject({
      "content-type": "application/json",
      "x-tts-access-token": "sample_access_token",
    });
  });

  test.each([
    [200, 105002, "access token expired", "token_expired", /Izin/],
    [200, 101000, "token of another shop", "token_revoked", /Hubungkan ulang/],
    [401, 106001, "invalid signature", "misconfigured", /pengelola/],
    [200, 105005, "scope missing", "misconfigured", /pengelola/],
    [200, 106013, "shop_cipher missing", "misconfigured", /pengelola/],
    [200, 36009033, "ip refused", "misconfigured", /pengelola/],
    [200, 36009004, "access token is invalid", "token_expired", /Izin/],
    [200, 36009004, "invalid timestamp", "misconfigured", /pengelola/],
    [200, 36009004, "access token has been revoked", "token_revoked", /Hubungkan ulang/],
    [429, 36009002, "too many requests", "rate_limited", /membatasi/],
    [200, 36009003, "internal error", "unknown", /diperiksa/],
    [200, 12052024, "not a leaf", "rejected", /paling ujung/],
    [200, 12019022, "warehouse invalid", "rejected", /Gudang/],
    [200, 12052999, "The title has an emoji", "rejected", /^The title has an emoji$/],
    [200, 12052900, "seller sku already exists", "duplicate", /SKU/],
    [200, 12052996, "external product id is used", "duplicate", /SKU/],
    [200, 12052881, "system error", "unknown", /diperiksa/],
    [200, 12052109, "too frequent", "rate_limited", /membatasi/],
  ])("HTTP %i with code %i (%s) is %s", async (status, code, message, fault, reason) => {
    const url = await address(PRODUCTS, { json: creation });
    network.on("POST", url, answer(status, no(code, message)));
    const error = await marketFailureOf(create());
    expect(error.fault).toBe(fault);
    expect(error.reason).toMatch(reason);
  });

  test("the platform's own time to wait is kept", async () => {
    const url = await address(PRODUCTS, { json: creation });
    const told = answer(429, no(36009002, "slow down"), { "retry-after": "7" });
    network.on("POST", url, told);
    expect(await marketFailureOf(create())).toMatchObject({ retryAfterMs: 7_000 });
  });

  test("silence leaves open whether it exists, and is not sent again", async () => {
    network.on("POST", await address(PRODUCTS, { json: creation }), silent);
    expect(await marketFailureOf(create())).toMatchObject({ fault: "unknown" });
  });

  test.each([
    ["a short name", { name: "Keripik" }, /minimal 25/],
    ["a price of nearly nothing", { priceIdr: 99 }, /Rp 100/],
    ["a long SKU", { sku: "x".repeat(51) }, /50/],
    ["ten pictures", { images: Array.from({ length: 10 }, () => "u") }, /9 foto/],
    ["no warehouse", { setup: { logisticIds: [], warehouseId: null } }, /Gudang/],
  ])("%s is not sent", async (_name, changes, words) => {
    const call = client().createListing(shop, { ...input, ...changes });
    const error = await marketFailureOf(call);
    expect(error).toMatchObject({ fault: "rejected", outcome: "not_done" });
    expect(error.reason).toMatch(words);
  });

  test("an update is partial: it names neither SKUs nor prices", async () => {
    const path = `${PRODUCTS}/${ITEM}/partial_edit`;
    network.on(
      "POST",
      await address(path, { json: product }),
      answer(200, ok({ product_id: ITEM })),
    );
    await client().updateListing(shop, known, input);
    expect(network.firstJson()).toEqual(product);
  });

  test("an update of which a part failed under code 0 is told as what it is", async () => {
    const path = `${PRODUCTS}/${ITEM}/partial_edit`;
    const url = await address(path, { json: product });
    const failing = async (code: number, message: string) => {
      network.on("POST", url, answer(200, ok({ errors: [{ code, message, detail: {} }] })));
      return await marketFailureOf(client().updateListing(shop, known, input));
    };
    expect(await failing(12052048, "product does not belong to you")).toMatchObject({
      fault: "not_found",
    });
    expect(await failing(36009003, "internal error")).toMatchObject({
      ...{ fault: "unknown", outcome: "unknown" },
    });
    expect(await failing(1, "Judul tidak boleh")).toMatchObject({
      ...{ fault: "rejected", reason: "Judul tidak boleh", outcome: "not_done" },
    });
  });

  test("an id that is none does not become a part of a path", async () => {
    const call = client().updateListing(shop, ref({ itemId: "1/../2", skuId: SKU }), input);
    expect(await marketFailureOf(call)).toMatchObject({ outcome: "not_done", fault: "rejected" });
  });
});

describe("price and stock", () => {
  const STOCK = `${BASE}${PRODUCTS}/${ITEM}/inventory/update?shop_cipher=sample_cipher&app_key=testkey123&timestamp=1700000000&sign=897a07a8659c2038836948585129918b599c4a49ca616f1c0a7f9d21aace8317`;
  const change = { ref: known, stock: 12, setup };

  test("stock is sent byte for byte as it was signed (the vector)", async () => {
    network.on("POST", STOCK, answer(200, ok({})));
    expect(await client().setStocks(shop, [change])).toEqual([{ sku: "BLT-001", ok: true }]);
    expect(network.sent[0]?.body).toBe(
      '{"skus":[{"id":"1729592969712207008","inventory":[{"warehouse_id":"7068517275539719942","quantity":12}]}]}',
    );
  });

  test("a failure of a part under code 0 is no success", async () => {
    const errors = [{ code: 12052048, message: "product does not belong to you", detail: {} }];
    network.on("POST", STOCK, answer(200, ok({ errors })));
    expect(await client().setStocks(shop, [change])).toMatchObject([
      { ok: false, fault: "not_found" },
    ]);
  });

  test.each([
    [12052032, "not_found"],
    [12019150, "not_found"],
    [12052260, "not_found"],
    [12052034, "not_found"],
    [12019045, "locked"],
    [12052038, "locked"],
    [12052901, "locked"],
  ])("code %i is told as %s whatever its words, as a whole and as a part", async (code, fault) => {
    network.on("POST", STOCK, answer(200, no(code, "")));
    network.on("POST", STOCK, answer(200, ok({ errors: [{ code, message: "", detail: {} }] })));
    expect(await client().setStocks(shop, [change])).toMatchObject([{ ok: false, fault }]);
    expect(await client().setStocks(shop, [change])).toMatchObject([{ ok: false, fault }]);
  });

  test("a price goes as text with its currency", async () => {
    const json = { skus: [{ id: SKU, price: { amount: "80000", currency: "IDR" } }] };
    const path = `${PRODUCTS}/${ITEM}/prices/update`;
    network.on("POST", await address(path, { json }), answer(200, ok({})));
    const outcome = await client().setPrices(shop, [{ ref: known, priceIdr: 80_000 }]);
    expect(outcome).toEqual([{ sku: "BLT-001", ok: true }]);
  });

  test("a product in a campaign is told as locked, a limit concerns the call", async () => {
    network.on("POST", STOCK, answer(200, no(12052230, "The product is in a campaign")));
    network.on("POST", STOCK, answer(429, no(36009002, "too many requests")));
    expect(await client().setStocks(shop, [change])).toMatchObject([{ fault: "locked" }]);
    expect(await marketFailureOf(client().setStocks(shop, [change]))).toMatchObject({
      fault: "rate_limited",
      retryAfterMs: 1_000,
    });
  });

  test.each([
    { ref: known, stock: 100_000, setup },
    { ref: ref({ itemId: ITEM }), stock: 1, setup },
  ])("what surely would be refused is not sent: %#", async (wrong) => {
    expect(await client().setStocks(shop, [wrong])).toMatchObject([{ fault: "rejected" }]);
  });
});

describe("the shelf", () => {
  test("takes twenty at once, for Tokopedia; a failure is told of its own product", async () => {
    const json = { product_ids: ["1", "2"], listing_platforms: ["TOKOPEDIA"] };
    const errors = [{ code: 1, message: "cannot", detail: { product_id: "2" } }];
    const url = await address(`${PRODUCTS}/deactivate`, { json });
    network.on("POST", url, answer(200, ok({ errors })));
    const refs = [ref({ itemId: "1", sku: "A" }), ref({ itemId: "2", sku: "B" })];
    expect(await client().setListed(shop, refs, false)).toEqual([
      { sku: "A", ok: true },
      { sku: "B", ok: false, fault: "rejected", reason: "cannot" },
    ]);
    network.on("POST", await address(`${PRODUCTS}/activate`, { json }), answer(200, ok(null)));
    expect(await client().setListed(shop, refs, true)).toMatchObject([{ ok: true }, { ok: true }]);
  });
});

describe("finding a SKU", () => {
  const json = { status: "ALL", seller_skus: ["BLT-001"] };
  const url = () =>
    address("/product/202502/products/search", { query: { page_size: "100" }, json });

  test("gives all names, adds up the warehouses and passes over what is deleted", async () => {
    const skus = [
      {
        id: SKU,
        seller_sku: "BLT-001",
        price: { currency: "IDR", tax_exclusive_price: "75000", sale_price: "75000" },
        inventory: [
          { warehouse_id: "1", quantity: 5 },
          { warehouse_id: "2", quantity: 7 },
        ],
      },
      { id: "9", seller_sku: "BLT-002" },
    ];
    const products = [
      { id: "1", status: "DELETED", skus },
      { id: ITEM, status: "PENDING", skus },
    ];
    network.on("POST", await url(), answer(200, ok({ products, total_count: 2 })));
    expect(await client().findBySku(shop, "BLT-001")).toEqual({
      itemId: ITEM,
      skuId: SKU,
      sku: "BLT-001",
      status: "review",
      priceIdr: 75_000,
      stock: 12,
      warnings: [],
    });
  });

  test("is a question, and so repeated where the platform is busy", async () => {
    network.on("POST", await url(), answer(200, no(36009003, "internal error")));
    network.on("POST", await url(), answer(200, ok({ total_count: 0 })));
    expect(await client().findBySku(shop, "BLT-001")).toBeNull();
  });
});
