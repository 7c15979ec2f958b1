import { tryRequest, until } from "../http.ts";
import { check, rupiah, type Tell } from "../narrator.ts";
import { ask, type Caller, purchasesOf } from "./calls.ts";
import { checkWallet } from "./wallet.ts";

/** An order as admins see it. */
interface AdminOrder {
  orderNumber: string;
  state: string;
  amount: number;
  refundedAmount: number;
  chargedAmount: number | null;
  trxId: string | null;
}

interface Report {
  orders: number;
  matched: number;
  missingThere: unknown[];
  missingHere: unknown[];
  priceDifferences: unknown[];
  stateDifferences: unknown[];
  createdAt: string;
}

/** What the reports of some days say together. */
interface Reports {
  orders: number;
  matched: number;
  differences: number;
}

/** Which of the supplier's words an order's end may stand for. */
const FITTING: Record<string, string> = { success: "success", partial: "partial", failed: "error" };

/** Supplier and customer: each order was bought once and paid once, or its money is back. */
export async function compareBooks(
  tell: Tell,
  { admin, customer }: { admin: Caller; customer: Caller },
  { deposited, targets }: { deposited: number; targets: string[] },
): Promise<number> {
  let spent = 0;
  let refunded = 0;
  let bought = 0;
  let delivered = 0;
  for (const target of targets) {
    const order = await orderOf(tell, admin, target);
    const purchases = await purchasesOf(tell, target);
    check(`purchases for order ${order.orderNumber}`, purchases.length, order.trxId ? 1 : 0);
    check(`the purchase of ${order.orderNumber}`, purchases[0]?.trxid ?? null, order.trxId);
    const { status = "error" } = purchases[0] ?? {};
    check(`the supplier's state of ${order.orderNumber}`, status, FITTING[order.state]);
    const isBack = order.refundedAmount === order.amount;
    check(`${order.orderNumber} is refunded as a whole`, isBack, status === "error");
    spent += order.amount;
    refunded += order.refundedAmount;
    bought += purchases.length;
    delivered += isBack ? 0 : 1;
  }
  const wallet = await checkWallet(tell, customer, deposited - spent + refunded);
  tell.step(
    `${targets.length} orders, ${bought} purchases at the supplier, ${delivered} delivered: each once`,
    `paid ${rupiah(spent)}, back ${rupiah(refunded)}; ${wallet}`,
  );
  return bought;
}

/** The only order of a target. */
async function orderOf(tell: Tell, admin: Caller, target: string): Promise<AdminOrder> {
  const path = `/api/admin/topup/orders?search=${encodeURIComponent(target)}`;
  const { data } = await ask<{ data: { orders: AdminOrder[] } }>(tell, path, admin);
  check(`orders of ${target}`, data.orders.length, 1);
  const [order] = data.orders;
  if (!order) throw new Error(`no order of ${target}`);
  return order;
}

const DAY_MS = 24 * 3_600_000;

/** The day in Jakarta: "2026-11-21". */
export const jakartaDay = (at: Date) =>
  new Date(at.getTime() + 7 * 3_600_000).toISOString().slice(0, 10);

/** Has the days from `since` to today compared with the supplier's list: midnight may lie between. */
export async function reconcile(tell: Tell, admin: Caller, since: string): Promise<Reports> {
  const sum: Reports = { orders: 0, matched: 0, differences: 0 };
  for (let at = new Date(); jakartaDay(at) >= since; at = new Date(at.getTime() - DAY_MS)) {
    const report = await reconcileDay(tell, admin, jakartaDay(at));
    sum.orders += report.orders;
    sum.matched += report.matched;
    sum.differences += differencesOf(report);
  }
  return sum;
}

/** Has one day compared, and waits for the report. */
async function reconcileDay(tell: Tell, admin: Caller, day: string): Promise<Report> {
  const path = `/api/admin/topup/reconciliations/${day}`;
  const read = () => tryRequest<Report>(tell.app, path, { token: admin.token });
  const before = await read();
  await ask(tell, path, admin, {});
  const { body } = await until(
    "the report is written",
    read,
    ({ status, body: found }) =>
      status === 200 &&
      (before.status !== 200 || found.data.createdAt !== before.body.data.createdAt),
    60_000,
  );
  return body.data;
}

const differencesOf = (report: Report) =>
  [
    ...report.missingThere,
    ...report.missingHere,
    ...report.priceDifferences,
    ...report.stateDifferences,
  ].length;

/** What this demo bought stands in both lists alike. What earlier ones left in them is none of its business. */
export function compareReports(tell: Tell, before: Reports, after: Reports, bought: number): void {
  check("orders in the report", after.orders - before.orders, bought);
  check("orders that match", after.matched - before.matched, bought);
  const differences = after.differences - before.differences;
  check("differences in the report", differences, 0);
  const left = before.differences;
  tell.step(
    `The day's reconciliation report: ${differences} differences`,
    `${after.matched} of ${after.orders} orders match the supplier's list${left > 0 ? `; ${left} are of before the twin was restarted` : ""}`,
  );
}
