import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { auditOf } from "../../../shared/audit/audit.ts";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { balance } from "../../testing/orders.ts";
import { failure, refusesStrangers } from "../testing/catalogue.ts";
import { askPayout, decide, fundedSeller, saveBank } from "../testing/money.ts";
import { openShop, sell, settle } from "../testing/sales.ts";

let admin: TestUser;
beforeAll(async () => {
  admin = await createUser(["admin"]);
});

const transfer = () => ({ transfer_reference: unique("TRF-") });

describe("a bank account", () => {
  it("lies sealed, is shown by its last digits, and its change is told", async () => {
    const seller = await fundedSeller(60_000);
    const { id } = (await askPayout(seller, 60_000)).body.data;
    const changed = await saveBank(seller, { account_number: "99887766554433" });
    expect(changed.body.data).toEqual({
      bank_code: "bca",
      account_last4: "4433",
      account_holder: "Penjual Uji",
    });
    const kept = await testContext().db.run(
      rows(
        sql`select (select jsonb_agg(to_jsonb(b)) from market_bank_accounts b where b.seller_id = ${seller.userId})::text
            || (select jsonb_agg(to_jsonb(a)) from audit_entries a where a.subject_id = ${String(seller.userId)})::text
            || (select jsonb_agg(to_jsonb(p)) from market_payouts p where p.seller_id = ${seller.userId})::text as text,
          (select count(*)::int from jobs where dedupe_key like ${`mail/bank_account_changed/${seller.userId}/%`}) as mails`,
        z.object({ text: z.string(), mails: z.number() }),
      ),
    );
    expect(kept[0]?.text).not.toMatch(/1234567890|99887766554433/);
    expect(kept[0]?.mails).toBe(2);
    const detail = await api(`/api/admin/payouts/${id}`, { token: admin.token });
    expect(detail.body.data).toMatchObject({ id, account_number: "1234567890" });
    const trace = await testContext().db.run(auditOf({ kind: "market_payout", id }));
    expect(trace[0]).toMatchObject({ action: "market.payout.view", actorId: admin.userId });
  });

  it.each([
    { bank_code: "b c a" },
    { account_number: "12345" },
    { account_number: "12a4567" },
    { account_holder: "" },
  ])("%o is refused", async (changes) => {
    const seller = await createUser(["seller"]);
    const { status, body } = await saveBank(seller, changes);
    expect([status, body]).toEqual([400, failure(expect.any(String))]);
  });
});

describe("the payout routes", () => {
  it("are for their roles alone, and know no id that is none", async () => {
    const { id } = (await askPayout(await fundedSeller(50_000), 50_000)).body.data;
    const reason = { reason: "Nama berbeda" };
    await refusesStrangers("/api/admin/payouts", {}, "admin");
    await refusesStrangers(`/api/admin/payouts/${id}`, {}, "admin");
    await refusesStrangers(`/api/admin/payouts/${id}/approve`, { method: "POST" }, "admin");
    await refusesStrangers(
      `/api/admin/payouts/${id}/reject`,
      { method: "POST", json: reason },
      "admin",
    );
    await refusesStrangers(
      `/api/admin/payouts/${id}/paid`,
      { method: "POST", json: transfer() },
      "admin",
    );
    for (const path of [
      "/api/seller/payouts",
      "/api/seller/balance",
      "/api/seller/balance/history",
    ]) {
      await refusesStrangers(path, {}, "seller");
    }
    const missing = [404, failure("Pencairan tidak ditemukan", {})];
    for (const wanted of [crypto.randomUUID(), "x'; --"]) {
      const path = encodeURIComponent(wanted);
      const seen = await api(`/api/admin/payouts/${path}`, { token: admin.token });
      expect([seen.status, seen.body]).toEqual(missing);
      const agreed = await decide(admin, path, "approve");
      expect([agreed.status, agreed.body]).toEqual(missing);
    }
    const empty = await decide(admin, id, "paid", { transfer_reference: "=1+1" });
    expect([empty.status, empty.body]).toEqual([400, failure(expect.any(String))]);
  });

  it("list everybody's to an admin, by state, a page at a time, without a whole number", async () => {
    const seller = await fundedSeller(50_000);
    const { id } = (await askPayout(seller, 50_000)).body.data;
    const list = (query: string) => api(`/api/admin/payouts?${query}`, { token: admin.token });
    const open = (await list("state=requested&limit=100")).body;
    expect(open.data.find((row: { id: string }) => row.id === id)).toMatchObject({
      seller_id: seller.userId,
      seller: { email: seller.email },
      store: null,
    });
    expect(JSON.stringify(open)).not.toContain("1234567890");
    expect((await list("page=2&limit=1")).body.meta).toMatchObject({ page: 2, limit: 1 });
    expect((await list("state=gone")).status).toBe(400);
  });
});

it("GET /api/seller/balance/history shows what moved, newest first", async () => {
  const seller = await fundedSeller(80_000);
  await askPayout(seller, 50_000);
  const { body } = await api("/api/seller/balance/history?limit=1", { token: seller.token });
  expect(body.data).toMatchObject([{ amount: -50_000, balance_after: 30_000 }]);
  expect(body.meta).toEqual({ page: 1, limit: 1, total: 2 });
  expect(await balance("wallet", seller.userId)).toBe(30_000);
});

it("GET /api/seller/balance holds what is not delivered, to the rupiah that it will bring", async () => {
  const sale = await sell(await openShop());
  await settle(sale);
  const { body } = await api("/api/seller/balance", { token: sale.seller.token });
  expect(body).toMatchObject({ error: null, meta: { timestamp: expect.any(String) } });
  expect(body.data).toEqual({
    available: 0,
    held: 47_500,
    in_payout: 0,
    owed: 0,
    minimum_payout: 50_000,
    tax: { year: expect.any(Number), turnover: 0, withheld: 0, statement_filed: false },
    bank_account: null,
    open_payout: null,
  });
  await saveBank(sale.seller);
  const after = await api("/api/seller/balance", { token: sale.seller.token });
  expect(after.body.data.bank_account).toEqual({
    bank_code: "bca",
    account_last4: "7890",
    account_holder: "Penjual Uji",
  });
});
