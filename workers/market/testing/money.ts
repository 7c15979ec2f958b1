import { sql } from "drizzle-orm";
import { z } from "zod";
import { call, rows } from "../../../shared/db/statement.ts";
import { runJob } from "../../../shared/jobs/jobs.ts";
import { transfer, walletOf } from "../../../shared/ledger/ledger.ts";
import { refundJob } from "../../../shared/payments/index.ts";
import { api, standIns, type TestAnswer, testContext } from "../../testing/api.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { balance, twin } from "../../testing/orders.ts";
import { quietContext, type Sale, settle } from "./sales.ts";

/** The parcel arrives, and its seller is paid. */
export async function deliver({ orderId }: Sale): Promise<void> {
  const input = { order_id: orderId, status: "delivered", description: "Diterima" };
  await testContext().db.run(call("market_shipment_advance", input, z.unknown()));
}

/** Paid and delivered. */
export async function completed(sale: Sale): Promise<Sale> {
  await settle(sale);
  await deliver(sale);
  return sale;
}

/** The rate of PPh 22 that an order was placed under. */
export const taxed = ({ orderId }: Sale, basisPoints = 50) =>
  testContext().db.run(
    rows(
      sql`update market_orders set tax_basis_points = ${basisPoints} where id = ${orderId}`,
      z.unknown(),
    ),
  );

/** Puts money into somebody's balance, as a deposit does. */
export const fund = ({ userId }: TestUser, amount: number) =>
  testContext().db.run(
    transfer({
      reference: `test/${unique()}`,
      debit: { kind: "gateway", owner: "test" },
      credit: walletOf(userId),
      amount,
      reason: "Setoran uji",
    }),
  );

const BANK = { bank_code: "BCA", account_number: "123 456 7890", account_holder: "Penjual Uji" };

export const saveBank = (seller: TestUser, changes: object = {}) =>
  api("/api/seller/bank-account", {
    method: "PUT",
    token: seller.token,
    json: { ...BANK, ...changes },
  });

/** A seller with a bank account and that much in his balance. */
export async function fundedSeller(amount: number): Promise<TestUser> {
  const seller = await createUser(["seller"]);
  await Promise.all([fund(seller, amount), saveBank(seller)]);
  return seller;
}

export const askPayout = (seller: TestUser, amount: unknown, key?: string) =>
  api("/api/seller/payouts", {
    method: "POST",
    token: seller.token,
    json: { amount },
    ...(key ? { headers: { "idempotency-key": key } } : {}),
  });

export const decide = (
  admin: TestUser,
  id: string,
  verb: "approve" | "reject" | "paid" | "bounced",
  json?: object,
  key?: string,
): Promise<TestAnswer> =>
  api(`/api/admin/payouts/${id}/${verb}`, {
    method: "POST",
    token: admin.token,
    ...(key ? { headers: { "idempotency-key": key } } : {}),
    ...(json ? { json } : {}),
  });

/** Where a seller's money is. */
export const purseOf = async ({ userId }: TestUser) => ({
  wallet: await balance("wallet", userId),
  payout: await balance("payout", userId),
  advance: await balance("advance", userId),
});

const Books = z.array(
  z.object({ what: z.string(), from: z.string(), to: z.string(), amount: z.number() }),
);

/** What the refunds of an order moved, by kind of reference and of account. */
export async function refundBooksOf({ orderId }: Sale) {
  const found = await testContext().db.run(
    rows(
      sql`select split_part(t.reference, '/', 1) as what, d.kind as from, c.kind as to, t.amount::float8 as amount
        from market_refunds r
        join ledger_transfers t on t.reference like 'order-refund%/' || r.id
        join ledger_accounts d on d.id = t.debit_account_id
        join ledger_accounts c on c.id = t.credit_account_id
        where r.order_id = ${orderId} order by t.id`,
      z.unknown(),
    ),
  );
  return Books.parse(found);
}

/** Works the refund of a sale's payment off, as the queue does; the bank confirms at once. */
export async function sendBack(sale: Sale): Promise<string> {
  await twin(standIns().midtrans, "/_dials", { match: sale.qris, bankConfirmMs: 1 }, "PUT");
  const [job] = await testContext().db.run(
    rows(
      sql`select j.id from payments_refunds r join payments_charges c on c.id = r.charge_id
        join jobs j on j.dedupe_key = 'payments.refund/' || r.id where c.provider_ref = ${sale.qris}`,
      z.object({ id: z.string() }),
    ),
  );
  if (!job) throw new Error("no refund job");
  const due = sql`update jobs set run_at = now() where id = ${job.id}`;
  let ran = "never";
  for (let turn = 0; turn < 20 && ran !== "success"; turn += 1) {
    await testContext().db.run(rows(due, z.unknown()));
    ran = await runJob(quietContext(), job.id, [refundJob]);
  }
  return ran;
}

/** How much of it the provider shows to have gone back. */
export const refundedAt = async (sale: Sale) =>
  (await testContext().providers.midtrans.getStatus(sale.qris))?.refundedIdr;

export const refundOf = (admin: TestUser, sale: Sale, json: object, key?: string) =>
  api(`/api/admin/orders/${sale.orderId}/refund`, {
    method: "POST",
    token: admin.token,
    json: { reason: "Barang rusak", ...json },
    ...(key ? { headers: { "idempotency-key": key } } : {}),
  });

export const cancelOf = (seller: TestUser, sale: Sale, json: object = {}, key?: string) =>
  api(`/api/seller/orders/${sale.orderId}/cancel`, {
    method: "POST",
    token: seller.token,
    json: { reason: "Stok habis di gudang", ...json },
    ...(key ? { headers: { "idempotency-key": key } } : {}),
  });

const OrderStand = z.object({
  status: z.string(),
  parcel: z.string().nullable(),
  reason: z.string().nullable(),
});

export async function standOf({ orderId }: Sale) {
  const [row] = await testContext().db.run(
    rows(
      sql`select o.status, h.status as parcel, o.closed_reason as reason
        from market_orders o left join market_shipments h on h.order_id = o.id where o.id = ${orderId}`,
      OrderStand,
    ),
  );
  return row;
}
