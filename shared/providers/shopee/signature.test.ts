import { expect, test } from "vitest";
import { PARTNER_ID, PARTNER_KEY, PUSH_KEY, PUSH_URL } from "../testing/shopee.ts";
import { signedQuery, signPath, signPush } from "./signature.ts";

const account = { partnerId: PARTNER_ID, partnerKey: PARTNER_KEY };
const TIME = 1_655_714_431;
const sample = { accessToken: "sample_access_token", shopId: "14701711" };

/** Computed in providers/shopee.md §4; the base string of the shop's own is the official worked example. */
const VECTORS = [
  {
    path: "/api/v2/auth/token/get",
    sign: "ce14694a970fefe08798e36a67310fb889a762561f8d15cc94393e68544de890",
  },
  {
    path: "/api/v2/auth/access_token/get",
    sign: "fd8afc6922f70fc0844d275eca3e28f7146312a8de298baa8b4379de79e53eef",
  },
  {
    path: "/api/v2/shop/auth_partner",
    sign: "6e9296d1aa46111dcbbd6d0df4079f25d6f984c31c2b3374570dd61ec03206c6",
  },
  {
    path: "/api/v2/media_space/upload_image",
    sign: "8ee080aec76fa360a16a2ca9b75b32a0f0d35935e527b583db6e7c4fbe68ad0a",
  },
  {
    path: "/api/v2/shop/get_shop_info",
    shop: { accessToken: "59777174636562737266615546704c6d", shopId: "14701711" },
    sign: "e65d1e88c74d6cde458da54aa46f4a575312840622dcd9fd593ce7d8fd39c6a3",
  },
  {
    path: "/api/v2/product/add_item",
    shop: sample,
    sign: "9d307f84cf53608780d18b412bb2f436a575793b30911015d31e7a0a317cb4fc",
  },
  {
    path: "/api/v2/product/update_stock",
    shop: sample,
    sign: "58035495c14389572b44d80e5b6262eb5d8a337d6cc829cfb1e021d998b49166",
  },
];

test.each(VECTORS)("vector $path", async ({ path, shop, sign }) => {
  expect(await signPath(account, path, TIME, shop)).toBe(sign);
});

test("the query names the app, whole seconds and the shop, and never the key", async () => {
  const now = new Date(TIME * 1000 + 999);
  expect(await signedQuery(account, "/api/v2/product/add_item", now, sample)).toEqual({
    partner_id: PARTNER_ID,
    timestamp: "1655714431",
    sign: "9d307f84cf53608780d18b412bb2f436a575793b30911015d31e7a0a317cb4fc",
    access_token: "sample_access_token",
    shop_id: "14701711",
  });
});

test("the vector of a push: address, bar, raw body", async () => {
  const body =
    '{"shop_id":14701711,"code":3,"timestamp":1655714431,"data":{"ordersn":"2206200001ABCD","status":"READY_TO_SHIP"}}';
  expect(await signPush(PUSH_KEY, PUSH_URL, body)).toBe(
    "968f3f681297dc47a7b2bda1a053768e0522f5f948b5cc50893179344573689f",
  );
});
