import { describe, expect, test } from "vitest";
import { FakeNetwork } from "../testing/fake-network.ts";
import { fakeShopee, PARTNER_KEY, PUSH_KEY, PUSH_URL } from "../testing/shopee.ts";
import { signPush } from "./signature.ts";

const client = fakeShopee(new FakeNetwork());
const BODY =
  '{"shop_id":14701711,"code":3,"timestamp":1655714431,"data":{"ordersn":"2206200001ABCD","status":"READY_TO_SHIP"}}';
const SIGNATURE = "968f3f681297dc47a7b2bda1a053768e0522f5f948b5cc50893179344573689f";

const pushed = async (body: object, key = PUSH_KEY) => {
  const rawBody = JSON.stringify(body);
  const authorization = await signPush(key, PUSH_URL, rawBody);
  return await client.parsePush({ authorization, rawBody });
};

describe("a push", () => {
  test("of the vector names shop, order and state", async () => {
    expect(await client.parsePush({ authorization: SIGNATURE, rawBody: BODY })).toEqual({
      key: expect.stringMatching(/^3:[0-9a-f]{64}$/),
      shopId: "14701711",
      at: new Date(1_655_714_431_000),
      signedWith: "push",
      event: { kind: "order", orderId: "2206200001ABCD", status: "READY_TO_SHIP" },
    });
  });

  test("signed with the partner key counts too, and says so", async () => {
    expect(await pushed({ shop_id: 1, code: 2 }, PARTNER_KEY)).toMatchObject({ signedWith: "app" });
  });

  test.each([
    ["no signature", null, BODY],
    ["an empty one", "", BODY],
    ["another one", SIGNATURE.replace("9", "8"), BODY],
    ["capitals", SIGNATURE.toUpperCase(), BODY],
    ["a changed body", SIGNATURE, BODY.replace("14701711", "14701712")],
    ["a body written anew", SIGNATURE, JSON.stringify(JSON.parse(BODY), null, 1)],
    ["no JSON", SIGNATURE, "hello"],
  ])("with %s is nobody's", async (_name, authorization, rawBody) => {
    expect(await client.parsePush({ authorization, rawBody })).toBeNull();
  });

  test("signed for another address is nobody's", async () => {
    const authorization = await signPush(PUSH_KEY, `${PUSH_URL}/`, BODY);
    expect(await client.parsePush({ authorization, rawBody: BODY })).toBeNull();
  });

  test("an empty key signs nothing", async () => {
    const open = fakeShopee(new FakeNetwork(), { pushKey: "" });
    const authorization = await signPush("", PUSH_URL, BODY).catch(() => "");
    expect(await open.parsePush({ authorization, rawBody: BODY })).toBeNull();
  });

  test("the console's test is answered without a signature, and means nothing", async () => {
    const rawBody = '{"code":0,"data":{"verify_info":"x"}}';
    expect(await client.parsePush({ authorization: null, rawBody })).toMatchObject({
      event: { kind: "ping" },
      signedWith: null,
    });
  });

  test.each([
    [{ shop_id: 1, code: 2, data: {} }, "1", { kind: "deauthorised" }],
    [{ shopid: 1, code: 2 }, "1", { kind: "deauthorised" }],
    [
      { shop_id: 1, code: 4, data: { ordersn: "A" } },
      "1",
      { kind: "order", orderId: "A", status: "" },
    ],
    [{ shop_id: 1, code: 6, data: { item_id: 77 } }, "1", { kind: "listing", itemId: "77" }],
    [{ shop_id: 1, code: 22, data: { item_id: 77 } }, "1", { kind: "other", code: "22" }],
    [
      { code: 12, data: { shop_expire_soon: [5, 6, 5], page_no: 1, total_page: 1 } },
      null,
      { kind: "expiring", shopIds: ["5", "6"] },
    ],
    [{ shop_id: 1, code: 10, data: { content: "hi" } }, "1", { kind: "other", code: "10" }],
    [{ shop_id: 1, code: 3, data: {} }, "1", { kind: "other", code: "3" }],
  ])("is read: %#", async (body, shopId, event) => {
    expect(await pushed(body)).toMatchObject({ shopId, event });
  });
});
