import { afterEach, describe, expect, test } from "vitest";
import { marketFailureOf } from "../testing/failures.ts";
import { answer, FakeNetwork, silent } from "../testing/fake-network.ts";
import { auth, listing, ref } from "../testing/marketplace.ts";
import { address, BASE, fakeShopee, no, ok } from "../testing/shopee.ts";

const network = new FakeNetwork();
const client = () => fakeShopee(network);
const SHOP = "&access_token=sample_access_token&shop_id=14701711";
const ADD = `${BASE}/api/v2/product/add_item?partner_id=2001887&timestamp=1655714431&sign=9d307f84cf53608780d18b412bb2f436a575793b30911015d31e7a0a317cb4fc${SHOP}`;
const STOCK = `${BASE}/api/v2/product/update_stock?partner_id=2001887&timestamp=1655714431&sign=58035495c14389572b44d80e5b6262eb5d8a337d6cc829cfb1e021d998b49166${SHOP}`;
const setup = { logisticIds: ["8003", "8005"], warehouseId: null };

afterEach(() => {
  network.verify();
});

describe("creating a listing", () => {
  const input = listing({
    setup,
    images: ["img-1", "img-2"],
    attributes: [
      { id: "4990", optionIds: ["32142"] },
      { id: "4811", text: "Buatan tangan" },
    ],
  });
  const body = {
    item_name: "Keripik Tempe Khas Blitar 250 gram",
    description: "Renyah & gurih.\nTanpa <pengawet>.",
    original_price: 75_000,
    weight: 0.255,
    category_id: 100182,
    dimension: { package_length: 20, package_width: 11, package_height: 5 },
    image: { image_id_list: ["img-1", "img-2"] },
    logistic_info: [
      { logistic_id: 8003, enabled: true },
      { logistic_id: 8005, enabled: true },
    ],
    attribute_list: [
      { attribute_id: 4990, attribute_value_list: [{ value_id: 32142 }] },
      {
        attribute_id: 4811,
        attribute_value_list: [{ value_id: 0, original_value_name: "Buatan tangan" }],
      },
    ],
    brand: { brand_id: 0, original_brand_name: "No Brand" },
    item_dangerous: 0,
    seller_stock: [{ stock: 12 }],
    item_sku: "BLT-001",
    condition: "NEW",
    item_status: "NORMAL",
  };

  test("sends kilograms, whole rupiah, uploaded pictures and every mandatory part", async () => {
    network.on("POST", ADD, answer(200, ok({ item_id: 3000142341, item_status: "NORMAL" })));
    expect(await client().createListing(auth(), input)).toEqual({
      itemId: "3000142341",
      skuId: null,
      sku: "BLT-001",
      status: "live",
      priceIdr: 75_000,
      stock: 12,
      warnings: [],
    });
    expect(network.firstJson()).toEqual(body);
  });

  test("a warning on a success is kept", async () => {
    network.on("POST", ADD, answer(200, ok({ item_id: 1 }, "image 2 ignored")));
    expect(await client().createListing(auth(), input)).toMatchObject({
      warnings: ["image 2 ignored"],
    });
  });

  test("a brand goes by its id", async () => {
    network.on("POST", ADD, answer(200, ok({ item_id: 1 })));
    const brand = { id: "1146303", name: "Wafero" };
    await client().createListing(auth(), { ...input, brand });
    expect(network.firstJson()).toMatchObject({
      brand: { brand_id: 1146303, original_brand_name: "Wafero" },
    });
  });

  test("an error inside of 200 is a refusal, in words that the seller understands", async () => {
    const told = no("product.error_less_required_attribute", "Mandatory attribute required");
    network.on("POST", ADD, answer(200, told));
    expect(await marketFailureOf(client().createListing(auth(), input))).toMatchObject({
      fault: "rejected",
      outcome: "not_done",
      reason: "Lengkapi atribut wajib kategori Shopee",
    });
  });

  test("a code that is not known is told in the platform's words, bounded and free of markup", async () => {
    const told = no("error_param", `<b>Bad</b>\n${"x".repeat(500)}`);
    network.on("POST", ADD, answer(200, told));
    const error = await marketFailureOf(client().createListing(auth(), input));
    expect(error.reason).toMatch(/^Bad x+…$/);
    expect(error.reason).toHaveLength(300);
    expect(error.message).not.toContain("xxx");
  });

  test.each([
    ["silence", silent],
    ["an internal error", answer(200, no("error_inner", "System error"))],
    ["a gateway's page", answer(502, "<html>")],
    ["an answer without an id", answer(200, ok({}))],
  ])("%s leaves open whether it exists, and is not sent again", async (_name, reply) => {
    network.on("POST", ADD, reply);
    expect(await marketFailureOf(client().createListing(auth(), input))).toMatchObject({
      fault: "unknown",
      outcome: "unknown",
    });
  });

  test("a SKU that exists is told apart", async () => {
    network.on("POST", ADD, answer(200, no("error_repeated_mtsku", "A similar product")));
    expect(await marketFailureOf(client().createListing(auth(), input))).toMatchObject({
      fault: "duplicate",
    });
  });

  test.each([
    ["no picture", { images: [] }, /foto/],
    ["no delivery channel", { setup: { logisticIds: [], warehouseId: null } }, /jasa kirim/],
    ["a fraction of a rupiah", { priceIdr: 10.5 }, /Harga/],
    ["a negative stock", { stock: -1 }, /Stok/],
    ["no weight", { weightGram: 0 }, /berat/],
    ["a long name", { name: "x".repeat(256) }, /255/],
  ])("%s is not sent", async (_name, changes, words) => {
    const error = await marketFailureOf(client().createListing(auth(), { ...input, ...changes }));
    expect(error).toMatchObject({ fault: "rejected", outcome: "not_done" });
    expect(error.reason).toMatch(words);
  });

  test("an update says the same but price, stock and SKU", async () => {
    network.on(
      "POST",
      await address("product/update_item"),
      answer(200, ok({ item_id: 740600001 })),
    );
    await client().updateListing(auth(), ref(), input);
    const { seller_stock, original_price, item_sku, condition, item_status, ...rest } = body;
    expect(network.firstJson()).toEqual({ item_id: 740600001, ...rest });
  });
});

