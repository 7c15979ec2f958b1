import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { rows } from "../../shared/db/statement.ts";
import { balanceOf } from "../../shared/ledger/ledger.ts";
import { confirmCharge } from "../../shared/payments/index.ts";
import { noticeOf } from "../../shared/payments/test-payments.ts";
import { api, settleBackground, standIns, testContext } from "../testing/api.ts";
import { createUser, type TestUser, unique } from "../testing/factories.ts";
import { coinsSettlement } from "./coins.ts";
import { coinsOf } from "./test-gifts.ts";

const buy = (user: TestUser, json: unknown, key?: string) =>
  api("/api/payment/create-transaction", {
    method: "POST",
    token: user.token,
    json,
    ...(key && { headers: { "idempotency-key": key } }),
  });
const statusOf = async (user: TestUser, orderId: string) =>
  await api(`/api/payment/status/${orderId}`, { token: user.token });
const pay = (orderId: string) =>
  fetch(`${standIns().midtrans}/_pay/${orderId}`, { method: "POST" });
const confirm = (orderId: string) => confirmCharge(testContext(), orderId, [coinsSettlement]);
const earned = () => balanceOf(testContext(), { kind: "commission", owner: "coins" });

describe("GET /api/payment/packages", () => {
  test("lists bank packages 1 to 7 and e-wallet packages 101 to 107", async () => {
    const { status, body } = await api("/api/payment/packages");
    expect(status).toBe(200);
    const ids = body.data.map(({ id }: { id: number }) => id);
    expect(ids).toEqual([1, 2, 3, 4, 5, 6, 7, 101, 102, 103, 104, 105, 106, 107]);
    expect(body.data[0]).toEqual({ id: 1, method: "bank", coins: 110_000, price: 15_000 });
    expect(body.data[6]).toMatchObject({ coins: 117_000_000 });
    expect(body.data[7]).toMatchObject({ id: 101, method: "ewallet" });
  });
});

describe("buying coins", () => {
  test("opens Midtrans' page; paid, the coins are there once and the app sees settlement", async () => {
    const user = await createUser();
    const { status, body } = await buy(user, { packageId: 3 });
    expect(status).toBe(200);
    expect(body).toEqual({
      success: true,
      data: {
        snapToken: expect.stringMatching(/.{8,}/),
        orderId: expect.stringMatching(/^LB-/),
        redirectUrl: expect.stringContaining("/snap/"),
      },
    });
    const { orderId, snapToken, redirectUrl } = body.data;
    expect(redirectUrl.endsWith(`/${snapToken}`)).toBe(true);
    expect((await statusOf(user, orderId)).body).toEqual({
      success: true,
      data: {
        orderId,
        status: "pending",
        coins: 1_170_000,
        amount: 150_000,
        createdAt: expect.any(String),
        paidAt: null,
      },
    });
    await settleBackground();
    const before = await earned();
    await pay(orderId);
    await Promise.all([confirm(orderId), confirm(orderId), confirm(orderId)]);
    await confirm(orderId);
    expect((await statusOf(user, orderId)).body.data).toMatchObject({
      status: "settlement",
      paidAt: expect.stringMatching(/Z$/),
    });
    expect(await coinsOf(user.userId)).toBe(1_170_000);
    expect((await earned()) - before).toBe(150_000);
  });

  test("is credited by the provider's own notice, through the Worker", async () => {
    const user = await createUser();
    const { orderId } = (await buy(user, { packageId: "101" })).body.data;
    await pay(orderId);
    const notice = await noticeOf(orderId);
    const told = await api("/api/webhooks/midtrans", {
      method: "POST",
      body: notice,
      headers: { "content-type": "application/json" },
    });
    expect(told.status).toBe(200);
    await confirm(orderId);
    expect(await coinsOf(user.userId)).toBe(70_000);
  });

  test("with a key opens one purchase, with another package it is refused", async () => {
    const user = await createUser();
    const key = unique("k");
    const first = await buy(user, { packageId: 1 }, key);
    const again = await buy(user, { packageId: 1 }, key);
    expect(again.body.data).toEqual(first.body.data);
    expect((await buy(user, { packageId: 2 }, key)).status).toBe(422);
    const [made] = await testContext().db.run(
      rows(
        sql`select count(*)::int as n from live_coin_purchases where user_id = ${user.userId}`,
        z.object({ n: z.number() }),
      ),
    );
    expect(made?.n).toBe(1);
  });

  test("that is never paid credits nothing and reads expire", async () => {
    const user = await createUser();
    const { orderId } = (await buy(user, { packageId: 1 })).body.data;
    await settleBackground();
    await testContext().db.batch([
      rows(
        sql`select payments_expire(jsonb_build_object('provider_ref', ${orderId}::text, 'state', 'expired')) as done`,
        z.unknown(),
      ),
    ]);
    expect((await statusOf(user, orderId)).body.data).toMatchObject({ status: "expire" });
    expect(await coinsOf(user.userId)).toBe(0);
  });

  test("keeps the price at which it was opened", async () => {
    const user = await createUser();
    const packageId = 1_000 + Math.floor(Math.random() * 900_000);
    const version = (n: number, coins: number) =>
      testContext().db.run(
        rows(
          sql`insert into live_coin_packages (package_id, version, method, coins, price_idr, valid_from)
            values (${packageId}, ${n}, 'bank', ${coins}, 20000, now() - interval '1 day')`,
          z.unknown(),
        ),
      );
    await version(1, 500);
    const { orderId } = (await buy(user, { packageId })).body.data;
    await version(2, 9_000);
    await settleBackground();
    await pay(orderId);
    await confirm(orderId);
    expect(await coinsOf(user.userId)).toBe(500);
    const hide = sql`delete from live_coin_packages where package_id = ${packageId}`;
    await testContext().db.run(rows(hide, z.unknown()));
  });

  test.each([
    {},
    { packageId: null },
    { packageId: -1 },
    { packageId: 1.5 },
    { packageId: "x" },
    [],
  ])("%j is refused", async (json) => {
    const user = await createUser();
    const { status, body } = await buy(user, json);
    expect(status).toBe(400);
    expect(body).toEqual({ success: false, message: "packageId wajib" });
  });

  test("of a package that is not for sale is refused", async () => {
    const user = await createUser();
    const { status, body } = await buy(user, { packageId: 8 });
    expect(status).toBe(404);
    expect(body).toEqual({ success: false, message: "Paket tidak ditemukan" });
  });

  test("shows a purchase to its buyer alone", async () => {
    const [user, other] = [await createUser(), await createUser()];
    const { orderId } = (await buy(user, { packageId: 1 })).body.data;
    for (const [who, id] of [
      [other, orderId],
      [user, "LB-TIDAK-ADA"],
    ] as const) {
      const { status, body } = await statusOf(who, id);
      expect(status).toBe(404);
      expect(body).toEqual({ success: false, message: "Transaksi tidak ditemukan" });
    }
    expect((await api(`/api/payment/status/${orderId}`)).status).toBe(401);
  });
});
