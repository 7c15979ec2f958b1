import { expect, it } from "vitest";
import { pushSign, requestSign } from "./signature.ts";

const key = "test_partner_key_0001";
const vectors: [string, string[], string][] = [
  [
    "token/get",
    ["2001887", "/api/v2/auth/token/get", "1655714431"],
    "ce14694a970fefe08798e36a67310fb889a762561f8d15cc94393e68544de890",
  ],
  [
    "refresh",
    ["2001887", "/api/v2/auth/access_token/get", "1655714431"],
    "fd8afc6922f70fc0844d275eca3e28f7146312a8de298baa8b4379de79e53eef",
  ],
  [
    "auth_partner link",
    ["2001887", "/api/v2/shop/auth_partner", "1655714431"],
    "6e9296d1aa46111dcbbd6d0df4079f25d6f984c31c2b3374570dd61ec03206c6",
  ],
  [
    "upload_image",
    ["2001887", "/api/v2/media_space/upload_image", "1655714431"],
    "8ee080aec76fa360a16a2ca9b75b32a0f0d35935e527b583db6e7c4fbe68ad0a",
  ],
  [
    "get_shop_info",
    [
      "2001887",
      "/api/v2/shop/get_shop_info",
      "1655714431",
      "59777174636562737266615546704c6d",
      "14701711",
    ],
    "e65d1e88c74d6cde458da54aa46f4a575312840622dcd9fd593ce7d8fd39c6a3",
  ],
  [
    "add_item",
    ["2001887", "/api/v2/product/add_item", "1655714431", "sample_access_token", "14701711"],
    "9d307f84cf53608780d18b412bb2f436a575793b30911015d31e7a0a317cb4fc",
  ],
  [
    "update_stock",
    ["2001887", "/api/v2/product/update_stock", "1655714431", "sample_access_token", "14701711"],
    "58035495c14389572b44d80e5b6262eb5d8a337d6cc829cfb1e021d998b49166",
  ],
];

it.each(vectors)("signs %s as the documented vector", (_name, parts, wanted) => {
  expect(requestSign(key, parts)).toBe(wanted);
});

it("signs a push as the documented vector", () => {
  const body =
    '{"shop_id":14701711,"code":3,"timestamp":1655714431,"data":{"ordersn":"2206200001ABCD","status":"READY_TO_SHIP"}}';
  const url = "https://app.example.com/webhooks/shopee";
  expect(pushSign("test_push_key_0001", url, body)).toBe(
    "968f3f681297dc47a7b2bda1a053768e0522f5f948b5cc50893179344573689f",
  );
});
