import { expect, it } from "vitest";
import { pushSign, requestSign } from "./signature.ts";

type Query = Record<string, string>;
const test: Query = { app_key: "testkey123", timestamp: "1700000000" };
const inventory =
  '{"skus":[{"id":"1729592969712207008","inventory":[{"warehouse_id":"7068517275539719942","quantity":12}]}]}';
const vectors: [string, string, string, Query, string, string][] = [
  [
    "the official sample",
    "e59af819cc",
    "/authorization/202309/shops",
    { app_key: "29a39d", timestamp: "1623812664" },
    "",
    "b596b73e0cc6de07ac26f036364178ab16b0a907af13d43f0a0cd2345f582dc8",
  ],
  [
    "the shops",
    "testsecret456",
    "/authorization/202309/shops",
    test,
    "",
    "6cb7f37fa025418888267f9f83457f86ca593efbf50bd88e554efe9ef8aff57d",
  ],
  [
    "an inventory update",
    "testsecret456",
    "/product/202309/products/1729592969712203232/inventory/update",
    { ...test, shop_cipher: "sample_cipher" },
    inventory,
    "897a07a8659c2038836948585129918b599c4a49ca616f1c0a7f9d21aace8317",
  ],
  [
    "an image upload, its body left out",
    "testsecret456",
    "/product/202309/images/upload",
    test,
    "",
    "532dad558e1fd1e8244b3cd2016d96c3cc2fd2bb978d7486f35180980acdaf0b",
  ],
];

it.each(vectors)(
  "signs %s as the documented vector",
  (_name, secret, path, query, body, wanted) => {
    expect(requestSign(secret, path, Object.entries(query), body)).toBe(wanted);
    const more: Query = { sign: "left out", access_token: "left out", ...query };
    expect(requestSign(secret, path, Object.entries(more), body)).toBe(wanted);
  },
);

it("signs a push as the official vector and as the computed one", () => {
  const official =
    '{"type":1,"tts_notification_id":"7380066284010030890","shop_id":"7495540735365777507","timestamp":1718305585,"data":{"is_on_hold_order":true,"order_id":"576653688135258178","order_status":"UNPAID","update_time":1718305585}}';
  expect(pushSign("123", "abcdef", official)).toBe(
    "5dec0f11ec2f6783b8deee53c9ffbf8d024302f7c7e7fa55a35d17629031ac05",
  );
  const computed =
    '{"type":1,"shop_id":"7494049642642441621","timestamp":1700000000,"data":{"order_id":"576486316948490001","order_status":"UNPAID","update_time":1700000000}}';
  expect(pushSign("testsecret456", "testkey123", computed)).toBe(
    "1b6a0e8aa46d2af9257f7dedc7dc6bfbc5216497eb570455cedfaa7565fb9d1e",
  );
});
