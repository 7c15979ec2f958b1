import { afterEach, expect, test } from "vitest";
import { leafPaths } from "../marketplace.ts";
import { marketFailureOf } from "../testing/failures.ts";
import { answer, FakeNetwork } from "../testing/fake-network.ts";
import { fakeLazada, no, ok, readAddress, writeAddress } from "../testing/lazada.ts";
import { auth, JPEG, partsOf } from "../testing/marketplace.ts";

const network = new FakeNetwork();
const client = () => fakeLazada(network);

afterEach(() => {
  network.verify();
});

test("the tree of categories comes flat, with the way to its leaves", async () => {
  const leaf = { name: "Keripik", leaf: true, category_id: 3, var: false };
  const snacks = { name: "Camilan", leaf: false, category_id: 2, children: [leaf] };
  const data = [{ name: "Makanan", leaf: false, category_id: 1, children: [snacks] }];
  const url = await readAddress("/category/tree/get", { language_code: "id_ID" });
  network.on("GET", url, answer(200, ok(data)));
  const categories = await client().listCategories(auth());
  expect(categories).toEqual([
    { id: "1", parentId: null, name: "Makanan", isLeaf: false },
    { id: "2", parentId: "1", name: "Camilan", isLeaf: false },
    { id: "3", parentId: "2", name: "Keripik", isLeaf: true },
  ]);
  expect(leafPaths(categories)).toEqual([{ id: "3", path: ["Makanan", "Camilan", "Keripik"] }]);
});

test("a category is guessed from the name; no guess is none", async () => {
  const url = await readAddress("/product/category/suggestion/get", { product_name: "Keripik" });
  const categorySuggestions = [{ categoryId: 3, categoryName: "Keripik", categoryPath: "x" }];
  network.on("GET", url, answer(200, ok({ categorySuggestions })));
  network.on("GET", url, answer(200, no("701", "Empty category suggestion.")));
  expect(await client().suggestCategory(auth(), "Keripik")).toBe("3");
  expect(await client().suggestCategory(auth(), "Keripik")).toBeNull();
});

test("attributes name their place; what a listing says by itself is not asked for", async () => {
  const row = (name: string, input_type: string, changes: object = {}) => ({
    name,
    label: `Label ${name}`,
    is_mandatory: 0,
    is_sale_prop: 0,
    attribute_type: "normal",
    input_type,
    options: [],
    ...changes,
  });
  const data = [
    row("name", "text", { is_mandatory: 1 }),
    row("package_weight", "numeric", { attribute_type: "sku", is_mandatory: 1 }),
    row("warranty_type", "singleSelect", { is_mandatory: 1, options: [{ name: "No Warranty" }] }),
    row("model", "text", { attribute_type: "sku" }),
    row("color_family", "multiEnumInput", { attribute_type: "sku", is_sale_prop: 1 }),
    row("size_image", "img"),
  ];
  const query = { primary_category_id: "3", language_code: "id_ID" };
  const url = await readAddress("/category/attributes/get", query);
  network.on("GET", url, answer(200, ok(data)));
  const found = await client().listAttributes(auth(), "3");
  expect(found[0]).toEqual({
    id: "product.warranty_type",
    name: "Label warranty_type",
    required: true,
    input: "one_of",
    free: false,
    options: [{ id: "No Warranty", name: "No Warranty" }],
  });
  expect(found.map(({ id, input, free }) => [id, input, free])).toEqual([
    ["product.warranty_type", "one_of", false],
    ["sku.model", "text", true],
    ["saleProp.color_family", "many_of", true],
  ]);
});

test("a picture is sent in the field `image`, and its bytes are not signed", async () => {
  const url = await writeAddress("/image/upload", {});
  const image = { url: "https://id-live.slatic.net/p/1.jpg", hash_code: "h" };
  network.on("POST", url, answer(200, ok({ image })));
  expect(await client().uploadImage(auth(), JPEG, "jpeg")).toBe(image.url);
  const [sent] = network.sent;
  expect(await partsOf(sent?.bytes, sent?.headers["content-type"])).toEqual({ image: [...JPEG] });
});

test("a picture of more than three megabytes is not sent", async () => {
  const large = new Uint8Array(3_145_729);
  large.set(JPEG);
  expect(await marketFailureOf(client().uploadImage(auth(), large, "jpeg"))).toMatchObject({
    fault: "rejected",
    reason: expect.stringContaining("3 MB"),
  });
});

test("a shop needs no setup, and a brand goes by its name", async () => {
  expect(await client().getSetup(auth())).toEqual({ logisticIds: [], warehouseId: null });
  expect(await client().findBrand(auth(), "3", " Wafero ")).toEqual({
    id: "Wafero",
    name: "Wafero",
  });
});
