import { randomInt, randomUUID } from "node:crypto";
import { type Clock, Timers } from "../common/clock.ts";
import { Dials } from "../common/dials.ts";
import type { Json } from "../common/fields.ts";
import { type Delivery, type Notice, Outbox } from "../common/outbox.ts";
import { qrisText } from "../common/qr.ts";
import { noticeBody, signature } from "./bodies.ts";
import type { OrderInput } from "./input.ts";
import { lifeOf } from "./input.ts";
import {
  current,
  type Method,
  type MidtransState,
  type Order,
  type Refund,
  type SnapPage,
  type Transaction,
  type TransactionStatus,
} from "./state.ts";

const minuteMs = 60_000;

/** The notice rules of midtrans.md section 6: how often a notice is repeated depends on the answer. */
function retriesAfter(status: number | null): number {
  if (status === 500) return 1;
  if (status === 503) return 4;
  if (status === 400 || status === 404) return 2;
  if (status === 301 || status === 302 || status === 303) return 0;
  return 5;
}

export interface MidtransOptions {
  serverKey: string;
  notifyUrl?: string;
  clock?: Clock;
}

/** What Midtrans knows and does: orders, their transactions, the passing of time, the notices. */
export class Midtrans {
  readonly state: MidtransState = { orders: new Map(), transactions: new Map(), tokens: new Map() };
  readonly dials = new Dials();
  readonly timers = new Timers();
  readonly clock: Clock;
  readonly serverKey: string;
  readonly outbox: Outbox;
  notifyUrl: string;
  /** Known once the server listens. */
  url = "";

  constructor(options: MidtransOptions) {
    this.clock = options.clock ?? Date.now;
    this.serverKey = options.serverKey;
    this.notifyUrl = options.notifyUrl ?? "";
    this.outbox = new Outbox(this.dials, this.timers, this.clock, {
      spacingMs: [2 * minuteMs, 10 * minuteMs, 30 * minuteMs, 90 * minuteMs, 210 * minuteMs],
      retriesAfter,
      timeoutMs: 15_000,
      hops: 5,
      accepts: (status) => status >= 200 && status < 300,
    });
  }

  /** By order id or transaction id, after whatever is due has expired. */
  find(id: string): Transaction | undefined {
    const order = this.state.orders.get(id);
    const transaction = order ? current(order) : this.state.transactions.get(id);
    if (transaction) this.expireIfDue(transaction);
    return transaction;
  }

  /** Whether the id is taken: an expired order may be charged again, any other may not. */
  isTaken(orderId: string): boolean {
    const order = this.state.orders.get(orderId);
    if (!order) return false;
    const last = this.find(orderId);
    if (last) return last.status !== "expire";
    return order.snap !== null && order.snap.expiresAt > this.clock();
  }

  openOrder(input: OrderInput, text: string, notifyUrls: string[], snap: SnapPage | null): Order {
    const order: Order = {
      id: input.orderId,
      amount: input.amount,
      text,
      notifyUrls,
      customFields: input.customFields,
      itemNames: input.itemNames,
      snap,
      transactions: this.state.orders.get(input.orderId)?.transactions ?? [],
    };
    this.state.orders.set(order.id, order);
    if (snap) this.state.tokens.set(snap.token, order);
    return order;
  }

  openTransaction(order: Order, method: Method, expiresAt: number): Transaction {
    const id = randomUUID();
    const now = this.clock();
    const transaction: Transaction = {
      id,
      order,
      method,
      amount: order.amount,
      status: "pending",
      createdAt: now,
      expiresAt,
      settledAt: null,
      qrText: qrisText(id, order.amount),
      vaNumber: method.vaNumber || String(randomInt(1e10, 9e10)).padEnd(16, "7"),
      issuer: method.acquirer === "airpay shopee" ? "airpay shopee" : "gopay",
      referenceId: randomUUID(),
      refunds: [],
      cancelTimer: () => undefined,
    };
    order.transactions = [...order.transactions, transaction];
    this.state.transactions.set(id, transaction);
    this.expireInTime(transaction);
    void this.notify(transaction);
    return transaction;
  }

  /** What a buyer who picks QRIS on the payment page gets. */
  pick(order: Order, method: Method): Transaction {
    const life = lifeOf(method);
    const now = this.clock();
    const wanted = order.snap?.expiryGiven ? order.snap.expiresAt : now + life.defaultMs;
    return this.openTransaction(order, method, Math.min(wanted, now + life.maxMs));
  }

  /** Moves a transaction and tells the merchant; resolves after the first attempt to tell. */
  async move(transaction: Transaction, status: TransactionStatus): Promise<Delivery[]> {
    transaction.status = status;
    if (status !== "pending") transaction.cancelTimer();
    if (status === "settlement") transaction.settledAt = this.clock();
    return await this.notify(transaction);
  }

  expireIfDue(transaction: Transaction): void {
    if (transaction.status !== "pending" || transaction.expiresAt > this.clock()) return;
    void this.move(transaction, "expire");
  }

  /** Armed again when it fires early: a timer may, and it cannot hold the 180 days of a virtual account. */
  private expireInTime(transaction: Transaction): void {
    const waitMs = Math.max(10, transaction.expiresAt - this.clock());
    transaction.cancelTimer = this.timers.later(waitMs, () => {
      this.expireIfDue(transaction);
      if (transaction.status === "pending") this.expireInTime(transaction);
    });
  }

  /** Expires whatever the clock says is due: for tests that move the clock themselves. */
  sweep(): void {
    for (const transaction of this.state.transactions.values()) this.expireIfDue(transaction);
  }

  /** A refund is told twice; only the second notice carries the bank's confirmation. */
  addRefund(transaction: Transaction, key: string, amount: number, reason: string): Refund {
    const refund: Refund = {
      chargebackId: randomInt(1, 1_000_000_000),
      key,
      amount,
      reason,
      createdAt: this.clock(),
      confirmedAt: null,
    };
    transaction.refunds = [...transaction.refunds, refund];
    const total = transaction.refunds.reduce((sum, one) => sum + one.amount, 0);
    void this.move(transaction, total >= transaction.amount ? "refund" : "partial_refund");
    const waitMs = this.dials.number("bankConfirmMs", this.textOf(transaction), 500);
    this.timers.later(waitMs, () => {
      refund.confirmedAt = this.clock();
      void this.notify(transaction);
    });
    return refund;
  }

  textOf(transaction: Transaction): string {
    return `${transaction.order.id}\n${transaction.id}\n${transaction.order.text}`;
  }

  /** The notice of what is now; `fields` is fixed at this moment, however late it is delivered. */
  noticeOf(transaction: Transaction, url: string, fields?: Json): Notice {
    const body = fields ?? noticeBody(transaction, this.serverKey);
    return {
      subject: transaction.order.id,
      event: String(body.transaction_status),
      url,
      text: this.textOf(transaction),
      render: (forged) => ({
        headers: { "user-agent": "Veritrans", accept: "application/json" },
        body: JSON.stringify(
          forged ? { ...body, signature_key: this.sign(body, "SB-Mid-server-forged") } : body,
        ),
      }),
    };
  }

  sign(body: Json, key = this.serverKey): string {
    return signature(
      String(body.order_id),
      String(body.status_code),
      String(body.gross_amount),
      key,
    );
  }

  notify(transaction: Transaction): Promise<Delivery[]> {
    const urls = transaction.order.notifyUrls.length > 0 ? transaction.order.notifyUrls : [""];
    return Promise.all(urls.map((url) => this.outbox.send(this.noticeOf(transaction, url))));
  }
}
