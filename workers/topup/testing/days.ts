import { sql } from "drizzle-orm";
import { expect } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { dayOf } from "../../../shared/http/day.ts";
import { enqueue, runJob } from "../../../shared/jobs/jobs.ts";
import { contextWithQueues } from "../../../shared/jobs/test-queues.ts";
import type { SupplierOrder } from "../../../shared/providers/vip-reseller.ts";
import { api, testContext } from "../../testing/api.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { reconcileJob } from "../admin/reconcile.ts";
import { stockService } from "./reseller.ts";

export const REPORTS = "/api/admin/topup/reconciliations";

/** Who looks at reports, whose orders they are of, and what he buys. */
export interface Desk {
  admin: TestUser;
  buyer: TestUser;
  serviceId: string;
}

export async function openDesk(): Promise<Desk> {
  const [admin, buyer] = [await createUser(["admin"]), await createUser()];
  return { admin, buyer, serviceId: (await stockService("social")).id };
}

interface Ours {
  state?: string;
  charged?: number;
  quoted?: number;
  remain?: number;
  trxid?: string | null;
  /** Hour of the day, in Jakarta. */
  hour?: number;
}

/** An order of that day, as the order functions leave it. */
export async function orderOf(
  { buyer, serviceId }: Desk,
  day: string,
  { state = "success", charged = 2_000, quoted = charged, remain = 0, hour = 12, ...rest }: Ours,
) {
  const trxid = rest.trxid === undefined ? unique("VP") : rest.trxid;
  const at = new Date(`${day}T${String(hour).padStart(2, "0")}:00:00+07:00`);
  const isFinal = !["queued", "buying", "unknown", "review", "processing"].includes(state);
  const number = unique("SMO-");
  await testContext().db.run(
    rows(
      sql`insert into topup_orders (id, number, user_id, service_id, family, code, service_name, brand, target, quantity,
        amount, supplier_amount, charged_amount, state, trxid, remain, paid_at, attempt_at, finished_at, created_at)
      values (uuidv7(${at.toISOString()}::timestamptz - clock_timestamp()), ${number}, ${buyer.userId}, ${serviceId},
        'social', '1001', 'Layanan', 'Instagram', '@toko', 100, 3000, ${quoted}, ${charged}, ${state}, ${trxid}, ${remain},
        ${at.toISOString()}, ${at.toISOString()}, ${isFinal ? at.toISOString() : null}, ${at.toISOString()})`,
      z.unknown(),
    ),
  );
  return { number, trxid: trxid ?? "" };
}

/** A purchase as the supplier lists it. */
export const theirs = (trxid: string, changes: Partial<SupplierOrder> = {}): SupplierOrder => ({
  trxid,
  family: "social",
  target: "@toko",
  zone: null,
  service: "Layanan",
  code: null,
  status: "success",
  statusText: "success",
  note: "SN-RAHASIA",
  priceIdr: 2_000,
  quantity: 100,
  remain: 0,
  startCount: 0,
  balanceAfterIdr: null,
  ...changes,
});

/** Balances are compared from report to report, so each is seen at the end of its own day. */
const endOf = (day: string) => dayOf(day).end;

/** Runs the day's job against a supplier that shows these orders and this balance. */
export async function reconcileDay(
  { admin }: Desk,
  day: string,
  listed: SupplierOrder[],
  { balance = 1_000_000, asked = [] as SupplierOrder[], now: at = endOf(day) } = {},
) {
  const { ctx } = contextWithQueues();
  const real = ctx.providers.vipReseller;
  const vipReseller: typeof real = {
    ...real,
    getBalance: async () => ({ balance }),
    getOrderStatus: async (family, query) =>
      "limit" in query
        ? listed.filter((order) => order.family === family)
        : asked.filter((order) => order.trxid === query.trxid),
  };
  const then = { ...ctx, now: () => at, providers: { ...ctx.providers, vipReseller } };
  const job = {
    kind: "topup.reconcile",
    queue: "topup",
    dedupeKey: null,
    payload: { day },
  } as const;
  const made = await ctx.db.run(enqueue(job));
  expect(await runJob(then, made?.id ?? "", [reconcileJob])).toBe("success");
  return (await api(`${REPORTS}/${day}`, { token: admin.token })).body.data;
}
