import { describe, expect, test } from "vitest";
import { api } from "../testing/api.ts";
import { createUser, type TestUser } from "../testing/factories.ts";
import { giveCoins } from "./test-gifts.ts";

const get = (path: string, user?: TestUser) => api(path, user ? { token: user.token } : {});

async function bought(user: TestUser, packageId: number): Promise<string> {
  const { body } = await api("/api/payment/create-transaction", {
    ...{ method: "POST", token: user.token, json: { packageId } },
  });
  return body.data.orderId;
}

describe.each(["/api/payment/user-balance", "/api/api/payment/user-balance"])("GET %s", (path) => {
  test("shows the coins that one may spend, bought or earned, as the one balance there is", async () => {
    const user = await createUser();
    const shown = (balance: number) => ({
      status: 200,
      body: { success: true, balance, data: { balance, topupBalance: balance } },
    });
    expect(await get(path, user)).toMatchObject(shown(0));
    await giveCoins(user.userId, 1_750);
    expect(await get(path, user)).toMatchObject(shown(1_750));
  });

  test("answers in the app's words to who is not signed in", async () => {
    expect(await get(path)).toMatchObject({
      status: 401,
      body: { success: false, message: "Token tidak ditemukan" },
    });
  });
});

describe("GET /api/payment/history", () => {
  test("lists the caller's purchases, the newest first, page by page, and nobody else's", async () => {
    const [user, other] = [await createUser(), await createUser()];
    const orders: string[] = [];
    for (const packageId of [1, 2, 101]) orders.unshift(await bought(user, packageId));
    await bought(other, 1);
    const { status, body } = await get("/api/payment/history", user);
    expect(status).toBe(200);
    expect(body.data.map(({ orderId }: { orderId: string }) => orderId)).toEqual(orders);
    expect(body.data[0]).toEqual({
      ...{ orderId: orders[0], status: "pending", coins: 70_000, amount: 10_000 },
      ...{ createdAt: expect.stringMatching(/Z$/), paidAt: null },
    });
    const second = await get("/api/payment/history?limit=2&page=2", user);
    expect(second.body.data).toEqual(body.data.slice(2));
  });

  test("is empty for who bought nothing, and closed without a token in the app's words", async () => {
    expect((await get("/api/payment/history", await createUser())).body).toEqual({
      ...{ success: true, data: [], page: 1, limit: 50 },
    });
    expect((await get("/api/payment/history")).body).toEqual({
      ...{ success: false, message: "Token tidak ditemukan" },
    });
  });
});

describe("GET /api/payment/check-status/:id", () => {
  test("answers as the status does, also about somebody else's purchase", async () => {
    const [user, other] = [await createUser(), await createUser()];
    const orderId = await bought(user, 1);
    const { status, body } = await get(`/api/payment/check-status/${orderId}`, user);
    expect([status, body]).toEqual([200, (await get(`/api/payment/status/${orderId}`, user)).body]);
    expect(await get(`/api/payment/check-status/${orderId}`, other)).toMatchObject({
      status: 404,
      body: { success: false, message: "Transaksi tidak ditemukan" },
    });
  });
});
