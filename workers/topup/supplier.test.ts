import { afterEach, describe, expect, it } from "vitest";
import { failureOf } from "../../shared/providers/testing/failures.ts";
import type { SupplierFamily, SupplierOrder } from "../../shared/providers/vip-reseller.ts";
import { standIns, testContext } from "../testing/api.ts";

const { vipReseller } = testContext().providers;
const url = standIns().vipReseller;

let made = 0;
/** A number that no other test orders for. */
function newNumber(): string {
  made += 1;
  return `0812${String(Date.now()).slice(-6)}${String(made).padStart(2, "0")}`;
}

const dial = async (match: string, dials: Record<string, unknown>) => {
  const answer = await fetch(`${url}/_dials`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ match, ...dials }),
  });
  expect(answer.status).toBe(200);
};

afterEach(async () => {
  await fetch(`${url}/_dials`, { method: "DELETE" });
});

/** Asks until the supplier has ended the order. */
async function ended(family: SupplierFamily, trxid: string): Promise<SupplierOrder> {
  for (let asked = 0; asked < 200; asked += 1) {
    const [order] = await vipReseller.getOrderStatus(family, { trxid });
    if (order && order.status !== "waiting" && order.status !== "processing") return order;
  }
  throw new Error("the order does not end");
}

describe("the client, with the supplier's twin", () => {
  it("knows the account and all three lists", async () => {
    expect(await vipReseller.getProfile()).toMatchObject({ level: "basic" });
    expect((await vipReseller.getBalance()).balance).toBeGreaterThan(0);
    expect((await vipReseller.getGameServices()).length).toBeGreaterThan(100);
    expect((await vipReseller.getPrepaidServices()).length).toBeGreaterThan(100);
    expect((await vipReseller.getSocialMediaServices()).length).toBeGreaterThan(30);
    expect((await vipReseller.getServiceStock("ML5-S1"))?.stock).toBeGreaterThan(0);
    expect(await vipReseller.getServiceStock("TIDAK-ADA")).toBeNull();
  });

  it("buys of each family, and finds the order by its id and in the list", async () => {
    const number = newNumber();
    const orders = [
      ["prepaid", await vipReseller.createPrepaidOrder({ service: "S5", target: number })],
      [
        "game",
        await vipReseller.createGameOrder({ service: "ML5-S1", target: "12345678", zone: "1234" }),
      ],
      [
        "social",
        await vipReseller.createSocialMediaOrder({
          service: "1001",
          quantity: 100,
          target: `https://contoh.example/${number}`,
        }),
      ],
    ] as const;
    for (const [family, result] of orders) {
      if (result.state !== "accepted") throw new Error(`${family} was refused: ${result.text}`);
      const { trxid, priceIdr, balanceAfterIdr } = result.order;
      expect(priceIdr).toBeGreaterThan(0);
      expect(balanceAfterIdr).toBeGreaterThan(0);
      const latest = await vipReseller.getOrderStatus(family, { limit: 10 });
      expect(latest.map((order) => order.trxid)).toContain(trxid);
      expect(await ended(family, trxid)).toMatchObject({ trxid, status: "success" });
    }
  });

  it("tells a partial social order with what is left of it", async () => {
    const target = `https://contoh.example/${newNumber()}`;
    await dial(target, { partial: 40 });
    const order = { service: "1001", quantity: 100, target };
    const result = await vipReseller.createSocialMediaOrder(order);
    if (result.state !== "accepted") throw new Error("the order was refused");
    expect(await ended("social", result.order.trxid)).toMatchObject({
      status: "partial",
      quantity: 100,
      remain: 40,
    });
  });

  it("calls a low balance a refusal, and a web page after a purchase a doubt", async () => {
    const target = newNumber();
    await dial(target, { lowBalance: true });
    expect(await vipReseller.createPrepaidOrder({ service: "S5", target })).toMatchObject({
      state: "refused",
      reason: "low_balance",
    });
    await fetch(`${url}/_dials`, { method: "DELETE" });
    await dial(target, { rubbish: { count: 1, acts: true } });
    const error = await failureOf(vipReseller.createPrepaidOrder({ service: "S5", target }));
    expect(error.outcome).toBe("unknown");
    const bought = await vipReseller.getPrepaidOrderStatus({ limit: 20 });
    expect(bought.filter((order) => order.target === target)).toHaveLength(1);
  });

  it("does not let an address that is not listed pass for an empty list", async () => {
    await dial("services", { callerAddress: "203.0.113.7" });
    expect(await failureOf(vipReseller.getGameServices())).toMatchObject({
      code: "not_permitted_address",
    });
  });
});
