import { expect, it } from "vitest";
import { pushSign, requestSign } from "./signature.ts";

const common = { app_key: "123456", sign_method: "sha256", timestamp: "1517820392000" };
const payload =
  '{"Request":{"Product":{"Skus":{"Sku":[{"ItemId":"740600001","SkuId":"1001","SellerSku":"BLT-001","Price":"75000","Quantity":"12"}]}}}}';
const vectors: [string, string, Record<string, string>, string][] = [
  [
    "the official sample",
    "/order/get",
    { access_token: "test", order_id: "1234" },
    "4190D32361CFB9581350222F345CB77F3B19F0E31D162316848A2C1FFD5FAB4A",
  ],
  [
    "a token create",
    "/auth/token/create",
    { code: "0_100132_sample" },
    "76E54FD7B7CF0488A715EE5976FA08311360864AA8B9B957265BB9C24A8A8473",
  ],
  [
    "a token refresh",
    "/auth/token/refresh",
    { refresh_token: "sample_refresh" },
    "5320E665079F5B795A5BA788C613DAE6E26408612B8E60A928F6A560B0231220",
  ],
  [
    "prices and stock",
    "/product/price_quantity/update",
    { access_token: "test", payload },
    "2FBF867980A50E86D12BB182B716D018DFAA123B6BFF218F76F9BDC002155EF7",
  ],
];

it.each(vectors)("signs %s as the documented vector", (_name, path, given, wanted) => {
  const parameters = new Map(Object.entries({ ...common, ...given }));
  expect(requestSign("helloworld", path, parameters)).toBe(wanted);
  parameters.set("empty", "").set("sign", "left out");
  expect(requestSign("helloworld", path, parameters)).toBe(wanted);
});

it("signs a push as the documented vector", () => {
  const body =
    '{"seller_id":"9999","message_type":0,"data":{"order_status":"pending","trade_order_id":"260422900198363"},"timestamp":1603766859191,"site":"lazada_id"}';
  expect(pushSign("helloworld", "123456", body)).toBe(
    "8e99edb1f72d956b6e6ff5a4eaffc77e79ecb9234573b563a69654eed4f84685",
  );
});
