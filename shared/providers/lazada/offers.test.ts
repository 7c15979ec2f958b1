import { afterEach, describe, expect, test } from "vitest";
import type { PriceChange } from "../marketplace.ts";
import { marketFailureOf } from "../testing/failures.ts";
import { answer, FakeNetwork, type Reply } from "../testing/fake-network.ts";
import { fakeLazada, no, ok, payloadOf, writeAddress } from "../testing/lazada.ts";
import { auth, ref } from "../testing/marketplace.ts";

const network = new FakeNetwork();
const client = () => fakeLazada(network);

afterEach(() => {
  network.verify();
});

const change = (sku: string, priceIdr = 80_000): PriceChange => ({
  ref: ref({ itemId: `1${sku}`, skuId: `2${sku}`, sku }),
  priceIdr,
});

async function expectPrices(skus: string[], reply: Reply) {
  const Sku = skus.map((sku) => ({
    ItemId: `1${sku}`,
    SkuId: `2${sku}`,
    SellerSku: sku,
    Price: "80000",
  }));
  const url = await writeAddress("/product/price_quantity/update", payloadOf({ Skus: { Sku } }));
  network.on("POST", url, reply);
}

describe("prices", () => {
  test("go together in one call, which names no quantity", async () => {
    await expectPrices(["1", "2"], answer(200, ok({})));
    expect(await client().setPrices(auth(), [change("1"), change("2")])).toEqual([
      { sku: "1", ok: true },
      { sku: "2", ok: true },
    ]);
  });

  test("a batch that is refused is sent one by one, so that each speaks for itself", async () => {
    await expectPrices(["1", "2", "3"], answer(200, no("501", "Update product failed")));
    await expectPrices(["1"], answer(200, ok({})));
    await expectPrices(["2"], answer(200, no("4137", "ITEM_NOT_FOUND")));
    await expectPrices(["3"], answer(200, ok({})));
    const outcomes = await client().setPrices(auth(), [change("1"), change("2"), change("3")]);
    expect(outcomes).toMatchObject([
      { sku: "1", ok: true },
      { sku: "2", ok: false, fault: "not_found" },
      { sku: "3", ok: true },
    ]);
  });

  test("what surely would be refused does not hold up the others", async () => {
    await expectPrices(["1", "3"], answer(200, ok({})));
    const incomplete = { ref: ref({ skuId: null, sku: "4" }), priceIdr: 80_000 };
    const changes = [change("1"), change("2", 0), change("3"), incomplete];
    expect(await client().setPrices(auth(), changes)).toMatchObject([
      { sku: "1", ok: true },
      { sku: "2", ok: false, fault: "rejected" },
      { sku: "3", ok: true },
      { sku: "4", ok: false, fault: "rejected" },
    ]);
  });

  test.each([
    ["IllegalAccessToken", "token_expired"],
    ["ApiCallLimit", "rate_limited"],
    ["ServiceTimeout", "unknown"],
  ])("%s concerns the whole batch", async (code, fault) => {
    await expectPrices(["1", "2"], answer(200, no(code)));
    const call = client().setPrices(auth(), [change("1"), change("2")]);
    expect(await marketFailureOf(call)).toMatchObject({ fault });
  });

  test("that are sent one by one take a turn each", async () => {
    for (const skus of [["1", "2"], ["1"], ["2"]]) {
      await expectPrices(skus, answer(200, no("4170", "locked")));
    }
    const turns: string[] = [];
    const turn = async (kind: string) => {
      turns.push(kind);
    };
    await client().setPrices({ ...auth(), turn }, [change("1"), change("2")]);
    expect(turns).toEqual(["write", "write", "write"]);
  });

  test("more than twenty at once are not sent; none is nothing to do", async () => {
    const many = Array.from({ length: 21 }, (_, index) => change(String(index)));
    expect(await marketFailureOf(client().setPrices(auth(), many))).toMatchObject({
      code: "batch_size",
    });
    expect(await client().setPrices(auth(), [])).toEqual([]);
  });
});

test("stock is what may still be sold", async () => {
  const Sku = [{ ItemId: "740600001", SkuId: "1001", SellerSku: "BLT-001", SellableQuantity: "7" }];
  const url = await writeAddress("/product/stock/sellable/update", payloadOf({ Skus: { Sku } }));
  network.on("POST", url, answer(200, ok({})));
  const setup = { logisticIds: [], warehouseId: null };
  const stocks = [{ ref: ref({ skuId: "1001" }), stock: 7, setup }];
  expect(await client().setStocks(auth(), stocks)).toEqual([{ sku: "BLT-001", ok: true }]);
});
