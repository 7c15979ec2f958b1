import { randomInt, randomUUID } from "node:crypto";
import { type Clock, Timers, wib } from "../common/clock.ts";
import { Dials } from "../common/dials.ts";
import type { Json } from "../common/fields.ts";
import { type Delivery, type Notice, Outbox } from "../common/outbox.ts";
import { OwnDials } from "../common/own-dials.ts";
import { qrisText } from "../common/qr.ts";
import { extraFields, formBody, noticeFields, noticeWord } from "./bodies.ts";
import { type Channel, feeOf } from "./channels.ts";
import type { SessionInput } from "./input.ts";
import { noticeSignature, type SignatureForm, signatureForms } from "./signature.ts";
import {
  type Code,
  codes,
  type IpaymuState,
  isPaid,
  type Session,
  type Transaction,
} from "./state.ts";

export interface IpaymuOptions {
  va: string;
  apiKey: string;
  /** Who bears the fee where a call does not say; the documents leave that open, so the worse case. */
  feeDirection?: Session["feeDirection"];
  clock?: Clock;
}

const minuteMs = 60_000;

const dialMeanings = {
  jsonNotice: "a notice comes as JSON instead of as a form",
  signatureForm: `a notice is signed in another described way (${signatureForms.slice(1).join(", ")})`,
  signatureInBody: "a notice's signature is its field `signature`, not a header",
  extraFields: "a notice has 13 more fields, as in the documentation's sample",
  escrowWord: "a form says that there is no escrow by this word (false) instead of 0",
  leanForm: "a form leaves an empty payment_no out",
  unsettled: "a paid transaction is success but not yet settled (code 6)",
  numbersAsText: "the numbers of an answer come as texts",
  historyResults: "history comes as Data.Results instead of Data.Transaction",
  qrisMinutes: "a QRIS code lives so many minutes (1440; the documentation says 5)",
  invalidIp: "a call is refused as production refuses an address that is not registered",
  invalidDomain: "a payment is refused as production refuses a domain that is not registered",
} as const;

/** What iPaymu knows and does: payment sessions, their transactions, the passing of time, the notices. */
export class Ipaymu {
  readonly state: IpaymuState = { sessions: new Map(), transactions: new Map() };
  readonly dials = new Dials();
  readonly own = new OwnDials(this.dials, dialMeanings);
  readonly timers = new Timers();
  readonly clock: Clock;
  readonly va: string;
  readonly apiKey: string;
  readonly feeDirection: Session["feeDirection"];
  readonly outbox: Outbox;
  /** Known once the server listens. */
  url = "";
  private readonly byReference = new Map<string, Session>();
  private lastId: number;

  constructor(options: IpaymuOptions) {
    this.clock = options.clock ?? Date.now;
    this.va = options.va;
    this.apiKey = options.apiKey;
    this.feeDirection = options.feeDirection ?? "BUYER";
    this.lastId = Math.floor(this.clock() / 1000) - 1_600_000_000;
    // Repeated until HTTP 200; how often and after which waits is not published, so these are chosen.
    this.outbox = new Outbox(this.dials, this.timers, this.clock, {
      spacingMs: [1, 5, 15, 30, 60, 120, 240, 480].map((minutes) => minutes * minuteMs),
      retriesAfter: () => 8,
      timeoutMs: 15_000,
      hops: 0,
      accepts: (status) => status === 200,
    });
  }

  /** By SessionID, transaction number or reference (its latest payment), after what is due has expired. */
  find(id: string): Session | undefined {
    const session =
      this.state.sessions.get(id) ??
      this.state.transactions.get(Number(id))?.session ??
      this.byReference.get(id);
    if (session?.transaction) this.expireIfDue(session.transaction);
    return session;
  }

  open(input: SessionInput, text: string): Session {
    const session: Session = {
      ...input,
      sid: randomUUID(),
      text,
      createdAt: this.clock(),
      transaction: null,
    };
    this.state.sessions.set(session.sid, session);
    if (session.referenceId !== null) this.byReference.set(session.referenceId, session);
    return session;
  }

  isOpen(session: Session): boolean {
    return !session.transaction && session.createdAt + session.lifeMs > this.clock();
  }

