import { isObject, type Json } from "../common/fields.ts";
import type { Delivery } from "../common/outbox.ts";
import {
  controlAnswer,
  controlBody,
  type Handler,
  json,
  type TwinAnswer,
  type TwinRequest,
} from "../common/server.ts";
import { noticeBody, statusBody, statusCode } from "./bodies.ts";
import type { Midtrans } from "./engine.ts";
import { current, type Order, type Transaction, type TransactionStatus } from "./state.ts";

/** A control call waits this long for the first delivery of its notice, so that a test need not poll. */
const longestWaitMs = 2000;

async function within(midtrans: Midtrans, sent: Promise<Delivery[]>): Promise<void> {
  await Promise.race([sent, midtrans.timers.wait(longestWaitMs)]);
}

function view(midtrans: Midtrans, order: Order): Json {
  const transaction = current(order);
  if (transaction) midtrans.expireIfDue(transaction);
  return {
    order_id: order.id,
    amount: order.amount,
    status: transaction?.status ?? "no method picked",
    redirect_url: order.snap ? `${midtrans.url}/snap/v3/redirection/${order.snap.token}` : null,
    transactions: order.transactions.map((one) => statusBody(one, midtrans.serverKey)),
    notices: midtrans.outbox.list(order.id),
  };
}

const qris = { type: "qris", acquirer: "gopay", bank: "", vaNumber: "" } as const;

function isYes(value: unknown): boolean {
  return value === true || value === "true";
}

/** Pays an order: QRIS, VA, or a Snap order (QRIS is picked first). `force` pays what is not pending. */
async function pay(midtrans: Midtrans, order: Order, body: Json): Promise<string | null> {
  const picked = midtrans.find(order.id);
  if (!picked && (order.snap?.expiresAt ?? 0) <= midtrans.clock()) return "the page has expired";
  const transaction = picked ?? midtrans.pick(order, qris);
  if (transaction.status !== "pending" && !isYes(body.force)) {
    return `the transaction is ${transaction.status}; send {"force":true} to pay it all the same`;
  }
  const issuer = body.issuer;
  if (typeof issuer === "string" && issuer) transaction.issuer = issuer;
  if (body.gross_amount !== undefined) transaction.amount = Number(body.gross_amount);
  await within(midtrans, midtrans.move(transaction, "settlement"));
  return null;
}

async function change(
  midtrans: Midtrans,
  order: Order,
  to: TransactionStatus,
  from: readonly TransactionStatus[],
): Promise<string | null> {
  const transaction = midtrans.find(order.id);
  if (!transaction) return "no method is picked yet";
  if (!from.includes(transaction.status)) return `the transaction is ${transaction.status}`;
  await within(midtrans, midtrans.move(transaction, to));
  return null;
}

const statuses: readonly unknown[] = [
  "pending",
  "settlement",
  "cancel",
  "deny",
  "expire",
  "refund",
  "partial_refund",
  "chargeback",
] satisfies TransactionStatus[];

function isStatus(value: unknown): value is TransactionStatus {
  return statuses.includes(value);
}

/** The notice as last sent, with fields put in its place; `sign` false forges, "keep" leaves the old one. */
function altered(midtrans: Midtrans, transaction: Transaction, body: Json): Json {
  const { sign, times: _times, url: _url, ...fields } = body;
  const overrides = { ...fields };
  if (typeof overrides.status === "string") {
    overrides.transaction_status = overrides.status;
    delete overrides.status;
  }
  if (isStatus(overrides.transaction_status)) {
    overrides.status_code ??= statusCode(overrides.transaction_status, "202");
  }
  if (typeof overrides.gross_amount === "number") {
    overrides.gross_amount = `${overrides.gross_amount}.00`;
  }
  const notice: Json = { ...noticeBody(transaction, midtrans.serverKey), ...overrides };
  if (sign !== "keep" && fields.signature_key === undefined) {
    notice.signature_key = midtrans.sign(notice);
  }
  return notice;
}

async function renotify(midtrans: Midtrans, order: Order, body: Json): Promise<Json | string> {
  const transaction = midtrans.find(order.id);
  if (!transaction) return "no method is picked yet";
  const fields = altered(midtrans, transaction, body);
  const forged = body.sign === false || body.sign === "false";
  const times = Math.min(Math.max(1, Number(body.times ?? 1)), 100);
  const urls = typeof body.url === "string" ? [body.url] : order.notifyUrls;
  const sends = Array.from({ length: times }, () =>
    urls.map((url) =>
      midtrans.outbox.sendAsIs(midtrans.noticeOf(transaction, url, fields), forged),
    ),
  ).flat();
  return { deliveries: await Promise.all(sends) };
}

/** What a person or a test does by hand, under `/_`. */
export function handRoutes(midtrans: Midtrans): Record<string, Handler> {
  const onOrder =
    (run: (order: Order, body: Json) => Promise<Json | string | null>): Handler =>
    async (request: TwinRequest): Promise<TwinAnswer> => {
      const id = request.params.id ?? "";
      const { orders, transactions, tokens } = midtrans.state;
      const order = orders.get(id) ?? transactions.get(id)?.order ?? tokens.get(id);
      if (!order) return json(404, { error: "no such order" });
      const result = await run(order, controlBody(request));
      if (typeof result === "string") return controlAnswer(request, { error: result }, 409);
      return controlAnswer(request, isObject(result) ? result : view(midtrans, order));
    };
  const reversible = (order: Order): readonly TransactionStatus[] => {
    const method = current(order)?.method;
    const reversed = method?.bank === "permata" || method?.type === "echannel";
    return reversed ? ["pending", "settlement"] : ["pending"];
  };
  return {
    "POST /_pay/:id": onOrder((order, body) => pay(midtrans, order, body)),
    "POST /_deny/:id": onOrder((order) => change(midtrans, order, "deny", reversible(order))),
    "POST /_cancel/:id": onOrder((order) => change(midtrans, order, "cancel", ["pending"])),
    "POST /_expire/:id": onOrder((order) => change(midtrans, order, "expire", ["pending"])),
    "POST /_chargeback/:id": onOrder((order) =>
      change(midtrans, order, "chargeback", ["settlement", "partial_refund"]),
    ),
    "POST /_notify/:id": onOrder((order, body) => renotify(midtrans, order, body)),
    "GET /_orders/:id": onOrder(async () => null),
    "GET /_orders": () =>
      json(
        200,
        [...midtrans.state.orders.values()].map((order) => ({
          order_id: order.id,
          amount: order.amount,
          status: current(order)?.status ?? "no method picked",
        })),
      ),
    "GET /_notices": (request) =>
      json(200, midtrans.outbox.list(request.query.get("order_id") ?? undefined)),
  };
}
