import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testJpeg, testPng } from "../testing/images.ts";
import { type Seller, type Shopee, startShopee } from "./testing.ts";

let shopee: Shopee;
let seller: Seller;

beforeAll(async () => {
  shopee = await startShopee();
  seller = await shopee.seller();
});
afterAll(() => shopee.stop());

const post = (path: string, body: unknown, as = seller) =>
  shopee.ask("POST", `product/${path}`, { seller: as, body });
const get = (path: string, query: Record<string, string>, as = seller) =>
  shopee.ask("GET", path, { seller: as, query });

describe("an image", () => {
  it.each([
    ["PNG", testPng()],
    ["JPEG", testJpeg()],
  ])("that is a %s gets an id", async (_name, bytes) => {
    const answer = await shopee.upload(bytes);
    expect(answer.body).toMatchObject({
      error: "",
      response: { image_info: { image_id: expect.any(String) } },
    });
  });

  it.each([
    ["text called an image", Buffer.from("GIF89a is no picture here, whatever it is called")],
    ["half a PNG", testPng().subarray(0, 60)],
  ])("that is %s is refused", async (_name, bytes) => {
    expect((await shopee.upload(bytes)).body.error).toBe("error_invalid_image");
  });
});

describe("an item is refused, naming what is wrong", () => {
  const cases: [string, string, Record<string, unknown>][] = [
    ["without a name", "item_name", { item_name: undefined }],
    ["without description", "description", { description: undefined }],
    ["with a price as text", "original_price", { original_price: "45000" }],
    ["with sen", "original_price", { original_price: 45_000.5 }],
    ["without weight", "weight", { weight: undefined }],
    ["with an image that was not uploaded", "image", { image: { image_id_list: ["id-unknown"] } }],
    [
      "with image addresses",
      "image_id_list",
      { image: { image_url_list: ["https://x.example/a.png"] } },
    ],
    ["without channel", "logistic_info", { logistic_info: undefined }],
    [
      "with an unknown channel",
      "logistic_id",
      { logistic_info: [{ logistic_id: 1, enabled: true }] },
    ],
    [
      "with no enabled channel",
      "logistic_info",
      { logistic_info: [{ logistic_id: 8003, enabled: false }] },
    ],
    ["with the old stock field", "normal_stock", { normal_stock: 10 }],
    ["without stock", "seller_stock", { seller_stock: undefined }],
    ["without brand", "brand", { brand: undefined }],
    ["with an unknown brand", "brand", { brand: { brand_id: 9, original_brand_name: "Entah" } }],
    ["without the category's mandatory attribute", "Jenis Kopi", { attribute_list: [] }],
    [
      "with a value that the attribute lacks",
      "value_id",
      { attribute_list: [{ attribute_id: 200, attribute_value_list: [{ value_id: 9 }] }] },
    ],
  ];
  it.each(cases)("%s", async (_name, words, change) => {
    const { body } = await post("add_item", await shopee.item(change));
    expect(body.error).toBe("error_param");
    expect(body.message).toContain(words);
  });

  it("in a category that does not exist, or is no leaf", async () => {
    const unknown = await post("add_item", await shopee.item({ category_id: 1 }));
    expect(unknown.body.error).toBe("error_category_not_exist");
    const branch = await post("add_item", await shopee.item({ category_id: 100_001 }));
    expect(branch.body.error).toBe("error_category_is_not_leaf");
  });
});

describe("an item", () => {
  it("is found by its SKU in its own shop, and made twice by a repeated create", async () => {
    const mine = await shopee.seller();
    const first = await shopee.add(mine, { item_sku: "SKU-A" });
    const second = await shopee.add(mine, { item_sku: "SKU-A" });
    const query = { item_sku: "SKU-A", page_size: "10" };
    const found = await get("product/search_item", query, mine);
    expect(found.body.response.item_id_list).toEqual([first, second]);
    const elsewhere = await get("product/search_item", query);
    expect(elsewhere.body.response.item_id_list).toEqual([]);
    const list = String(first);
    const info = await get("product/get_item_base_info", { item_id_list: list }, mine);
    expect(info.body.response.item_list[0]).toMatchObject({
      item_sku: "SKU-A",
      item_status: "NORMAL",
    });
  });

  it("is hidden and shown by unlist_item, which fails item by item", async () => {
    const id = await shopee.add(seller);
    const item_list = [
      { item_id: id, unlist: true },
      { item_id: 1, unlist: true },
    ];
    const { body } = await post("unlist_item", { item_list });
    expect(body).toMatchObject({
      error: "",
      response: { success_list: [{ item_id: id, unlist: true }], failure_list: [{ item_id: 1 }] },
    });
    const hidden = await get("product/get_item_list", { page_size: "100", item_status: "UNLIST" });
    expect(hidden.body.response.item).toEqual([expect.objectContaining({ item_id: id })]);
  });

  it("takes a new stock, not one under what a campaign has locked", async () => {
    const id = await shopee.add(seller);
    const stock = (count: number) =>
      post("update_stock", {
        item_id: id,
        stock_list: [{ model_id: 0, seller_stock: [{ stock: count }] }],
      });
    expect((await stock(7)).body.response).toEqual({
      success_list: [{ model_id: 0, location_id: "", stock: 7 }],
      failure_list: [],
    });
    const { body } = await shopee.state(seller.shopId);
    const product = body.products.find((one: { id: string }) => one.id === String(id));
    await shopee.hand(`lock/${product.skus[0].id}`, { quantity: 5 });
    const refused = await stock(4);
    expect(refused.body).toMatchObject({
      error: "",
      response: { success_list: [], failure_list: [{ model_id: 0 }] },
    });
  });

  it("takes a price as a number, at most fifty a call", async () => {
    const id = await shopee.add(seller);
    const one = { model_id: 0, original_price: 50_000 };
    const good = await post("update_price", { item_id: id, price_list: [one] });
    expect(good.body.response.success_list).toEqual([one]);
    const many = { item_id: id, price_list: Array.from({ length: 51 }, () => one) };
    expect((await post("update_price", many)).body.error).toBe("error_param");
  });

  it("of another shop is not found", async () => {
    const id = await shopee.add(await shopee.seller());
    const answer = await post("update_item", { item_id: id, item_name: "Direbut" });
    expect(answer.body.error).toBe("error_item_not_found");
  });
});

it("has a tree in which every parent is there, and with the dial a cycle", async () => {
  const mine = await shopee.seller();
  const tree = async () =>
    (await get("product/get_category", {}, mine)).body.response.category_list;
  const climb = (list: { category_id: number; parent_category_id: number }[]) => {
    const parents = new Map(list.map((one) => [one.category_id, one.parent_category_id]));
    let [at, steps] = [100_003, 0];
    for (; at !== 0 && steps < 50; steps += 1) at = parents.get(at) ?? Number.NaN;
    return { at, steps };
  };
  expect(climb(await tree())).toEqual({ at: 0, steps: 3 });
  await shopee.dial(mine.shopId, { categoryCycle: true });
  expect(climb(await tree()).steps).toBe(50);
});
