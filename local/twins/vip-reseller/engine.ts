import { randomBytes, randomInt } from "node:crypto";
import { type Clock, Timers } from "../common/clock.ts";
import { Dials } from "../common/dials.ts";
import type { Json } from "../common/fields.ts";
import { type Delivery, type Notice, Outbox } from "../common/outbox.ts";
import { OwnDials } from "../common/own-dials.ts";
import { noticeBody, statusData } from "./bodies.ts";
import { makeCatalogue } from "./catalogue/catalogue.ts";
import type { Family, Price, Service } from "./catalogue/services.ts";
import { isNobody, numberOf } from "./nicknames.ts";
import { accountSign } from "./signature.ts";
import { isFinal, type Order, type OrderStatus, type VipState } from "./state.ts";

export interface VipOptions {
  apiId: string;
  apiKey: string;
  callbackUrl?: string;
  balance?: number;
  level?: keyof Price;
  /** The addresses that may call; without the dial `callerAddress` everybody comes from 127.0.0.1. */
  whitelist?: string[];
  /** As many services as this in all; some hundred are always there. */
  services?: number;
  clock?: Clock;
}

const minuteMs = 60_000;

const dialMeanings = {
  say: "a call is answered result:false with this message and does not act, unless acts is true",
  lowBalance: "an order is refused for its balance; the value is put behind the message ([1])",
  priceChange: "an order costs so many percent more (10) than the catalogue says",
  callerAddress: "a call comes from this address (203.0.113.7)",
  stay: "an order does not move by itself",
  lagMs:
    "an order shows in lists so many ms after it was made (true: never); of a family: path /api/prepaid",
  mostListed:
    "lists have so many rows at most (10), whatever limit says; of a family: path /api/prepaid",
  processMs: "the wait before an order is processing (300)",
  finishMs: "the wait from then until it is final (700)",
  fail: "an order ends in error, with this note",
  partial: "a social media order ends partial, this many left (half)",
  statusWord: "statuses are called this (process), in answers and notices",
  earlyNotice: "a notice of `waiting` goes out before the order is answered",
  swapShape: "a notice has a list in `data` where it has an object, and the other way round",
} as const;

export interface OrderInput {
  service: Service;
  target: string;
  zone: string;
  additional: string;
  quantity: number;
  text: string;
}

/** What VIP-Reseller knows and does: the account, its orders, their way to an end, the notices. */
export class Vip {
  readonly state: VipState;
  readonly dials = new Dials();
  readonly own = new OwnDials(this.dials, dialMeanings);
  readonly timers = new Timers();
  readonly clock: Clock;
  readonly sign: string;
  readonly outbox: Outbox;
  private readonly byTarget = new Map<string, Order>();

  constructor(options: VipOptions) {
    if (!options.apiId || !options.apiKey)
      throw new Error("VIP-Reseller: an id and a key are needed");
    this.clock = options.clock ?? Date.now;
    this.sign = accountSign(options.apiId, options.apiKey);
    this.state = {
      account: {
        apiId: options.apiId,
        apiKey: options.apiKey,
        fullName: "Lumbung Lokal",
        username: "lumbung",
        balance: options.balance ?? 10_000_000,
        point: 0,
        level: options.level ?? "basic",
        registered: "2024-01-01 08:00:00",
        whitelist: options.whitelist ?? ["127.0.0.1"],
        callbackUrl: options.callbackUrl ?? "",
      },
      services: makeCatalogue(options.services),
      orders: new Map(),
    };
    // Whether a failed notice is repeated is not documented: it is not, unless the dial `resend` says so.
    this.outbox = new Outbox(this.dials, this.timers, this.clock, {
      spacingMs: [1, 5, 15, 30, 60].map((minutes) => minutes * minuteMs),
      retriesAfter: (_status, text) => this.dials.number("resend", text, 0),
      timeoutMs: 15_000,
      hops: 0,
      accepts: (status) => status === 200,
    });
  }

  /** By trxid, or the latest order of a target. */
  find(id: string): Order | undefined {
    return this.state.orders.get(id) ?? this.byTarget.get(id);
  }

  priceOf(input: OrderInput): number {
    const { service, quantity } = input;
    const list = service.price[this.state.account.level];
    const dial = this.own.take("priceChange", input.text);
    const percent = dial ? (typeof dial.value === "number" ? dial.value : 10) : 0;
    const each = Math.round(list * (1 + percent / 100));
    return service.family === "social-media"
      ? Math.ceil((each * quantity) / 1000)
      : each * quantity;
  }

  /** Takes an order, paid from the balance. A repeated one is another: there is no key to tell them apart. */
  async open(input: OrderInput, price: number): Promise<Order> {
    const { service } = input;
    const order: Order = {
      ...input,
      trxid: `VP${randomBytes(5).toString("hex").toUpperCase()}`,
      family: service.family,
      price,
      status: "waiting",
      note: "",
      remain: input.quantity,
      count: service.family === "social-media" ? numberOf(input.target) % 5000 : 0,
      createdAt: this.clock(),
      cancelTimer: () => undefined,
    };
    this.state.account.balance -= price;
    if (service.stock !== null) this.setStock(service, service.stock - input.quantity);
    this.state.orders.set(order.trxid, order);
    this.byTarget.set(order.target, order);
    const early = this.own.take("earlyNotice", this.textOf(order));
    if (early) await Promise.race([this.notify(order), this.timers.wait(2000)]);
    if (!this.own.take("stay", this.textOf(order))) this.begin(order);
    return order;
  }

