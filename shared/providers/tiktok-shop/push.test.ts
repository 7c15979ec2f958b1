import { describe, expect, test } from "vitest";
import { FakeNetwork } from "../testing/fake-network.ts";
import { APP_KEY, APP_SECRET, fakeTikTokShop } from "../testing/tiktok-shop.ts";
import { signPush } from "./signature.ts";

const client = fakeTikTokShop(new FakeNetwork());
const official = fakeTikTokShop(new FakeNetwork(), { appKey: "abcdef", appSecret: "123" });
const BODY =
  '{"type":1,"tts_notification_id":"7380066284010030890","shop_id":"7495540735365777507","timestamp":1718305585,"data":{"is_on_hold_order":true,"order_id":"576653688135258178","order_status":"UNPAID","update_time":1718305585}}';
const SIGNATURE = "5dec0f11ec2f6783b8deee53c9ffbf8d024302f7c7e7fa55a35d17629031ac05";

async function pushed(rawBody: string) {
  const account = { appKey: APP_KEY, appSecret: APP_SECRET };
  return await client.parsePush({ authorization: await signPush(account, rawBody), rawBody });
}

describe("a push", () => {
  test("of the official vector names itself, shop, order and state", async () => {
    expect(await official.parsePush({ authorization: SIGNATURE, rawBody: BODY })).toEqual({
      key: "7380066284010030890",
      shopId: "7495540735365777507",
      at: new Date(1_718_305_585_000),
      signedWith: "app",
      event: { kind: "order", orderId: "576653688135258178", status: "UNPAID" },
    });
  });

  test.each([
    ["no signature", null, BODY],
    ["a prefix", `Bearer ${SIGNATURE}`, BODY],
    ["a changed body", SIGNATURE, BODY.replace("UNPAID", "COMPLETED")],
  ])("with %s is nobody's", async (_name, authorization, rawBody) => {
    expect(await official.parsePush({ authorization, rawBody })).toBeNull();
  });

  test("whose notification or shop id cannot be kept is known by its body, and is of no shop", async () => {
    const odd = '{"type":6,"tts_notification_id":"a\\u0000","shop_id":"\\ud800","data":{}}';
    expect(await pushed(odd)).toMatchObject({
      key: expect.stringMatching(/^6:[0-9a-f]{64}$/),
      shopId: null,
    });
  });

  test("without a notification id is known by its body", async () => {
    const push = await pushed('{"type":6,"shop_id":"1","timestamp":1700000000,"data":{}}');
    expect(push?.key).toMatch(/^6:[0-9a-f]{64}$/);
  });

  test.each([
    [
      '{"type":1,"shop_id":7495540735365777507,"data":{"order_id":576653688135258178,"order_status":"x"}}',
      "7495540735365777507",
      { kind: "order", orderId: "576653688135258178", status: "x" },
    ],
    ['{"type":5,"shop_id":"1","data":{"product_id":"77"}}', "1", { kind: "listing", itemId: "77" }],
    [
      '{"type":37,"shop_id":"1","data":{"product_id":"77"}}',
      "1",
      { kind: "listing", itemId: "77" },
    ],
    ['{"type":6,"shop_id":"1","data":{}}', "1", { kind: "deauthorised" }],
    ['{"type":7,"shop_id":"1","data":{}}', "1", { kind: "expiring", shopIds: ["1"] }],
    ['{"type":3,"shop_id":"1","data":{}}', "1", { kind: "other", code: "3" }],
  ])("is read: %s", async (rawBody, shopId, event) => {
    expect(await pushed(rawBody)).toMatchObject({ shopId, event });
  });
});
