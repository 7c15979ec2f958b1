import { sql } from "drizzle-orm";
import { beforeAll, beforeEach, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import type { SupplierOrder } from "../../../shared/providers/vip-reseller.ts";
import { api, testContext } from "../../testing/api.ts";
import { type TestUser, unique } from "../../testing/factories.ts";
import { type Desk, openDesk, orderOf, reconcileDay, theirs } from "../testing/days.ts";

const execute = (change: ReturnType<typeof sql>) => testContext().db.run(rows(change, z.unknown()));

let desk: Desk;
let admin: TestUser;
let day: string;
let turn = 0;

beforeAll(async () => {
  desk = await openDesk();
  ({ admin } = desk);
});

/** Days that no other test has, behind those of all others: each report is measured by the one before. */
function nextDay(): void {
  turn += 1;
  day = `2003-05-${String(turn).padStart(2, "0")}`;
}
beforeEach(nextDay);

const ours = (order: Parameters<typeof orderOf>[2] = {}) => orderOf(desk, day, order);
const reconcile = (listed: SupplierOrder[], { balance }: { balance: number }) =>
  reconcileDay(desk, day, listed, { balance });

it("expects the balance of the last report, less what was bought and with what came back", async () => {
  await reconcile([], { balance: 1_000_000 });
  nextDay();
  const orders = [
    await ours({ charged: 2_000 }),
    await ours({ charged: 3_000, state: "failed" }),
    await ours({ charged: 1_001, state: "partial", remain: 50 }),
  ];
  const listed = orders.map(({ trxid }, i) =>
    theirs(trxid, {
      priceIdr: [2_000, 3_000, 1_001][i] ?? null,
      status: (["success", "error", "partial"] as const)[i] ?? "success",
    }),
  );
  const expected = 1_000_000 - 2_000 - 1_001 + 500;
  const short = await reconcile(listed, { balance: expected - 1 });
  expect(short).toMatchObject({ expectedBalance: expected, balance: expected - 1, clean: false });
  const good = await reconcile(listed, { balance: expected });
  expect(good).toMatchObject({ expectedBalance: expected, surplus: 0, clean: true });
  // Somebody paid in at the supplier: until that is written down, it may hide a loss.
  const paid = await reconcile(listed, { balance: expected + 500_000 });
  expect(paid).toMatchObject({ surplus: 500_000, clean: false });
  const paidAt = `${day}T12:00:00+07:00`;
  const json = { amount: 500_000, note: "Transfer ke penyedia" };
  const deposits = "/api/admin/topup/supplier/deposits";
  const headers = { "idempotency-key": unique("key-") };
  const note = { method: "POST", token: admin.token, headers };
  const noted = await api(deposits, { ...note, json });
  expect((await api(deposits, { ...note, json })).body).toEqual(noted.body);
  expect((await api(deposits, { ...note, json: { ...json, amount: 5 } })).status).toBe(422);
  expect(noted.body.data).toMatchObject({ amount: 500_000, actorId: admin.userId });
  expect((await api(deposits, { token: admin.token })).body.data).toContainEqual(noted.body.data);
  await execute(sql`update topup_supplier_deposits set paid_at = ${paidAt}
    where id = ${z.object({ id: z.string() }).parse(noted.body.data).id}`);
  const known = await reconcile(listed, { balance: expected + 500_000 });
  expect(known).toMatchObject({ expectedBalance: expected + 500_000, surplus: 0, clean: true });
  const hidden = await reconcile(listed, { balance: expected });
  expect(hidden).toMatchObject({ surplus: -500_000, clean: false });
  await execute(sql`delete from topup_supplier_deposits`);
});

it("leaves room for what was on its way when a balance was read, and for no more", async () => {
  await reconcile([], { balance: 1_000_000 });
  nextDay();
  const [bought, doubt] = [
    await ours({ charged: 2_000 }),
    await ours({ state: "unknown", trxid: null }),
  ];
  const late = `${day}T23:59:30+07:00`;
  await execute(
    sql`update topup_orders set attempt_at = ${late}, bought_at = ${late} where number = ${bought.number}`,
  );
  const report = await reconcile([theirs(bought.trxid)], { balance: 998_000 });
  expect(report).toMatchObject({
    expectedBalance: 998_000,
    leastBalance: 996_000,
    mostBalance: 1_000_000,
  });
  await execute(sql`update topup_orders set state = 'failed', finished_at = ${late}, refunded_amount = amount
    where number = ${doubt.number}`);
  const settled = (balance: number) => reconcile([theirs(bought.trxid)], { balance });
  expect((await settled(1_000_000)).clean).toBe(true);
  expect((await settled(1_000_001)).clean).toBe(false);
  expect((await settled(997_999)).clean).toBe(false);
});
