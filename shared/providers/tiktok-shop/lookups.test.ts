import { afterEach, expect, test } from "vitest";
import { marketFailureOf } from "../testing/failures.ts";
import { answer, FakeNetwork } from "../testing/fake-network.ts";
import { auth, PNG, partsOf } from "../testing/marketplace.ts";
import { address, BASE, CIPHER, fakeTikTokShop, ok } from "../testing/tiktok-shop.ts";

const network = new FakeNetwork();
const client = () => fakeTikTokShop(network);
const shop = auth({ shopCipher: CIPHER });

afterEach(() => {
  network.verify();
});

test("stock lies in the default warehouse for sales; a shop without one is told what to do", async () => {
  const row = (id: string, type: string, effect_status: string, is_default: boolean) => ({
    id,
    type,
    effect_status,
    is_default,
  });
  const warehouses = [
    row("1", "RETURN_WAREHOUSE", "ENABLED", true),
    row("2", "SALES_WAREHOUSE", "DISABLED", true),
    row("3", "SALES_WAREHOUSE", "ENABLED", false),
    row("4", "SALES_WAREHOUSE", "ENABLED", true),
  ];
  const url = await address("/logistics/202309/warehouses");
  network.on("GET", url, answer(200, ok({ warehouses })));
  network.on("GET", url, answer(200, ok({ warehouses: warehouses.slice(0, 2) })));
  expect(await client().getSetup(shop)).toEqual({ logisticIds: [], warehouseId: "4" });
  const error = await marketFailureOf(client().getSetup(shop));
  expect(error.reason).toContain("gudang");
});

test("categories are Tokopedia's, of the second version", async () => {
  const categories = [
    { id: "600001", parent_id: "0", local_name: "Makanan", is_leaf: false },
    { id: "601226", parent_id: "600001", local_name: "Keripik", is_leaf: true },
  ];
  const query = { category_version: "v2", locale: "id-ID", listing_platform: "TOKOPEDIA" };
  const url = await address("/product/202309/categories", { query });
  network.on("GET", url, answer(200, ok({ categories })));
  expect(await client().listCategories(shop)).toEqual([
    { id: "600001", parentId: null, name: "Makanan", isLeaf: false },
    { id: "601226", parentId: "600001", name: "Keripik", isLeaf: true },
  ]);
});

test("a category is guessed from the name, or none", async () => {
  const json = { product_title: "Keripik", category_version: "v2", listing_platform: "TOKOPEDIA" };
  const url = await address("/product/202309/categories/recommend", { json });
  network.on("POST", url, answer(200, ok({ leaf_category_id: "601226", categories: [] })));
  network.on("POST", url, answer(200, ok({ categories: [] })));
  expect(await client().suggestCategory(shop, "Keripik")).toBe("601226");
  expect(await client().suggestCategory(shop, "Keripik")).toBeNull();
});

test("attributes leave out those of variants and read the platform's spelling of `required`", async () => {
  const values = [{ id: "1", name: "Lokal" }];
  const attributes = [
    { id: "10", name: "Asal", type: "PRODUCT_PROPERTY", is_requried: true, values },
    {
      id: "11",
      name: "Rasa",
      type: "PRODUCT_PROPERTY",
      is_required: true,
      is_multiple_selection: true,
      is_customizable: true,
      values,
    },
    {
      id: "12",
      name: "Umur",
      type: "PRODUCT_PROPERTY",
      value_data_format: "POSITIVE_INT_OR_DECIMAL",
    },
    { id: "13", name: "Warna", type: "SALES_PROPERTY", values },
  ];
  const query = { category_version: "v2", locale: "id-ID" };
  const url = await address("/product/202309/categories/601226/attributes", { query });
  network.on("GET", url, answer(200, ok({ attributes })));
  const found = await client().listAttributes(shop, "601226");
  expect(found[0]).toEqual({
    id: "10",
    name: "Asal",
    required: true,
    input: "one_of",
    free: false,
    options: values,
  });
  expect(found.map(({ id, required, input, free }) => [id, required, input, free])).toEqual([
    ["10", true, "one_of", false],
    ["11", true, "many_of", true],
    ["12", false, "number", true],
  ]);
});

test("a brand must match as a whole, though not in capitals", async () => {
  const query = {
    category_id: "601226",
    brand_name: "wafero",
    page_size: "100",
    category_version: "v2",
  };
  const url = await address("/product/202309/brands", { query });
  const brands = [
    { id: "1", name: "Wafero Junior" },
    { id: "2", name: "Wafero" },
  ];
  network.on("GET", url, answer(200, ok({ brands })));
  network.on("GET", url, answer(200, ok({ brands: brands.slice(0, 1) })));
  expect(await client().findBrand(shop, "601226", " wafero ")).toEqual({ id: "2", name: "Wafero" });
  expect(await client().findBrand(shop, "601226", "wafero")).toBeNull();
});

test("a picture goes with its use, without cipher, and unsigned (the vector)", async () => {
  const url = `${BASE}/product/202309/images/upload?app_key=testkey123&timestamp=1700000000&sign=532dad558e1fd1e8244b3cd2016d96c3cc2fd2bb978d7486f35180980acdaf0b`;
  network.on("POST", url, answer(200, ok({ uri: "tos-1", url: "x", height: 300, width: 300 })));
  expect(await client().uploadImage(shop, PNG, "png")).toBe("tos-1");
  const [sent] = network.sent;
  expect(await partsOf(sent?.bytes, sent?.headers["content-type"])).toEqual({
    use_case: "MAIN_IMAGE",
    data: [...PNG],
  });
});
