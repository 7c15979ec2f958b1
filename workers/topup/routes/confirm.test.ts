import { beforeAll, describe, expect, it } from "vitest";
import { api } from "../../testing/api.ts";
import { postOrder as post } from "../testing/calls.ts";
import { booksOf, purchasesOf } from "../testing/outcomes.ts";
import {
  customer,
  dial,
  newPhone,
  SERVICES,
  shelve,
  stockShelves,
  supplierService,
} from "../testing/shop.ts";

const { diamonds, fire } = SERVICES;
const server = { ...diamonds, code: "GI60-S1", brand: "Genshin Impact" };
const riot = { ...fire, code: "VAL475-S1", brand: "Valorant" };

beforeAll(async () => {
  await stockShelves();
  for (const service of [server, riot]) {
    const { name, price } = await supplierService(service.code, {});
    const priced = { supplierPrice: price.basic, price: Math.ceil(price.basic * 1.07) };
    await shelve({ ...service, name, ...priced });
  }
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

  it.each([
    ["whatever is written as a zone, of a game without zones", SERVICES.voucher, [null, "1", "2"]],
    ["a zone with zeros before it", diamonds, ["2001", "02001", "002001"]],
    ["a server in other letters", server, ["os_asia", "OS_ASIA", "os asia"]],
  ])("asks of %s", async (_, { code: service }, zones) => {
    const [user, gameId] = [await customer(), newPhone()];
    await dial(gameId, { stay: true });
    const statuses: number[] = [];
    for (const zone of zones) {
      const { orderNumber } = (await post("game", user, { service, gameId, zone })).body.data;
      statuses.push((await post("process", user, { orderNumber })).status);
    }
    expect(statuses).toEqual([200, 409, 409]);
    expect(await purchasesOf(gameId)).toHaveLength(1);
  });

  it("asks of a player's name in other letters, and of a link's scheme and host in capitals", async () => {
    const user = await customer();
    const target = `www.instagram.com/${newPhone()}`;
    for (const match of [riot.code, target.slice(-12)]) await dial(match, { stay: true });
    const statuses: number[] = [];
    for (const gameId of ["Pemain#ID1", "pemain#id1"]) {
      const wish = { service: riot.code, gameId };
      const { orderNumber } = (await post("game", user, wish)).body.data;
      statuses.push((await post("process", user, { orderNumber })).status);
    }
    for (const link of [`https://${target}`, `HTTPS://${target.toUpperCase()}`]) {
      const wish = { service: SERVICES.likes.code, target: link, quantity: 100 };
      statuses.push((await post("social-media", user, wish)).status);
    }
    expect(statuses).toEqual([200, 409, 200, 409]);
  });

  it("takes null for what may be left out, in each form of an order", async () => {
    const [user, gameId, phoneNumber] = [await customer(), newPhone(), newPhone()];
    const nothing = { amount: null, quantity: null, confirm: null };
    const target = `@${newPhone()}`;
    for (const match of [gameId, phoneNumber, target]) await dial(match, { stay: true });
    const key = crypto.randomUUID();
    const { code: service } = SERVICES.credit;
    const bought = await post("prepaid", user, { service, phoneNumber, ...nothing }, key);
    expect(bought.body).toMatchObject({ success: true });
    // It is the same input as none.
    const again = await post("prepaid", user, { service, phoneNumber }, key);
    expect(again.body.data.orderNumber).toBe(bought.body.data.orderNumber);
    const social = { service: SERVICES.likes.code, target, ...nothing, quantity: 100 };
    expect((await post("social-media", user, social)).body).toMatchObject({ success: true });
    const none = await post("social-media", user, { ...social, quantity: null });
    expect([none.status, none.body.message]).toEqual([
      400,
      "Service, target, and quantity are required",
    ]);
    const wish = { service: diamonds.code, gameId, zone: "1234", quantity: null };
    const { orderNumber } = (await post("game", user, wish)).body.data;
    const paid = await post("process", user, { orderNumber, confirm: null });
    expect(paid.body).toMatchObject({ success: true });
  });

  it("takes the word only where it does something", async () => {
    const { components } = (await api("/openapi.json")).body;
    const asks = (name: string) => "confirm" in components.schemas[name].properties;
    expect(asks("TopupGameOrder")).toBe(false);
    const paying = ["TopupProcessOrder", "TopupPrepaidOrder", "TopupSocialOrder"];
    expect(paying.map(asks)).toEqual([true, true, true]);
    const { properties, required } = components.schemas.TopupPrepaidOrder;
    expect(required).toEqual(["service", "phoneNumber"]);
    expect(properties.amount.type).toEqual(["integer", "null"]);
  });
});