describe("price and stock", () => {
  test("a price goes to the item itself where it has no variants", async () => {
    const done = ok({ success_list: [{ model_id: 0, original_price: 80_000 }], failure_list: [] });
    network.on("POST", await address("product/update_price"), answer(200, done));
    const outcome = await client().setPrices(auth(), [{ ref: ref(), priceIdr: 80_000 }]);
    expect(outcome).toEqual([{ sku: "BLT-001", ok: true }]);
    expect(network.firstJson()).toEqual({
      item_id: 740600001,
      price_list: [{ model_id: 0, original_price: 80_000 }],
    });
  });

  test("stock is the seller's, and goes to the variant where there is one", async () => {
    network.on("POST", STOCK, answer(200, ok({ success_list: [{ model_id: 5 }] })));
    const change = { ref: ref({ skuId: "5" }), stock: 0, setup };
    expect(await client().setStocks(auth(), [change])).toEqual([{ sku: "BLT-001", ok: true }]);
    expect(network.firstJson()).toEqual({
      item_id: 740600001,
      stock_list: [{ model_id: 5, seller_stock: [{ stock: 0 }] }],
    });
  });

  test.each([
    [
      ok({ failure_list: [{ model_id: 0, failed_reason: "Wrong model_id." }] }),
      "rejected",
      "Wrong model_id.",
    ],
    [
      no("error_busi_update_stock_failed", "Update stock failed", {
        failure_list: [{ model_id: 0, failed_reason: "stock is bad" }],
      }),
      "rejected",
      "stock is bad",
    ],
    [no("error_promotion_cantnot_update_stock", "x"), "locked", /promosi/],
    [no("error_auth", "Total stock must be more than reserved stock."), "locked", /promosi/],
    [no("error_item_not_found", "Item_id is not found."), "not_found", /tidak ditemukan/],
  ] as const)("a refusal of one item is told of it: %#", async (told, fault, reason) => {
    network.on("POST", STOCK, answer(200, told));
    const [outcome] = await client().setStocks(auth(), [{ ref: ref(), stock: 3, setup }]);
    expect(outcome).toMatchObject({ ok: false, fault, reason: expect.stringMatching(reason) });
  });

  test("an expired token is no matter of the item", async () => {
    network.on("POST", STOCK, answer(403, no("invalid_acceess_token", "Invalid access_token.")));
    const call = client().setStocks(auth(), [{ ref: ref(), stock: 3, setup }]);
    expect(await marketFailureOf(call)).toMatchObject({ fault: "token_expired" });
  });

  test("more than one at once is not sent", async () => {
    const change = { ref: ref(), priceIdr: 1_000 };
    const call = client().setPrices(auth(), [change, change]);
    expect(await marketFailureOf(call)).toMatchObject({ fault: "rejected", code: "batch_size" });
  });
});

