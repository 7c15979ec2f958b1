import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { auditOf } from "../../../shared/audit/audit.ts";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { createShop, failure } from "../testing/catalogue.ts";
import { askPayout, decide, fund, fundedSeller, purseOf, saveBank } from "../testing/money.ts";
import { sumOfLedger } from "../testing/sales.ts";

let [one, two]: TestUser[] = [];
beforeAll(async () => {
  [one, two] = await Promise.all([createUser(["admin"]), createUser(["admin"])]);
});
const admins = (): [TestUser, TestUser] => {
  if (!one || !two) throw new Error("no admins");
  return [one, two];
};

const transfer = () => ({ transfer_reference: unique("TRF-") });

describe("a payout", () => {
  it("leaves the balance with the request, and the bank with an admin's word", async () => {
    const [admin] = admins();
    const seller = await fundedSeller(300_000);
    const asked = await askPayout(seller, 200_000);
    expect(asked.status).toBe(201);
    expect(asked.body.data).toMatchObject({
      state: "requested",
      amount: 200_000,
      bank_code: "bca",
      account_last4: "7890",
      account_holder: "Penjual Uji",
    });
    expect(asked.body.data).not.toHaveProperty("needs_second");
    const { id } = asked.body.data;
    expect(await purseOf(seller)).toMatchObject({ wallet: 100_000, payout: 200_000 });
    expect((await decide(admin, id, "approve")).body.data.state).toBe("approved");
    const reference = transfer();
    for (let again = 0; again < 2; again += 1) {
      const paid = await decide(admin, id, "paid", reference);
      expect(paid.body.data).toMatchObject({
        state: "paid",
        closed_by: admin.userId,
        ...reference,
      });
    }
    expect(await purseOf(seller)).toMatchObject({ wallet: 100_000, payout: 0 });
    expect(await sumOfLedger()).toBe(0);
    const trace = await testContext().db.run(auditOf({ kind: "market_payout", id }));
    expect(trace.map(({ action }) => action)).toEqual([
      "market.payout.paid",
      "market.payout.approve",
      "market.payout.request",
    ]);
    const mine = await api("/api/seller/payouts", { token: seller.token });
    expect(mine.body).toMatchObject({ data: [{ id, state: "paid" }], meta: { total: 1 } });
  });

  it("never takes more than there is, and one at a time, by 50 requests at once", async () => {
    const seller = await fundedSeller(120_000);
    const answers = await Promise.all(Array.from({ length: 50 }, () => askPayout(seller, 100_000)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    for (const { status, body } of answers.filter((answer) => answer.status !== 201)) {
      expect([status, body]).toEqual([
        409,
        failure("Masih ada pencairan yang sedang diproses", {}),
      ]);
    }
    expect(await purseOf(seller)).toMatchObject({ wallet: 20_000, payout: 100_000 });
  });

  it("with a key is one payout however often it is asked for", async () => {
    const seller = await fundedSeller(200_000);
    const key = unique("k");
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => askPayout(seller, 60_000, key)),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 201));
    expect(new Set(answers.map(({ body }) => body.data.id)).size).toBe(1);
    expect(await purseOf(seller)).toMatchObject({ wallet: 140_000, payout: 60_000 });
    expect((await askPayout(seller, 70_000, key)).status).toBe(422);
  });

  it("decided with a key answers its repeat as it did at first, and refuses the key for anything else", async () => {
    const [admin] = admins();
    const seller = await fundedSeller(600_000);
    const { id } = (await askPayout(seller, 200_000)).body.data;
    const agreed = unique("key-");
    const [yes, again] = [
      await decide(admin, id, "approve", undefined, agreed),
      await decide(admin, id, "approve", undefined, agreed),
    ];
    expect([again.status, again.body.data]).toEqual([200, yes.body.data]);
    const key = unique("key-");
    const paid = await decide(admin, id, "paid", transfer(), key);
    const reference = { transfer_reference: paid.body.data.transfer_reference };
    const repeat = await decide(admin, id, "paid", reference, key);
    expect([paid.status, repeat.status, repeat.body.data]).toEqual([200, 200, paid.body.data]);
    expect((await decide(admin, id, "paid", transfer(), key)).status).toBe(422);
    const second = (await askPayout(seller, 200_000)).body.data.id;
    const why = { reason: "Nama rekening berbeda" };
    expect((await decide(admin, second, "reject", why, key)).status).toBe(422);
    const other = unique("key-");
    const [back, twice] = await Promise.all([
      decide(admin, second, "reject", why, other),
      decide(admin, second, "reject", why, other),
    ]);
    expect([back.status, twice.status, twice.body.data]).toEqual([200, 200, back.body.data]);
    const because = { reason: "Ditolak bank" };
    expect((await decide(admin, second, "reject", because, other)).status).toBe(422);
    expect(await purseOf(seller)).toMatchObject({ wallet: 400_000, payout: 0 });
  });

  it("comes back once, by many rejections at once, and then another may be asked for", async () => {
    const [admin, other] = admins();
    const seller = await fundedSeller(100_000);
    const { id } = (await askPayout(seller, 100_000)).body.data;
    await decide(admin, id, "approve");
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        decide(i % 2 ? admin : other, id, "reject", { reason: "Nama rekening berbeda" }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await purseOf(seller)).toMatchObject({ wallet: 100_000, payout: 0 });
    const late = await decide(admin, id, "paid", transfer());
    expect([late.status, late.body]).toEqual([
      409,
      failure("Pencairan ini sudah dibatalkan", { state: "rejected" }),
    ]);
    expect((await askPayout(seller, 50_000)).status).toBe(201);
  });

  it("is paid or given back, never both, when admins disagree at once", async () => {
    const [admin, other] = admins();
    for (let round = 0; round < 3; round += 1) {
      const seller = await fundedSeller(100_000);
      const { id } = (await askPayout(seller, 100_000)).body.data;
      await decide(admin, id, "approve");
      const answers = await Promise.all([
        decide(admin, id, "paid", transfer()),
        decide(other, id, "reject", { reason: "Ditolak bank" }),
      ]);
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      const { wallet, payout } = await purseOf(seller);
      expect([wallet, payout]).toEqual([answers[1]?.status === 200 ? 100_000 : 0, 0]);
    }
  });

  it("above the limit needs two admins, and never the seller himself", async () => {
    const [admin, other] = admins();
    const both = await createUser(["seller", "admin"]);
    await Promise.all([fund(both, 6_000_000), saveBank(both)]);
    const { id } = (await askPayout(both, 5_000_001)).body.data;
    for (const verb of ["approve", "reject"] as const) {
      const own = await decide(both, id, verb, { reason: "Saya sendiri" });
      expect([own.status, own.body]).toEqual([
        403,
        failure("Pencairan sendiri diputuskan oleh admin lain", {}),
      ]);
    }
    expect((await decide(admin, id, "approve")).body.data).toMatchObject({
      state: "requested",
      needs_second: true,
      approved_by: admin.userId,
    });
    const again = await decide(admin, id, "approve");
    expect([again.status, again.body]).toEqual([
      403,
      failure("Admin lain harus ikut menyetujui pencairan ini", {}),
    ]);
    expect((await decide(admin, id, "paid", transfer())).status).toBe(409);
    expect((await decide(other, id, "approve")).body.data).toMatchObject({
      state: "approved",
      seconded_by: other.userId,
    });
  });

  it("needs two admins too when it comes in slices, or soon after the account was changed", async () => {
    const [admin] = admins();
    const seller = await fundedSeller(6_000_000);
    const first = (await askPayout(seller, 4_000_000)).body.data.id;
    expect((await decide(admin, first, "approve")).body.data).toMatchObject({
      state: "approved",
      needs_second: false,
    });
    await decide(admin, first, "paid", transfer());
    const second = (await askPayout(seller, 1_000_001)).body.data.id;
    expect((await decide(admin, second, "approve")).body.data).toMatchObject({
      state: "requested",
      needs_second: true,
    });
    const moved = await fundedSeller(100_000);
    await saveBank(moved, { account_number: "5550001111" });
    const { id } = (await askPayout(moved, 50_000)).body.data;
    expect((await decide(admin, id, "approve")).body.data.needs_second).toBe(true);
  });

  it("keeps one transfer for one payout", async () => {
    const [admin] = admins();
    const reference = transfer();
    const ids: string[] = [];
    for (let n = 0; n < 2; n += 1) {
      const { id } = (await askPayout(await fundedSeller(50_000), 50_000)).body.data;
      await decide(admin, id, "approve");
      ids.push(id);
    }
    expect((await decide(admin, ids[0] ?? "", "paid", reference)).status).toBe(200);
    const second = await decide(admin, ids[1] ?? "", "paid", reference);
    expect([second.status, second.body]).toEqual([
      409,
      failure("Nomor referensi ini sudah dipakai untuk pencairan lain", {}),
    ]);
  });

  it("may be taken back by its seller until somebody agreed, and by nobody else", async () => {
    const [admin] = admins();
    const seller = await fundedSeller(100_000);
    const { id } = (await askPayout(seller, 60_000)).body.data;
    const remove = (user: TestUser, payout = id) =>
      api(`/api/seller/payouts/${payout}`, { method: "DELETE", token: user.token });
    const stranger = await remove(await fundedSeller(1));
    expect([stranger.status, stranger.body]).toEqual([
      404,
      failure("Pencairan tidak ditemukan", {}),
    ]);
    expect((await remove(seller)).body.data).toMatchObject({ id, state: "cancelled" });
    expect(await purseOf(seller)).toMatchObject({ wallet: 100_000, payout: 0 });
    const next = (await askPayout(seller, 60_000)).body.data.id;
    await decide(admin, next, "approve");
    expect((await remove(seller, next)).status).toBe(409);
  });

  it("is refused without a bank account, below the minimum, above the balance, and when switched off", async () => {
    const { seller, store } = await createShop();
    await fund(seller, 90_000);
    const homeless = await askPayout(seller, 60_000);
    expect([homeless.status, homeless.body]).toEqual([
      409,
      failure("Simpan rekening bank Anda terlebih dahulu", {}),
    ]);
    await saveBank(seller);
    const little = await askPayout(seller, 49_999);
    expect([little.status, little.body]).toEqual([
      400,
      failure("amount: paling sedikit Rp 50000", { minimum: 50_000 }),
    ]);
    const much = await askPayout(seller, 90_001);
    expect([much.status, much.body]).toEqual([
      400,
      failure("Saldo tidak cukup", { needed: 90_001, current: 90_000 }),
    ]);
    for (const wrong of [0, -1, 1.5, "60000", null]) {
      expect((await askPayout(seller, wrong)).status, String(wrong)).toBe(400);
    }
    await api(`/api/admin/feature-flags/${store.id}`, {
      method: "PUT",
      token: admins()[0].token,
      json: { payouts: false },
    });
    const off = await askPayout(seller, 60_000);
    expect([off.status, off.body]).toEqual([
      403,
      failure("Fitur ini sedang dinonaktifkan untuk toko Anda", { feature: "payouts" }),
    ]);
    expect(await purseOf(seller)).toMatchObject({ wallet: 90_000, payout: 0 });
  });

  it("never pays out what the seller owes for refunds", async () => {
    const seller = await fundedSeller(100_000);
    await testContext().db.run(
      rows(
        sql`select ledger_transfer(${unique("debt/")}, 'advance', ${String(seller.userId)}, 'gateway', 'test', 30000,
          'Talangan')`,
        z.unknown(),
      ),
    );
    const much = await askPayout(seller, 80_000);
    expect([much.status, much.body.meta]).toEqual([400, { needed: 80_000, current: 70_000 }]);
    expect((await askPayout(seller, 70_000)).status).toBe(201);
    const { body } = await api("/api/seller/balance", { token: seller.token });
    expect(body.data).toMatchObject({ available: 30_000, owed: 30_000, in_payout: 70_000 });
  });
});