  setStock(service: Service, stock: number): void {
    service.stock = stock;
    service.status = stock > 0 ? "available" : "empty";
  }

  private begin(order: Order): void {
    const text = this.textOf(order);
    order.cancelTimer = this.timers.later(this.own.number("processMs", text, 300), () => {
      void this.move(order, "processing");
      order.cancelTimer = this.timers.later(this.own.number("finishMs", text, 700), () => {
        void this.finish(order);
      });
    });
  }

  private async finish(order: Order): Promise<void> {
    const text = this.textOf(order);
    const reason = this.own.text("fail", text, "Transaksi gagal, silakan coba lagi.");
    if (reason !== null) return void (await this.move(order, "error", { note: reason }));
    if (order.family === "game-feature" && isNobody(order.target)) {
      const note = "User ID atau Zone ID salah.";
      return void (await this.move(order, "error", { note }));
    }
    const partial = order.family === "social-media" ? this.own.take("partial", text) : undefined;
    if (!partial) return void (await this.move(order, "success"));
    const half = Math.floor(order.quantity / 2);
    const remain = typeof partial.value === "number" ? partial.value : half;
    await this.move(order, "partial", { remain });
  }

  /** Moves an order and tells the merchant; what was not delivered is paid back. */
  async move(
    order: Order,
    status: OrderStatus,
    change: { note?: string; remain?: number } = {},
  ): Promise<Delivery> {
    if (isFinal(status)) order.cancelTimer();
    const owed = this.owedBack(order, status, change.remain ?? 0);
    this.state.account.balance += owed - this.owedBack(order, order.status, order.remain);
    const { service } = order;
    const back = status === "error" && order.status !== "error";
    if (back && service.stock !== null) this.setStock(service, service.stock + order.quantity);
    order.status = status;
    if (status === "success") order.remain = 0;
    if (status === "partial") order.remain = change.remain ?? 0;
    order.note = change.note ?? (status === "success" ? serialOf(order) : order.note);
    return await this.notify(order);
  }

  private owedBack(order: Order, status: OrderStatus, remain: number): number {
    if (status === "error") return order.price;
    if (status !== "partial") return 0;
    return Math.floor((order.price * Math.min(remain, order.quantity)) / order.quantity);
  }

  textOf(order: Order): string {
    return `${order.trxid}\n${order.service.code}\n${order.text}`;
  }

  /** Whether lists have it by now: how late they are, nobody promises. */
  isListed(order: Order): boolean {
    const dial = this.own.take("lagMs", this.textOf(order), `/api/${order.family}`);
    if (!dial) return true;
    return typeof dial.value === "number" && this.clock() >= order.createdAt + dial.value;
  }

  /** How many rows a list has that was asked for with this limit. */
  mostListed(family: Family, limit: number): number {
    const dial = this.own.take("mostListed", "", `/api/${family}`);
    if (!dial) return limit;
    return Math.min(limit, typeof dial.value === "number" ? dial.value : 10);
  }

  wordOf(order: Order): string {
    return this.own.text("statusWord", this.textOf(order), "process") ?? order.status;
  }

  /** The notice of what is now; its body is fixed at this moment, however late it is delivered. */
  noticeOf(order: Order, url: string, fields: Json = {}): Notice {
    const text = this.textOf(order);
    const data: Json = { ...statusData(order, this.wordOf(order)), ...fields };
    const swapped = this.own.take("swapShape", text) !== undefined;
    const body = JSON.stringify(noticeBody(order, data, swapped));
    const { apiId, apiKey } = this.state.account;
    return {
      subject: order.trxid,
      event: String(data.status),
      url,
      text,
      // A forged notice has the key before the id, the likely mistake.
      render: (forged) => ({
        headers: { "x-client-signature": forged ? accountSign(apiKey, apiId) : this.sign },
        body,
      }),
    };
  }

  notify(order: Order): Promise<Delivery> {
    return this.outbox.send(this.noticeOf(order, this.state.account.callbackUrl));
  }
}

function group(count: number, size: number): string {
  return Array.from({ length: count }, () => {
    return String(randomInt(10 ** size)).padStart(size, "0");
  }).join("-");
}

/** What `note` holds on success: the code bought, an electricity token, or a serial number. */
function serialOf(order: Order): string {
  const { service } = order;
  if (service.family === "social-media") return "";
  if (service.family === "game-feature" && service.voucher) {
    return randomBytes(8)
      .toString("hex")
      .toUpperCase()
      .replace(/.{4}(?=.)/g, "$&-");
  }
  if (service.family === "prepaid" && service.category === "PLN") {
    return `${group(5, 4)}/BUDI/R1/900VA/34,7`;
  }
  return `SN: ${group(1, 12)}`;
}