describe("the shelf", () => {
  test("fifty at once are taken off; a failure is told of its own item", async () => {
    const told = ok({
      success_list: [{ item_id: 1, unlist: true }],
      failure_list: [
        { item_id: 2, failed_reason: "Can't unlist item when item is under promotion" },
      ],
    });
    network.on("POST", await address("product/unlist_item"), answer(200, told));
    const refs = [ref({ itemId: "1", sku: "A" }), ref({ itemId: "2", sku: "B" })];
    expect(await client().setListed(auth(), refs, false)).toEqual([
      { sku: "A", ok: true },
      { sku: "B", ok: false, fault: "locked", reason: expect.stringContaining("promosi") },
    ]);
    expect(network.firstJson()).toEqual({
      item_list: [
        { item_id: 1, unlist: true },
        { item_id: 2, unlist: true },
      ],
    });
  });
});

describe("finding a SKU", () => {
  const search = () => address("product/search_item", { item_sku: "BLT-001", page_size: "50" });
  const info = (ids: string) => address("product/get_item_base_info", { item_id_list: ids });
  const item = (changes: object) => ({ item_sku: "BLT-001", item_status: "NORMAL", ...changes });

  test("takes the item that has exactly this SKU, and no deleted one", async () => {
    network.on("GET", await search(), answer(200, ok({ item_id_list: [1, 2, 3] })));
    const item_list = [
      item({ item_id: 1, item_sku: "BLT-0011" }),
      item({ item_id: 2, item_status: "SELLER_DELETE" }),
      item({
        item_id: 3,
        item_status: "UNLIST",
        price_info: [{ original_price: 75_000 }],
        stock_info_v2: { summary_info: { total_available_stock: 7 } },
      }),
    ];
    network.on("GET", await info("1,2,3"), answer(200, ok({ item_list })));
    expect(await client().findBySku(auth(), "BLT-001")).toEqual({
      itemId: "3",
      skuId: null,
      sku: "BLT-001",
      status: "unlisted",
      priceIdr: 75_000,
      stock: 7,
      warnings: [],
    });
  });

  test("finds none where the search is empty", async () => {
    network.on("GET", await search(), answer(200, ok({ item_id_list: [] })));
    expect(await client().findBySku(auth(), "BLT-001")).toBeNull();
  });

  test("is repeated where Shopee is busy, as every read", async () => {
    network.on("GET", await search(), answer(200, no("error_system_busy")));
    network.on("GET", await search(), answer(200, no("error_inner")));
    network.on("GET", await search(), answer(200, ok({ item_id_list: [] })));
    expect(await client().findBySku(auth(), "BLT-001")).toBeNull();
  });

  test("takes a turn for every request, repeats too, and none of them leaves without", async () => {
    network.on("GET", await search(), answer(200, no("error_system_busy")));
    network.on("GET", await search(), answer(200, ok({ item_id_list: [] })));
    const turns: string[] = [];
    const turn = async (kind: string) => {
      turns.push(kind);
    };
    await client().findBySku({ ...auth(), turn }, "BLT-001");
    expect(turns).toEqual(["read", "read"]);
    const pause = new Error("the shop has asked for a pause");
    const paused = { ...auth(), turn: () => Promise.reject(pause) };
    await expect(client().findBySku(paused, "BLT-001")).rejects.toBe(pause);
    await expect(client().setListed(paused, [ref()], true)).rejects.toBe(pause);
  });

  test.each([
    // Everybody who calls the shop slows down first.
    ["error_rate_limit", { fault: "rate_limited", retryAfterMs: 1_000 }, 1],
    // AT is 16:40:31 in UTC+8.
    ["error_limit", { fault: "quota", retryAfterMs: 26_369_000 }, 1],
    ["source_ip_undeclared", { fault: "misconfigured" }, 1],
    ["error_api_permission", { fault: "misconfigured" }, 1],
    ["shop_no_linked", { fault: "token_expired" }, 1],
    ["shop_banned", { fault: "token_revoked" }, 1],
    ["error_inner", { fault: "unavailable" }, 3],
  ] as const)("%s", async (code, failure, times) => {
    for (let time = 0; time < times; time += 1) {
      network.on("GET", await search(), answer(200, no(code, "words")));
    }
    expect(await marketFailureOf(client().findBySku(auth(), "BLT-001"))).toMatchObject(failure);
  });
});
