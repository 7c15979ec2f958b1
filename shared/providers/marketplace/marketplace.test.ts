import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { loadConfig } from "../../config/config.ts";
import { AppError } from "../../http/errors.ts";
import { parseBigJson } from "../big-json.ts";
import { leafPaths, type MarketCategory, marketplaceOf } from "../marketplace.ts";
import { createMarketplaces } from "./configured.ts";
import { boundedReason } from "./error.ts";
import { seconds } from "./fields.ts";
import { htmlOf } from "./html.ts";
import { nextCursor, windowAt } from "./window.ts";

describe("the marketplaces of a server", () => {
  const shared = { timeoutMs: 25, fetch: async () => new Response() };
  const NONE = {
    SHOPEE_PARTNER_KEY: "",
    LAZADA_APP_SECRET: undefined,
    TIKTOK_SHOP_APP_SECRET: undefined,
  };
  const config = (changes: object) => loadConfig({ ...env, ...changes });

  test("without keys are refused as not configured, and do not keep the Worker from serving", () => {
    const marketplaces = createMarketplaces(config(NONE), shared);
    expect(marketplaces).toEqual({ shopee: null, lazada: null, tokopedia: null });
    const refused = () => marketplaceOf(marketplaces, "shopee");
    expect(refused).toThrow(AppError);
    expect(refused).toThrow(/Shopee belum diaktifkan/);
    expect(() => marketplaceOf(marketplaces, "tokopedia")).toThrow(
      expect.objectContaining({ code: "not_configured", status: 503 }),
    );
  });

  test("with keys are there, each by itself", () => {
    const keys = {
      ...NONE,
      LAZADA_URL: "https://api.lazada.example/rest",
      LAZADA_AUTH_URL: "https://auth.lazada.example",
      LAZADA_APP_KEY: "123456",
      LAZADA_APP_SECRET: "helloworld",
    };
    const marketplaces = createMarketplaces(config(keys), shared);
    expect(marketplaces.shopee).toBeNull();
    expect(marketplaceOf(marketplaces, "lazada").platform).toBe("lazada");
  });
});

describe("the way to a leaf", () => {
  const category = (id: string, parentId: string | null, isLeaf = false): MarketCategory => ({
    id,
    parentId,
    name: `n${id}`,
    isLeaf,
  });

  test("is left out where it goes in a circle, or nowhere", () => {
    const categories = [
      category("1", null),
      category("2", "1", true),
      category("3", "4"),
      category("4", "3"),
      category("5", "4", true),
      category("6", "6", true),
      category("7", "99", true),
    ];
    expect(leafPaths(categories)).toEqual([{ id: "2", path: ["n1", "n2"] }]);
  });

  test("is the first of several: a category that comes again below itself breaks nothing", () => {
    const categories = [
      category("1", null),
      category("2", "1", true),
      category("1", "2"),
      category("2", "1", true),
    ];
    expect(leafPaths(categories)).toEqual([{ id: "2", path: ["n1", "n2"] }]);
  });
});

describe("windows of a span", () => {
  const at = (seconds: number) => new Date(seconds * 1000);
  const span = (cursor: string | null) => ({ since: at(1_000), until: at(3_500), cursor });

  test("follow each other without a gap and end with it", () => {
    const first = windowAt(span(null), 1_000);
    expect(first).toEqual({ from: 1_000, to: 2_000, inner: "" });
    expect(nextCursor(first, at(3_500), "abc~d")).toBe("1000~abc~d");
    expect(windowAt(span("1000~abc~d"), 1_000)).toEqual({ from: 1_000, to: 2_000, inner: "abc~d" });
    expect(nextCursor(first, at(3_500), null)).toBe("2000~");
    const last = windowAt(span("3000~"), 1_000);
    expect(last).toEqual({ from: 3_000, to: 3_500, inner: "" });
    expect(nextCursor(last, at(3_500), "")).toBeNull();
  });

  test("a cursor that is not ours starts anew", () => {
    expect(windowAt(span("x'; drop"), 1_000)).toEqual({ from: 1_000, to: 2_000, inner: "" });
  });
});

test("a moment that can be none is none, so that it holds up no other order", () => {
  const given = [1_700_000_000, "1700000000", 1_700_000_000_000, 1e300, -1, 0, null, "soon"];
  expect(given.map((value) => seconds.parse(value)?.toISOString() ?? null)).toEqual([
    "2023-11-14T22:13:20.000Z",
    "2023-11-14T22:13:20.000Z",
    ...[null, null, null, null, null, null],
  ]);
});

describe("texts", () => {
  test("of a platform become one bounded line without markup", () => {
    expect(boundedReason("  <a href='x'>No</a>\n\u0000 way\t! ")).toBe("No way !");
    expect(boundedReason("x".repeat(301))).toHaveLength(300);
  });

  test("of a seller become HTML in which nothing is markup", () => {
    expect(htmlOf("a < b & c\nd\n\n<script>alert(1)</script>")).toBe(
      "<p>a &lt; b &amp; c<br>d</p><p>&lt;script&gt;alert(1)&lt;/script&gt;</p>",
    );
  });
});

test("long whole numbers keep their digits, in lists and objects, and texts stay as they are", () => {
  const text =
    '{"id":576486316948490001,"list":[-1234567890123456789,7],"text":"5764863169484900011 \\" 1","price":0.1234567890123456,"e":1234567890123456e2}';
  expect(parseBigJson(text)).toEqual({
    id: "576486316948490001",
    list: ["-1234567890123456789", 7],
    text: '5764863169484900011 " 1',
    price: 0.1234567890123456,
    e: 1234567890123456e2,
  });
});
