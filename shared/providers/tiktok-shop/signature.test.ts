import { expect, test } from "vitest";
import { APP_KEY, APP_SECRET } from "../testing/tiktok-shop.ts";
import { signedQuery, signPush, signRequest } from "./signature.ts";

const own = { app_key: APP_KEY, timestamp: "1700000000" };
const INVENTORY =
  '{"skus":[{"id":"1729592969712207008","inventory":[{"warehouse_id":"7068517275539719942","quantity":12}]}]}';

/** providers/tokopedia.md §4; the first is TikTok's own. */
const VECTORS = [
  {
    name: "official",
    secret: "e59af819cc",
    path: "/authorization/202309/shops",
    query: { app_key: "29a39d", timestamp: "1623812664" },
    body: "",
    sign: "b596b73e0cc6de07ac26f036364178ab16b0a907af13d43f0a0cd2345f582dc8",
  },
  {
    name: "shops",
    secret: APP_SECRET,
    path: "/authorization/202309/shops",
    query: own,
    body: "",
    sign: "6cb7f37fa025418888267f9f83457f86ca593efbf50bd88e554efe9ef8aff57d",
  },
  {
    name: "inventory update",
    secret: APP_SECRET,
    path: "/product/202309/products/1729592969712203232/inventory/update",
    query: { ...own, shop_cipher: "sample_cipher" },
    body: INVENTORY,
    sign: "897a07a8659c2038836948585129918b599c4a49ca616f1c0a7f9d21aace8317",
  },
  {
    name: "image upload, whose body is left out",
    secret: APP_SECRET,
    path: "/product/202309/images/upload",
    query: own,
    body: "",
    sign: "532dad558e1fd1e8244b3cd2016d96c3cc2fd2bb978d7486f35180980acdaf0b",
  },
];

test.each(VECTORS)("vector: $name", async ({ secret, path, query, body, sign }) => {
  expect(await signRequest(secret, path, query, body)).toBe(sign);
  const more = { ...query, sign: "x", access_token: "y" };
  expect(await signRequest(secret, path, more, body)).toBe(sign);
});

test("the query carries whole seconds and the signature, and never the secret", async () => {
  const account = { appKey: APP_KEY, appSecret: APP_SECRET };
  const context = { now: new Date(1_700_000_000_999), body: INVENTORY };
  const path = "/product/202309/products/1729592969712203232/inventory/update";
  expect(await signedQuery(account, path, { shop_cipher: "sample_cipher" }, context)).toEqual({
    shop_cipher: "sample_cipher",
    app_key: APP_KEY,
    timestamp: "1700000000",
    sign: "897a07a8659c2038836948585129918b599c4a49ca616f1c0a7f9d21aace8317",
  });
});

test.each([
  {
    name: "official",
    account: { appKey: "abcdef", appSecret: "123" },
    body: '{"type":1,"tts_notification_id":"7380066284010030890","shop_id":"7495540735365777507","timestamp":1718305585,"data":{"is_on_hold_order":true,"order_id":"576653688135258178","order_status":"UNPAID","update_time":1718305585}}',
    sign: "5dec0f11ec2f6783b8deee53c9ffbf8d024302f7c7e7fa55a35d17629031ac05",
  },
  {
    name: "computed",
    account: { appKey: APP_KEY, appSecret: APP_SECRET },
    body: '{"type":1,"shop_id":"7494049642642441621","timestamp":1700000000,"data":{"order_id":"576486316948490001","order_status":"UNPAID","update_time":1700000000}}',
    sign: "1b6a0e8aa46d2af9257f7dedc7dc6bfbc5216497eb570455cedfaa7565fb9d1e",
  },
])("vector of a push: $name", async ({ account, body, sign }) => {
  expect(await signPush(account, body)).toBe(sign);
});
