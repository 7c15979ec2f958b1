import { beforeAll, describe, expect, it } from "vitest";
import { api, type TestAnswer } from "../../testing/api.ts";
import type { TestUser } from "../../testing/factories.ts";
import { booksOf, purchasesOf } from "../testing/outcomes.ts";
import { customer, dial, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";

beforeAll(stockShelves);

const { diamonds } = SERVICES;

const post = (kind: string, user: TestUser, json: unknown, key?: string): Promise<TestAnswer> =>
  api(`/api/orders/${kind}`, {
    method: "POST",
    token: user.token,
    json,
    ...(key ? { headers: { "idempotency-key": key } } : {}),
  });

describe("a game order that repeats one of a moment ago", () => {
  it("asks where it is paid whether a like order is meant, and the same key may say so there", async () => {
    const [user, gameId, key] = [await customer(), newPhone(), crypto.randomUUID()];
    await dial(gameId, { stay: true });
    const numbers: string[] = [];
    for (let order = 0; order < 2; order += 1) {
      // A word ahead of time is none: who orders does not know yet what he will be asked.
      const wish = { service: diamonds.code, gameId, zone: "1234", confirm: true };
      const { status, body } = await post("game", user, wish);
      expect(status).toBe(200);
      numbers.push(body.data.orderNumber);
    }
    const [first = "", second = ""] = numbers;
    expect((await post("process", user, { orderNumber: first })).status).toBe(200);
    const asked = await post("process", user, { orderNumber: second }, key);
    const words = `The same order was placed a moment ago (${first}). Send "confirm": true to order it again`;
    expect(asked).toMatchObject({ status: 409, body: { success: false, message: words } });
    expect(await booksOf(user)).toMatchObject({ escrow: diamonds.price });
    const meant = await post("process", user, { orderNumber: second, confirm: true }, key);
    expect(meant).toMatchObject({ status: 200, body: { success: true } });
    const again = await post("process", user, { orderNumber: second, confirm: true }, key);
    expect(again).toMatchObject({ status: 200, body: { data: { orderNumber: second } } });
    expect(await booksOf(user)).toMatchObject({ escrow: 2 * diamonds.price });
    expect(await purchasesOf(gameId)).toHaveLength(2);
  });

  it("takes the word only where it does something", async () => {
    const { components } = (await api("/openapi.json")).body;
    const asks = (name: string) => "confirm" in components.schemas[name].properties;
    expect(asks("TopupGameOrder")).toBe(false);
    const paying = ["TopupProcessOrder", "TopupPrepaidOrder", "TopupSocialOrder"];
    expect(paying.map(asks)).toEqual([true, true, true]);
  });
});
