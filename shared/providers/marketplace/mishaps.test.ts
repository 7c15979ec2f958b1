import { afterEach, describe, expect, test } from "vitest";
import type { FailureKind, Outcome } from "../http.ts";
import type { MarketplaceClient } from "../marketplace.ts";
import { MISHAPS, marketFailureOf } from "../testing/failures.ts";
import { FakeNetwork } from "../testing/fake-network.ts";
import { fakeLazada, readAddress, writeAddress } from "../testing/lazada.ts";
import { auth, ref } from "../testing/marketplace.ts";
import { fakeShopee, address as shopeeAddress } from "../testing/shopee.ts";
import { CIPHER, fakeTikTokShop, address as tiktokAddress } from "../testing/tiktok-shop.ts";
import type { MarketFault } from "./error.ts";

const network = new FakeNetwork();

afterEach(() => {
  network.verify();
});

interface Subject {
  name: string;
  client: MarketplaceClient;
  write: () => Promise<string>;
  read: () => Promise<[method: string, url: string]>;
}

const shop = auth({ shopCipher: CIPHER });
const one = [ref({ itemId: "7", skuId: "8" })];

const SUBJECTS: Subject[] = [
  {
    name: "shopee",
    client: fakeShopee(network),
    write: () => shopeeAddress("product/unlist_item"),
    read: async () => [
      "GET",
      await shopeeAddress("product/category_recommend", { item_name: "Keripik" }),
    ],
  },
  {
    name: "lazada",
    client: fakeLazada(network),
    write: () =>
      writeAddress("/product/deactivate", {
        apiRequestBody: '{"Request":{"Product":{"ItemId":"7"}}}',
      }),
    read: async () => [
      "GET",
      await readAddress("/product/category/suggestion/get", { product_name: "Keripik" }),
    ],
  },
  {
    name: "tokopedia",
    client: fakeTikTokShop(network),
    write: () =>
      tiktokAddress("/product/202309/products/deactivate", {
        json: { product_ids: ["7"], listing_platforms: ["TOKOPEDIA"] },
      }),
    read: async () => [
      "POST",
      await tiktokAddress("/product/202309/categories/recommend", {
        json: {
          product_title: "Keripik",
          category_version: "v2",
          listing_platform: "TOKOPEDIA",
        },
      }),
    ],
  },
];

function faultOfWrite(kind: FailureKind, outcome: Outcome): MarketFault {
  if (kind === "unauthorised") return "misconfigured";
  if (kind === "rate_limited") return "rate_limited";
  return outcome === "unknown" ? "unknown" : "unavailable";
}

describe.each(SUBJECTS)("$name", ({ client, write, read }) => {
  test.each(MISHAPS)("a write that meets $name is sent once", async (mishap) => {
    const { reply, kind, outcome, retryable } = mishap;
    network.on("POST", await write(), reply);
    const error = await marketFailureOf(client.setListed(shop, one, false));
    expect(error).toMatchObject({ kind, outcome, retryable, fault: faultOfWrite(kind, outcome) });
    expect(error.reason).toMatch(/^[A-Z].{10,}$/);
    expect(error.message).not.toMatch(/sample_access_token|sign=/);
  });

  test.each(MISHAPS)("a read that meets $name is never in doubt", async (mishap) => {
    const [method, url] = await read();
    // Repeated where there is hope in it, and not after a silence or a long time to wait.
    const waits = mishap.kind === "timeout" || mishap.kind === "rate_limited";
    const times = mishap.retryable && !waits ? 3 : 1;
    for (let time = 0; time < times; time += 1) network.on(method, url, mishap.reply);
    const error = await marketFailureOf(client.suggestCategory(shop, "Keripik"));
    expect(["unavailable", "misconfigured", "rate_limited"]).toContain(error.fault);
  });
});
