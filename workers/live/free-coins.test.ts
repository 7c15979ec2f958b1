import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { api } from "../testing/api.ts";
import { createUser } from "../testing/factories.ts";
import { coinsOf, createGiver, giveCoins } from "./test-gifts.ts";
import { execute, get, post } from "./testing/people.ts";

/** The doors of the original by which a client gave coins, income or a price to himself (CM-1, CM-4, CM-16, CM-50). */
const DOORS = [
  ["POST", "/api/topup", { amount: 1_000_000, method: "gopay" }],
  ["POST", "/api/user-vip/topup/record", { amount: 1_000_000 }],
  ["POST", "/api/payment/verify-gplay-receipt", { packageId: 1, transactionId: "apa-saja" }],
  ["POST", "/api/income/live-update", { income: 1_000_000 }],
  ["POST", "/api/income/exchange", { amount: -1_000_000 }],
  ["POST", "/api/notification", { message: "Resmi" }],
  ["POST", "/api/jp-gift/send", { giftPrice: -1_000_000, combo: 9, roomId: "r" }],
  ["POST", "/api/luxury/send", { giftPrice: -1_000_000, count: 1, roomId: "r" }],
  ["POST", "/api/super-admin/transfer-coin", { amount: 1_000_000 }],
  ["PUT", "/api/admin/user/:id/balance", { balance: 1_000_000 }],
] as const;

describe("coins come from settled payments, gifts and salaries alone", () => {
  it.each(DOORS)(
    "%s %s is no way to any: not for a guest, not for a user, not for an admin",
    async (method, path, json) => {
      const [user, admin] = [await createUser(), await createUser(["admin"])];
      const url = path.replace(":id", String(user.userId));
      const named = { ...json, userId: user.userId, hostId: user.userId, receiverId: admin.userId };
      for (const token of [undefined, user.token, admin.token]) {
        const answer = await api(url, { method, json: named, ...(token && { token }) });
        expect(answer.status).toBe(404);
      }
      expect([await coinsOf(user.userId), await coinsOf(admin.userId)]).toEqual([0, 0]);
      expect((await get("/api/chat/conversations", user)).body.conversations).toEqual([]);
    },
  );
});

describe("a wallet beyond 32 bits", () => {
  it("is whole wherever it is shown, spent, earned and ranked (CM-52)", async () => {
    const [giver, host] = [await createGiver(), await createUser()];
    for (let i = 0; i < 40; i += 1) await giveCoins(giver.userId, 117_000_000);
    await giveCoins(host.userId, 2_147_483_647);
    const gift = { receiverId: host.userId, giftId: "cake", coinValue: 5_000, quantity: 999 };
    const { body } = await post("/api/gifts/send", giver, gift);
    expect(body.data).toMatchObject({ totalCost: 4_995_000, hostIncome: 2_497_500 });
    expect((await get("/api/profile", giver)).body.data.balance).toBe(4_680_000_000 - 4_995_000);
    expect((await get("/api/payment/user-balance", host)).body.balance).toBe(2_149_981_147);
    await execute(
      sql`update live_fan_totals set coins = coins + 9000000000 where host_id = ${host.userId}`,
    );
    const fans = await get(`/api/ranking/fans/${host.userId}?period=all`);
    expect(fans.body.data).toMatchObject([{ id: giver.userId, coins: 9_004_995_000 }]);
  });
});
