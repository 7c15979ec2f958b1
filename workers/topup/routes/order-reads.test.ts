import { beforeAll, describe, expect, it, vi } from "vitest";
import { paceOf } from "../../../shared/providers/vip-reseller.ts";
import { api } from "../../testing/api.ts";
import { failureBody } from "../../testing/envelopes.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";
import { followOrders } from "../orders/follow.ts";
import { placePrepaid } from "../orders/place.ts";
import { askAboutOrder } from "../orders/read.ts";
import { bench } from "../testing/bench.ts";
import { postOrder as post } from "../testing/calls.ts";
import { theOrderOf } from "../testing/outcomes.ts";
import { customer, dial, hand, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";

beforeAll(stockShelves);

const { credit, diamonds, likes, token } = SERVICES;

const get = (path: string, user: TestUser) => api(`/api/orders/${path}`, { token: user.token });

/** The record is written behind the answer. */
const recorded = (target: string) =>
  vi.waitFor(
    async () => {
      const order = await theOrderOf(target);
      expect(order.state).not.toBe("buying");
      return order;
    },
    { interval: 5 },
  );

describe("GET /api/orders/…", () => {
  async function delivered(user: TestUser) {
    const phoneNumber = newPhone().slice(0, 12);
    await dial(phoneNumber, { stay: true });
    await post("prepaid", user, { service: token.code, phoneNumber });
    const order = await recorded(phoneNumber);
    await hand("succeed", order.trxid ?? "", { note: "9999-8888-7777/BUDI" });
    await followOrders(bench({ laterMs: 60_000 }).ctx);
    return order;
  }

  it("tells the owner of his order, with its token", async () => {
    const user = await customer();
    const { number, target, trxid, id } = await delivered(user);
    const answer = await get(`prepaid?orderNumber=${number}`, user);
    expect(answer.body).toEqual({
      success: true,
      data: {
        orderNumber: number,
        externalId: trxid,
        status: "SUCCESS",
        totalAmount: token.price,
        refundedAmount: 0,
        customerData: { phoneNumber: target, service: token.name, provider: token.code },
        items: [
          expect.objectContaining({ id, product: expect.objectContaining({ sku: token.code }) }),
        ],
        createdAt: expect.any(String),
        updatedAt: expect.any(String),
        notes: null,
        sn: "9999-8888-7777/BUDI",
      },
    });
    const byTrxid = await get(`prepaid?trxId=${trxid}&orderNumber=PRE-0-X`, user);
    expect(byTrxid.body.data).toMatchObject({
      trxId: trxid,
      status: "success",
      phoneNumber: target,
      price: token.price,
      note: "9999-8888-7777/BUDI",
    });
    const processed = await get(`process?orderNumber=${number}`, user);
    const { price: amount } = token;
    const payment = { method: "WALLET", status: "PAID", amount, refundedAmount: 0 };
    expect(processed.body.data).toEqual({
      ...answer.body.data,
      payment: { ...payment, paidAt: expect.any(String) },
    });
  });

  it("tells of a social order its target, quantity and platform, in both forms", async () => {
    const user = await customer();
    const target = `@${newPhone()}`;
    await dial(target, { stay: true });
    await post("social-media", user, { service: likes.code, target, quantity: 200 });
    const { number, trxid, amount } = await recorded(target);
    const { data } = (await get(`social-media?orderNumber=${number}`, user)).body;
    // Of a thousand: of one it would be no rupiah, or some that do not add up.
    const [price, unit] = [Math.round(amount * 5), 1_000];
    expect(data).toMatchObject({
      ...{ orderNumber: number, externalId: trxid, status: "PROCESSING", totalAmount: amount },
      customerData: { target, quantity: 200, service: likes.name, platform: likes.brand },
      items: [{ quantity: 200, price, unit, product: { name: likes.name, sku: likes.code } }],
      ...{ notes: null, sn: null },
    });
    await hand("process", trxid ?? "");
    const asked = await get(`social-media?trxId=${trxid}`, user);
    expect(asked.body).toEqual({
      success: true,
      data: {
        ...{ trxId: trxid, status: "processing", target, quantity: 200, service: likes.name },
        ...{ price: amount, note: "", sn: null },
        ...{ createdDate: expect.any(String), lastUpdate: expect.any(String) },
      },
    });
  });

  it("tells of a game order its player and zone", async () => {
    const user = await customer();
    const gameId = newPhone();
    const quote = { service: diamonds.code, gameId, zone: "2611" };
    const { orderNumber } = (await post("game", user, quote)).body.data;
    const { data } = (await get(`game?orderNumber=${orderNumber}`, user)).body;
    const { name: service, code: provider } = diamonds;
    expect(data.customerData).toEqual({ gameId, zone: "2611", service, provider });
  });

  it("hides it from others, and its token from admins", async () => {
    const owner = await customer();
    const { number, trxid } = await delivered(owner);
    const [stranger, admin] = [await customer(), await createUser(["admin"])];
    for (const query of [`orderNumber=${number}`, `trxId=${trxid}`]) {
      for (const path of ["prepaid", "process"]) {
        const hidden = await get(`${path}?${query}`, stranger);
        expect([hidden.status, hidden.body]).toEqual([
          404,
          failureBody("topup", 404, "Order not found"),
        ]);
        const seen = await get(`${path}?${query}`, admin);
        expect([seen.status, seen.body.data.sn]).toEqual([200, null]);
        expect(JSON.stringify(seen.body)).not.toContain("9999-8888");
      }
      expect((await get(`social-media?${query}`, owner)).status).toBe(404);
      expect((await api(`/api/orders/prepaid?${query}`)).status).toBe(401);
    }
  });

  it("asks the supplier about an order under way, once in five seconds whoever asks", async () => {
    const user = await customer();
    const phoneNumber = newPhone();
    await dial(phoneNumber, { stay: true });
    await post("prepaid", user, { service: credit.code, phoneNumber });
    const { trxid } = await recorded(phoneNumber);
    const steps = async (laterMs: number) => {
      const one = bench({ actor: user, laterMs });
      await askAboutOrder(one.ctx, { trxid: trxid ?? "" });
      return one.steps();
    };
    // The database, the supplier, the database; or the database alone.
    const first = await Promise.all([steps(0), steps(0), steps(0)]);
    expect(first.sort()).toEqual([1, 1, 3]);
    expect([await steps(3_000), await steps(8_000)]).toEqual([1, 3]);
    await hand("succeed", trxid ?? "");
    await steps(60_000);
    expect(await theOrderOf(phoneNumber)).toMatchObject({ state: "success" });
    expect(await steps(120_000)).toBe(1);
  });

  it("tells of an order under way what is known here, while other questions to the supplier wait", async () => {
    const user = await customer();
    const phoneNumber = newPhone();
    await dial(phoneNumber, { stay: true });
    await post("prepaid", user, { service: credit.code, phoneNumber });
    const { trxid, number } = await recorded(phoneNumber);
    await hand("succeed", trxid ?? "");
    const gate = { take: async () => ({ granted: false, waitMs: 600 }) };
    const pace = paceOf(() => gate, { longestMs: 20_000, sleep: async () => undefined });
    const { ctx } = bench({ actor: user, pace });
    const { order, purchase } = await askAboutOrder(ctx, { trxid: trxid ?? "" });
    expect(order).toMatchObject({ number, state: "processing" });
    expect(purchase).toBeNull();
  });

  it("answers 200 and no success when the supplier cannot tell", async () => {
    const user = await customer();
    const phoneNumber = newPhone();
    await dial(phoneNumber, { stay: true });
    await post("prepaid", user, { service: credit.code, phoneNumber });
    const { trxid } = await recorded(phoneNumber);
    await dial(trxid ?? "", { say: "IP 1.2.3.4 is not permitted" });
    const answer = await get(`prepaid?trxId=${trxid}`, user);
    const message = "Failed to check order status";
    expect([answer.status, answer.body]).toEqual([
      200,
      { success: false, message, error: message },
    ]);
  });

  it("answers 200 and no success when the supplier knows no such order", async () => {
    const user = await customer();
    const phoneNumber = newPhone();
    await dial(phoneNumber, { stay: true });
    await post("prepaid", user, { service: credit.code, phoneNumber });
    const { trxid } = await recorded(phoneNumber);
    await dial(trxid ?? "", { say: "Transaksi tidak ditemukan." });
    const answer = await get(`prepaid?trxId=${trxid}`, user);
    const message = "The provider does not know this transaction";
    expect([answer.status, answer.body]).toEqual([
      200,
      { success: false, message, error: message },
    ]);
  });

  it("tells of an unpaid order that nothing was paid for it", async () => {
    const user = await customer();
    const quote = { service: diamonds.code, gameId: newPhone(), zone: "2611" };
    const { orderNumber } = (await post("game", user, quote)).body.data;
    const { data } = (await get(`process?orderNumber=${orderNumber}`, user)).body;
    expect(data).toMatchObject({ status: "PENDING", payment: null });
    const read = await get(`game?orderNumber=${orderNumber}`, user);
    expect(read.body.data).toMatchObject({ orderNumber, status: "PENDING", sn: null });
    expect((await get(`prepaid?orderNumber=${orderNumber}`, user)).status).toBe(404);
  });

  it("needs to be told which", async () => {
    const user = await customer();
    for (const path of ["prepaid", "social-media", "game", "process"]) {
      const answer = await get(path, user);
      const words = "orderNumber or trxId parameter required";
      expect([answer.status, answer.body]).toEqual([400, failureBody("topup", 400, words)]);
    }
  });
});

it("an order takes one round trip before its answer", async () => {
  const user = await customer();
  const { ctx, steps, settle } = bench({ actor: user });
  const phoneNumber = newPhone();
  await dial(phoneNumber, { stay: true });
  const pending: Promise<unknown>[] = [];
  const quiet = { ...ctx, waitUntil: (work: Promise<unknown>) => void pending.push(work) };
  let stepsAtAnswer = 0;
  await placePrepaid(quiet, { service: credit.code, phoneNumber }).then(() => {
    stepsAtAnswer = steps();
  });
  // One of the database, one of the supplier, and the record that has just set out behind the answer.
  expect(stepsAtAnswer).toBe(3);
  await Promise.all(pending);
  await settle();
});
