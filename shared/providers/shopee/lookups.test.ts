import { afterEach, describe, expect, test } from "vitest";
import { marketFailureOf } from "../testing/failures.ts";
import { answer, FakeNetwork } from "../testing/fake-network.ts";
import { auth, JPEG, PNG, partsOf } from "../testing/marketplace.ts";
import { address, BASE, fakeShopee, no, ok } from "../testing/shopee.ts";

const network = new FakeNetwork();
const client = () => fakeShopee(network);

afterEach(() => {
  network.verify();
});

describe("the shop's delivery channels", () => {
  const row = (changes: object) => ({
    logistics_channel_id: 8003,
    enabled: true,
    mask_channel_id: 0,
    fee_type: "SIZE_INPUT",
    ...changes,
  });

  test("are those that are switched on and need nothing more of the seller", async () => {
    const logistics_channel_list = [
      row({}),
      row({ logistics_channel_id: 1, enabled: false }),
      row({ logistics_channel_id: 2, mask_channel_id: 8003 }),
      row({ logistics_channel_id: 3, fee_type: "CUSTOM_PRICE" }),
    ];
    const url = await address("logistics/get_channel_list");
    network.on("GET", url, answer(200, ok({ logistics_channel_list })));
    expect(await client().getSetup(auth())).toEqual({ logisticIds: ["8003"], warehouseId: null });
  });

  test("a shop without any is told what to do", async () => {
    const url = await address("logistics/get_channel_list");
    network.on("GET", url, answer(200, ok({ logistics_channel_list: [] })));
    const error = await marketFailureOf(client().getSetup(auth()));
    expect(error).toMatchObject({ fault: "rejected" });
    expect(error.reason).toContain("jasa kirim");
  });
});

describe("categories", () => {
  test("come flat, the root without a parent", async () => {
    const category_list = [
      {
        category_id: 100,
        parent_category_id: 0,
        display_category_name: "Makanan",
        original_category_name: "Food",
        has_children: true,
      },
      {
        category_id: 101,
        parent_category_id: 100,
        display_category_name: "",
        original_category_name: "Chips",
        has_children: false,
      },
    ];
    const url = await address("product/get_category", { language: "id" });
    network.on("GET", url, answer(200, ok({ category_list })));
    expect(await client().listCategories(auth())).toEqual([
      { id: "100", parentId: null, name: "Makanan", isLeaf: false },
      { id: "101", parentId: "100", name: "Chips", isLeaf: true },
    ]);
  });

  test("a tree of a million bytes and more is read", async () => {
    const row = (category_id: number) => ({
      category_id,
      parent_category_id: 0,
      display_category_name: "x".repeat(400),
      original_category_name: "y",
      has_children: false,
    });
    const category_list = Array.from({ length: 3_000 }, (_, index) => row(index + 1));
    const url = await address("product/get_category", { language: "id" });
    network.on("GET", url, answer(200, ok({ category_list })));
    expect(await client().listCategories(auth())).toHaveLength(3_000);
  });

  test("one is guessed from the name, or none", async () => {
    const url = await address("product/category_recommend", { item_name: "Keripik" });
    network.on("GET", url, answer(200, ok({ category_id: [101, 102] })));
    network.on("GET", url, answer(200, ok({ category_id: [] })));
    expect(await client().suggestCategory(auth(), " Keripik ")).toBe("101");
    expect(await client().suggestCategory(auth(), "Keripik")).toBeNull();
  });

  test("attributes tell what must be said, and how", async () => {
    const attribute = (attribute_id: number, input_type: number, more: object = {}) => ({
      attribute_id,
      mandatory: false,
      name: `a${attribute_id}`,
      attribute_info: { input_type, input_validation_type: 0 },
      attribute_value_list: [{ value_id: 7, name: "Lokal" }],
      ...more,
    });
    const attribute_tree = [
      attribute(1, 1, { mandatory: true }),
      attribute(2, 2),
      attribute(3, 3, { attribute_value_list: null }),
      attribute(4, 5),
      attribute(5, 3, { attribute_info: { input_type: 3, input_validation_type: 1 } }),
      attribute(6, 3, { attribute_info: { input_type: 3, input_validation_type: 4 } }),
    ];
    const url = await address("product/get_attribute_tree", {
      category_id_list: "101",
      language: "id",
    });
    network.on("GET", url, answer(200, ok({ list: [{ category_id: 101, attribute_tree }] })));
    const found = await client().listAttributes(auth(), "101");
    expect(found[0]).toEqual({
      id: "1",
      name: "a1",
      required: true,
      input: "one_of",
      free: false,
      options: [{ id: "7", name: "Lokal" }],
    });
    expect(found.map(({ input, free }) => [input, free])).toEqual([
      ["one_of", false],
      ["one_of", true],
      ["text", true],
      ["many_of", true],
      ["number", true],
      ["date", true],
    ]);
  });

  test("a brand is looked for page by page, and its name need not match in capitals", async () => {
    const page = (offset: string) =>
      address("product/get_brand_list", {
        category_id: "101",
        status: "1",
        offset,
        page_size: "100",
      });
    const brand = { brand_id: 5, original_brand_name: "Wafero", display_brand_name: "Wafero" };
    network.on(
      "GET",
      await page("0"),
      answer(200, ok({ brand_list: [], has_next_page: true, next_offset: 100 })),
    );
    network.on(
      "GET",
      await page("100"),
      answer(200, ok({ brand_list: [brand], has_next_page: true, next_offset: 200 })),
    );
    network.on(
      "GET",
      await page("0"),
      answer(200, ok({ brand_list: [brand], has_next_page: false })),
    );
    expect(await client().findBrand(auth(), "101", "wafero")).toEqual({ id: "5", name: "Wafero" });
    expect(await client().findBrand(auth(), "101", "Lain")).toBeNull();
  });
});

describe("uploading a picture", () => {
  const UPLOAD = `${BASE}/api/v2/media_space/upload_image?partner_id=2001887&timestamp=1655714431&sign=8ee080aec76fa360a16a2ca9b75b32a0f0d35935e527b583db6e7c4fbe68ad0a`;

  test("sends one file in the field `image`, without the shop, and gives its id", async () => {
    network.on("POST", UPLOAD, answer(200, ok({ image_info: { image_id: "sg-1" } })));
    expect(await client().uploadImage(auth(), PNG, "png")).toBe("sg-1");
    const [sent] = network.sent;
    expect(await partsOf(sent?.bytes, sent?.headers["content-type"])).toEqual({ image: [...PNG] });
  });

  test("bytes of another type, or too many of them, are not sent", async () => {
    const other = await marketFailureOf(client().uploadImage(auth(), PNG, "jpeg"));
    expect(other).toMatchObject({ fault: "rejected", code: "image_type" });
    const large = new Uint8Array(10 * 1_048_576 + 1);
    large.set(JPEG);
    const much = await marketFailureOf(client().uploadImage(auth(), large, "jpeg"));
    expect(much).toMatchObject({ fault: "rejected", reason: expect.stringContaining("10 MB") });
  });

  test("an error of the platform is told in its words", async () => {
    network.on("POST", UPLOAD, answer(200, no("error_param", "Image format is not supported")));
    expect(await marketFailureOf(client().uploadImage(auth(), PNG, "png"))).toMatchObject({
      fault: "rejected",
      reason: "Image format is not supported",
    });
  });
});
