import { expect, test } from "vitest";
import { APP_KEY, APP_SECRET, AT } from "../testing/lazada.ts";
import { signCall, signPush, systemParams } from "./signature.ts";

const system = { app_key: APP_KEY, sign_method: "sha256", timestamp: String(AT.getTime()) };

/** providers/lazada.md §3; the first is Lazada's own. */
const VECTORS = [
  {
    path: "/order/get",
    params: { access_token: "test", order_id: "1234" },
    sign: "4190D32361CFB9581350222F345CB77F3B19F0E31D162316848A2C1FFD5FAB4A",
  },
  {
    path: "/auth/token/create",
    params: { code: "0_100132_sample" },
    sign: "76E54FD7B7CF0488A715EE5976FA08311360864AA8B9B957265BB9C24A8A8473",
  },
  {
    path: "/auth/token/refresh",
    params: { refresh_token: "sample_refresh" },
    sign: "5320E665079F5B795A5BA788C613DAE6E26408612B8E60A928F6A560B0231220",
  },
  {
    path: "/product/price_quantity/update",
    params: {
      access_token: "test",
      payload:
        '{"Request":{"Product":{"Skus":{"Sku":[{"ItemId":"740600001","SkuId":"1001","SellerSku":"BLT-001","Price":"75000","Quantity":"12"}]}}}}',
    },
    sign: "2FBF867980A50E86D12BB182B716D018DFAA123B6BFF218F76F9BDC002155EF7",
  },
];

test.each(VECTORS)("vector $path", async ({ path, params, sign }) => {
  expect(await signCall(APP_SECRET, path, { ...system, ...params })).toBe(sign);
});

test("empty values and the signature itself are left out", async () => {
  const params = { ...system, access_token: "test", order_id: "1234", empty: "", sign: "x" };
  expect(await signCall(APP_SECRET, "/order/get", params)).toBe(VECTORS[0]?.sign);
});

test("the system parameters carry milliseconds and the token, and never the secret", async () => {
  const account = { appKey: APP_KEY, appSecret: APP_SECRET };
  const own = { order_id: "1234" };
  const context = { now: AT, accessToken: "test" };
  expect(await systemParams(account, "/order/get", own, context)).toEqual({
    app_key: "123456",
    timestamp: "1517820392000",
    sign_method: "sha256",
    access_token: "test",
    sign: VECTORS[0]?.sign,
  });
});

test("the vector of a push: app key, then the raw body, in small letters", async () => {
  const body =
    '{"seller_id":"9999","message_type":0,"data":{"order_status":"pending","trade_order_id":"260422900198363"},"timestamp":1603766859191,"site":"lazada_id"}';
  expect(await signPush({ appKey: APP_KEY, appSecret: APP_SECRET }, body)).toBe(
    "8e99edb1f72d956b6e6ff5a4eaffc77e79ecb9234573b563a69654eed4f84685",
  );
});
