import { afterEach, describe, expect, test } from "vitest";
import { marketFailureOf } from "../testing/failures.ts";
import { answer, FakeNetwork, silent } from "../testing/fake-network.ts";
import { fakeLazada, no, ok, payloadOf, readAddress, writeAddress } from "../testing/lazada.ts";
import { auth, listing, ref } from "../testing/marketplace.ts";

const network = new FakeNetwork();
const client = () => fakeLazada(network);

afterEach(() => {
  network.verify();
});

const input = listing({
  categoryId: "10000342",
  images: ["https://id-live.slatic.net/p/1.png"],
  attributes: [
    { id: "product.warranty_type", optionIds: ["No Warranty"] },
    { id: "sku.model", text: "K1" },
    { id: "saleProp.color_family", optionIds: ["Merah"] },
  ],
});
const attributes = {
  warranty_type: "No Warranty",
  name: "Keripik Tempe Khas Blitar 250 gram",
  description: "<p>Renyah &amp; gurih.<br>Tanpa &lt;pengawet&gt;.</p>",
  short_description: "<p>Renyah &amp; gurih.<br>Tanpa &lt;pengawet&gt;.</p>",
  brand: "No Brand",
};
const sku = {
  model: "K1",
  SellerSku: "BLT-001",
  package_length: "20",
  package_width: "11",
  package_height: "5",
  package_weight: "0.26",
  saleProp: { color_family: "Merah" },
};
const product = {
  PrimaryCategory: "10000342",
  Images: { Image: ["https://id-live.slatic.net/p/1.png"] },
  Attributes: attributes,
};
const creation = payloadOf({
  ...product,
  Skus: { Sku: [{ ...sku, price: "75000", quantity: "12" }] },
});

describe("creating a listing", () => {
  const create = () => client().createListing(auth(), input);

  test("sends JSON text in the signed `payload`, lists as lists, and keeps all three names", async () => {
    const told = ok({
      item_id: 740600001,
      sku_list: [{ shop_sku: "740600001_ID-1001", seller_sku: "BLT-001", sku_id: 1001 }],
      item_status: "Pending QC",
    });
    network.on("POST", await writeAddress("/product/create", creation), answer(200, told));
    expect(await create()).toEqual({
      itemId: "740600001",
      skuId: "1001",
      sku: "BLT-001",
      status: "review",
      priceIdr: 75_000,
      stock: 12,
      warnings: [],
    });
    const [sent] = network.sent;
    expect(sent?.headers["content-type"]).toBe("application/x-www-form-urlencoded");
    expect(Object.fromEntries(new URLSearchParams(sent?.body ?? ""))).toEqual(creation);
  });

  test.each([
    ["4105", "BIZ_CHECK_SELLER_SKU_DUPLICATE", {}, "duplicate", /SKU/],
    ["4141", "SellerSku repeat", {}, "duplicate", /SKU/],
    ["4138", "outer image", {}, "rejected", /Foto/],
    ["4142", "brand", {}, "rejected", /Merek/],
    ["4170", "stock locked", {}, "locked", /promosi/],
    ["998", "blocked", {}, "locked", /promosi/],
    ["SellerNotActive", "x", {}, "rejected", /tidak aktif/],
    [
      "500",
      "Create product failed",
      { detail: [{ field: "brand", message: "4142: The brand is invalid in the category" }] },
      "rejected",
      /Merek/,
    ],
    [
      "500",
      "Create product failed",
      { detail: [{ field: "x", message: "Something of its own" }] },
      "rejected",
      /^Something of its own$/,
    ],
    ["IncompleteSignature", "x", {}, "misconfigured", /pengelola/],
    ["IllegalAccessToken", "x", {}, "token_expired", /Izin/],
    ["ApiCallLimit", "x", {}, "rate_limited", /membatasi/],
    ["901", "x", {}, "rate_limited", /membatasi/],
    ["ServiceTimeout", "x", {}, "unknown", /diperiksa/],
    ["1234", "x", { type: "SYSTEM" }, "unknown", /diperiksa/],
  ])("code %s (%s) under HTTP 200 %o is %s", async (code, message, more, fault, reason) => {
    const url = await writeAddress("/product/create", creation);
    network.on("POST", url, answer(200, no(code, message, more)));
    const error = await marketFailureOf(create());
    expect(error.fault).toBe(fault);
    expect(error.reason).toMatch(reason);
  });

  test("silence leaves open whether it exists, and is not sent again", async () => {
    network.on("POST", await writeAddress("/product/create", creation), silent);
    expect(await marketFailureOf(create())).toMatchObject({ fault: "unknown" });
  });

  test("an update names item and SKU and leaves price and stock alone", async () => {
    const change = payloadOf({
      ...product,
      ItemId: "740600001",
      Skus: { Sku: [{ ...sku, SkuId: "1001" }] },
    });
    network.on("POST", await writeAddress("/product/update", change), answer(200, ok({})));
    await client().updateListing(auth(), ref({ skuId: "1001" }), input);
    expect(Object.fromEntries(new URLSearchParams(network.sent[0]?.body ?? ""))).toEqual(change);
  });
});