  /** A buyer picks a channel, or the merchant did in a direct payment; the merchant is told: pending. */
  pick(session: Session, channel: Channel): Transaction {
    this.lastId += 1;
    const fee = feeOf(channel, session.price);
    const total = session.price + (session.feeDirection === "BUYER" ? fee : 0);
    const now = this.clock();
    const transaction: Transaction = {
      id: this.lastId,
      session,
      channel,
      code: codes.pending,
      subTotal: session.price,
      fee,
      total,
      paymentNo: ["va", "cstore"].includes(channel.method)
        ? `8${randomInt(1e10, 9e10)}`.padEnd(16, "7")
        : "",
      qrText: qrisText(String(this.lastId), total),
      createdAt: now,
      expiresAt: now + this.lifeOf(session, channel),
      paidAt: null,
      settledAt: null,
      cancelTimer: () => undefined,
    };
    session.transaction = transaction;
    this.state.transactions.set(transaction.id, transaction);
    this.expireInTime(transaction);
    void this.notify(transaction);
    return transaction;
  }

  private lifeOf(session: Session, channel: Channel): number {
    if (channel.method === "qris") {
      return this.own.number("qrisMinutes", this.sessionText(session), 24 * 60) * minuteMs;
    }
    if (channel.limitMs === null) return session.lifeMs;
    return channel.fixed ? channel.limitMs : Math.min(session.lifeMs, channel.limitMs);
  }

  /** Success, in the form that the call and the dials ask for. */
  async pay(transaction: Transaction, settled: boolean): Promise<Delivery[]> {
    transaction.paidAt = this.clock();
    const later = !settled || this.own.take("unsettled", this.textOf(transaction)) !== undefined;
    if (!later) transaction.settledAt = this.clock();
    if (transaction.session.escrow) return await this.move(transaction, codes.escrow);
    return await this.move(transaction, later ? codes.unsettled : codes.success);
  }

  /** Moves a transaction; notices tell of pending, success and expiry alone. */
  async move(transaction: Transaction, code: Code): Promise<Delivery[]> {
    transaction.code = code;
    if (code !== codes.pending) transaction.cancelTimer();
    const told = isPaid(code) || code === codes.pending || code === codes.expired;
    return told ? await this.notify(transaction) : [];
  }

  expireIfDue(transaction: Transaction): void {
    if (transaction.code !== codes.pending || transaction.expiresAt > this.clock()) return;
    void this.move(transaction, codes.expired);
  }

  /** Armed again when it fires early, as a timer may. */
  private expireInTime(transaction: Transaction): void {
    const waitMs = Math.max(10, transaction.expiresAt - this.clock());
    transaction.cancelTimer = this.timers.later(waitMs, () => {
      this.expireIfDue(transaction);
      if (transaction.code === codes.pending) this.expireInTime(transaction);
    });
  }

  /** Expires whatever the clock says is due: for tests that move the clock themselves. */
  sweep(): void {
    for (const transaction of this.state.transactions.values()) this.expireIfDue(transaction);
  }

  sessionText(session: Session): string {
    return `${session.referenceId ?? ""}\n${session.sid}\n${session.text}`;
  }

  textOf(transaction: Transaction): string {
    return `${transaction.id}\n${this.sessionText(transaction.session)}`;
  }

  /** The notice of what is now, its form and `fields` fixed at this moment, however late it is delivered. */
  noticeOf(transaction: Transaction, url: string, fields?: Json, oldSignature?: string): Notice {
    const text = this.textOf(transaction);
    const { own } = this;
    const extra = own.take("extraFields", text) ? extraFields(transaction, this.va) : {};
    const all = fields ?? { ...noticeFields(transaction), ...extra };
    const wanted = own.text("signatureForm", text, "plain");
    const form = signatureForms.find((one) => one === wanted) ?? "plain";
    const inBody = own.take("signatureInBody", text) !== undefined;
    const asJson = own.take("jsonNotice", text) !== undefined;
    const no = own.text("escrowWord", text, "false") ?? "0";
    const lean = own.take("leanForm", text) !== undefined;
    return {
      subject: transaction.session.referenceId ?? transaction.session.sid,
      event: noticeWord(Number(all.status_code)),
      url,
      text,
      render: (forged) => {
        const signature = oldSignature ?? this.sign(all, form, forged);
        const sent = inBody ? { ...all, signature } : all;
        return {
          headers: {
            "content-type": asJson ? "application/json" : "application/x-www-form-urlencoded",
            "x-timestamp": `${wib(this.clock()).replace(" ", "T")}+07:00`,
            "x-external-id": randomUUID(),
            ...(inBody ? {} : { "x-signature": signature }),
          },
          body: asJson ? JSON.stringify(sent) : formBody(sent, no, lean),
        };
      },
    };
  }

  /** A forged notice is signed with the API key, the likely mistake, instead of the VA. */
  sign(fields: Json, form: SignatureForm = "plain", forged = false): string {
    return noticeSignature(fields, forged ? this.apiKey : this.va, form);
  }

  async notify(transaction: Transaction): Promise<Delivery[]> {
    const notice = this.noticeOf(transaction, transaction.session.notifyUrl);
    return [await this.outbox.send(notice)];
  }
}
