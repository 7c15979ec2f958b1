import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { balance } from "../../testing/orders.ts";
import { ORDERS, openOrder, post, REQUESTS, reason, stateOf } from "../testing/desk.ts";
import { stockService } from "../testing/reseller.ts";

let [one, two]: TestUser[] = [];
beforeAll(async () => {
  [one, two] = [await createUser(["admin"]), await createUser(["admin"])];
});
afterAll(async () => {
  await stockService("social");
  await stockService("prepaid");
});

describe("what an admin sends twice under one key", () => {
  it("adds to a stock once", async () => {
    const { id: serviceId } = await stockService("prepaid", { stock: 5 });
    const key = unique("key-");
    const add = (quantity: number) =>
      post(one, "/api/admin/topup/stock", { serviceId, quantity, reason }, key);
    const [first, again] = await Promise.all([add(10), add(10)]);
    expect(first.body.data).toEqual({ stock: 15, oldStock: 5, reserved: 0 });
    expect([again.status, again.body]).toEqual([200, first.body]);
    expect((await add(11)).status).toBe(422);
  });

  it("gives an order's money back once and says the same", async () => {
    const { reseller, id } = await openOrder();
    const key = unique("key-");
    const refund = () => post(one, `${ORDERS}/${id}/refund`, { reason }, key);
    const first = await refund();
    const again = await refund();
    expect([first.body.data.state, again.status, again.body]).toEqual(["done", 200, first.body]);
    expect((await post(one, `${ORDERS}/${id}/retry`, { reason }, key)).status).toBe(422);
    expect(await stateOf(reseller)).toBe("refunded");
    expect(await balance("wallet", reseller.user.userId)).toBe(5_000_000);
  });

  it("confirms or rejects once and says the same", async () => {
    for (const [verb, state] of [
      ["confirm", "done"],
      ["reject", "rejected"],
    ]) {
      const { id } = await openOrder(3000);
      const asked = await post(one, `${ORDERS}/${id}/refund`, { reason });
      const path = `${REQUESTS}/${asked.body.data.id}`;
      const key = unique("key-");
      const first = await post(two, `${path}/${verb}`, undefined, key);
      const again = await post(two, `${path}/${verb}`, undefined, key);
      expect([first.body.data.state, again.status, again.body]).toEqual([state, 200, first.body]);
      const other = verb === "confirm" ? "reject" : "confirm";
      expect((await post(two, `${path}/${other}`, undefined, key)).status).toBe(422);
    }
  });
});