describe("the shelf", () => {
  const body = { apiRequestBody: '{"Request":{"Product":{"ItemId":"740600001"}}}' };
  const one = [ref({ skuId: "1001" })];

  test("is left by a call of its own, also where it was left before", async () => {
    const url = await writeAddress("/product/deactivate", body);
    network.on("POST", url, answer(200, ok({})));
    network.on("POST", url, answer(200, no("E0004", "Product Status not online")));
    const done = [{ sku: "BLT-001", ok: true }];
    expect(await client().setListed(auth(), one, false)).toEqual(done);
    expect(await client().setListed(auth(), one, false)).toEqual(done);
  });

  test("is entered by an update of the SKU", async () => {
    const back = payloadOf({
      ItemId: "740600001",
      Skus: { Sku: [{ SkuId: "1001", SellerSku: "BLT-001", Status: "active" }] },
    });
    network.on("POST", await writeAddress("/product/update", back), answer(200, ok({})));
    expect(await client().setListed(auth(), one, true)).toEqual([{ sku: "BLT-001", ok: true }]);
  });

  test("a product that is gone is told of itself", async () => {
    const url = await writeAddress("/product/deactivate", body);
    network.on("POST", url, answer(200, no("E0002", "Product not exists")));
    expect(await client().setListed(auth(), one, false)).toMatchObject([
      { ok: false, fault: "not_found" },
    ]);
  });
});

describe("finding a SKU", () => {
  const url = () =>
    readAddress("/products/get", {
      filter: "all",
      limit: "50",
      sku_seller_list: '["BLT-001"]',
    });
  const row = (changes: object) => ({
    SellerSku: "BLT-001",
    SkuId: 1001,
    Status: "active",
    price: 75_000,
    quantity: 15,
    Available: 12,
    ...changes,
  });

  test("gives what may still be sold, not what open orders hold", async () => {
    const products = [{ item_id: 740600001, status: "Active", skus: [row({})] }];
    network.on("GET", await url(), answer(200, ok({ total_products: 1, products })));
    expect(await client().findBySku(auth(), "BLT-001")).toEqual({
      itemId: "740600001",
      skuId: "1001",
      sku: "BLT-001",
      status: "live",
      priceIdr: 75_000,
      stock: 12,
      warnings: [],
    });
  });

  test("passes over deleted ones and other SKUs of the product", async () => {
    const products = [
      { item_id: 1, status: "Deleted", skus: [row({ Status: "deleted" })] },
      {
        item_id: 2,
        status: "InActive",
        skus: [row({ SellerSku: "B" }), row({ Status: "inactive" })],
      },
    ];
    network.on("GET", await url(), answer(200, ok({ products })));
    expect(await client().findBySku(auth(), "BLT-001")).toMatchObject({
      itemId: "2",
      status: "unlisted",
    });
  });

  test("an answer without products is none; a ban of a second is told, for all callers to sit out", async () => {
    network.on("GET", await url(), answer(200, ok({ total_products: 0 })));
    expect(await client().findBySku(auth(), "BLT-001")).toBeNull();
    network.on("GET", await url(), answer(200, no("ApiCallLimit", "ban will last 1 more seconds")));
    const told = await marketFailureOf(client().findBySku(auth(), "BLT-001"));
    expect(told).toMatchObject({ fault: "rate_limited", retryAfterMs: 1_000 });
  });
});
