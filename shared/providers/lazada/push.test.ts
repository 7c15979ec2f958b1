import { describe, expect, test } from "vitest";
import { FakeNetwork } from "../testing/fake-network.ts";
import { APP_KEY, APP_SECRET, fakeLazada } from "../testing/lazada.ts";
import { signPush } from "./signature.ts";

const client = fakeLazada(new FakeNetwork());
const BODY =
  '{"seller_id":"9999","message_type":0,"data":{"order_status":"pending","trade_order_id":"260422900198363"},"timestamp":1603766859191,"site":"lazada_id"}';
const SIGNATURE = "8e99edb1f72d956b6e6ff5a4eaffc77e79ecb9234573b563a69654eed4f84685";

async function pushed(rawBody: string) {
  const account = { appKey: APP_KEY, appSecret: APP_SECRET };
  return await client.parsePush({ authorization: await signPush(account, rawBody), rawBody });
}

describe("a push", () => {
  test("of the vector names shop, order and state", async () => {
    expect(await client.parsePush({ authorization: SIGNATURE, rawBody: BODY })).toEqual({
      key: expect.stringMatching(/^0:[0-9a-f]{64}$/),
      shopId: "9999",
      at: new Date(1_603_766_859_191),
      signedWith: "app",
      event: { kind: "order", orderId: "260422900198363", status: "pending" },
    });
  });

  test.each([
    ["no signature", undefined, BODY],
    ["capitals", SIGNATURE.toUpperCase(), BODY],
    ["another one", SIGNATURE.replace("8", "9"), BODY],
    ["a changed body", SIGNATURE, BODY.replace("9999", "9998")],
  ])("with %s is nobody's", async (_name, authorization, rawBody) => {
    expect(await client.parsePush({ authorization, rawBody })).toBeNull();
  });

  test("that is signed but unreadable is nobody's", async () => {
    expect(await pushed("hello")).toBeNull();
    expect(await pushed('{"message_type":0}')).toBeNull();
  });

  test.each([
    [
      '{"seller_id":1,"message_type":0,"data":{"trade_order_id":98765432109876543,"order_status":"x"}}',
      { kind: "order", orderId: "98765432109876543", status: "x" },
    ],
    [
      '{"seller_id":1,"message_type":10,"data":{"trade_order_id":"7"}}',
      { kind: "order", orderId: "7", status: "" },
    ],
    [
      '{"seller_id":1,"message_type":4,"data":{"item_id":740600001}}',
      { kind: "listing", itemId: "740600001" },
    ],
    ['{"seller_id":1,"message_type":8,"data":{}}', { kind: "expiring", shopIds: ["1"] }],
    ['{"seller_id":1,"message_type":99,"data":{}}', { kind: "other", code: "99" }],
  ])("is read: %s", async (rawBody, event) => {
    expect(await pushed(rawBody)).toMatchObject({ shopId: "1", event });
  });
});
