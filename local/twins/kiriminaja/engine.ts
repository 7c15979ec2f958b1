import { randomInt } from "node:crypto";
import { type Clock, Timers, wib } from "../common/clock.ts";
import { Dials } from "../common/dials.ts";
import type { Json } from "../common/fields.ts";
import { type Delivery, type Notice, Outbox } from "../common/outbox.ts";
import { type CallbackMethod, callbackBody } from "./callbacks.ts";
import { codes, type KiriminAjaState, type Pickup, type Shipment } from "./state.ts";

export interface KiriminAjaOptions {
  apiKey: string;
  callbackUrl?: string;
  clock?: Clock;
  /** An account without credit terms must pay each pickup before an AWB is made. */
  prepaid?: boolean;
  /** The six digits that guard the credit balance. */
  pin?: string;
}

/** What the courier aggregator knows and does: pickups, shipments, their way, the callbacks. */
export class KiriminAja {
  readonly state: KiriminAjaState;
  readonly dials = new Dials();
  readonly timers = new Timers();
  readonly clock: Clock;
  readonly apiKey: string;
  readonly pin: string;
  readonly outbox: Outbox;
  readonly prepaid: boolean;
  /** Known once the server listens. */
  url = "";

  constructor(options: KiriminAjaOptions) {
    this.clock = options.clock ?? Date.now;
    this.apiKey = options.apiKey;
    this.prepaid = options.prepaid ?? false;
    this.pin = options.pin ?? "123456";
    this.state = {
      shipments: new Map(),
      byAwb: new Map(),
      pickups: new Map(),
      callbackUrl: options.callbackUrl ?? "",
      creditBalance: 10_000_000,
    };
    // No repeat is documented, so by itself there is none; the dial `resend` gives a number of them.
    this.outbox = new Outbox(this.dials, this.timers, this.clock, {
      spacingMs: [60_000, 120_000, 240_000, 480_000, 960_000],
      retriesAfter: (_status, text) => this.dials.number("resend", text, 0),
      timeoutMs: 15_000,
      hops: 0,
      accepts: (status) => status >= 200 && status < 300,
    });
  }

  find(id: string): Shipment | undefined {
    return this.state.shipments.get(id) ?? this.state.byAwb.get(id);
  }

  addPickup(pickup: Pickup): void {
    this.state.pickups.set(pickup.number, pickup);
    for (const shipment of pickup.shipments) this.state.shipments.set(shipment.orderId, shipment);
    const unpaid = pickup.paidAt === null;
    for (const shipment of pickup.shipments) {
      this.enter(shipment, codes.asked, "Permintaan pickup diterima");
      if (!unpaid || shipment.cod > 0) this.processSoon(shipment);
    }
  }

  /** Records that the bill of a pickup is paid, and lets its parcels go on. */
  async pay(pickup: Pickup): Promise<void> {
    if (pickup.paidAt !== null) return;
    pickup.paidAt = this.clock();
    await Promise.all(pickup.shipments.map((shipment) => this.process(shipment)));
  }

  private processSoon(shipment: Shipment): void {
    const waitMs = this.dials.number("awbDelayMs", this.textOf(shipment), 300);
    this.timers.later(waitMs, () => void this.process(shipment));
  }

  /** Makes the AWB, once, and tells the merchant. */
  async process(shipment: Shipment): Promise<void> {
    if (shipment.awb !== null) return;
    shipment.awb = `${shipment.service.slice(0, 3).toUpperCase()}${randomInt(1e9, 9e9)}${randomInt(100, 999)}`;
    shipment.processedAt = this.clock();
    this.state.byAwb.set(shipment.awb, shipment);
    this.enter(shipment, codes.waitingForAwb, "Paket menunggu dijemput kurir");
    await this.tell(shipment, "processed_packages");
  }

  enter(shipment: Shipment, code: number, status: string): void {
    shipment.code = code;
    shipment.histories = [{ at: this.clock(), status, code }, ...shipment.histories];
  }

  /** Non-COD cancels wait in a queue (up to 48 h; here the dial `cancelDelayMs`), COD ones do not. */
  askCancel(shipment: Shipment, reason: string): void {
    shipment.reason = reason;
    this.enter(shipment, codes.cancelAsked, "Pembatalan diajukan");
    const waitMs =
      shipment.cod > 0 ? 0 : this.dials.number("cancelDelayMs", this.textOf(shipment), 500);
    this.timers.later(waitMs, () => {
      if (shipment.code === codes.cancelAsked) void this.cancel(shipment, codes.cancelled);
    });
  }

  async cancel(shipment: Shipment, code: number): Promise<void> {
    shipment.cancelledAt = this.clock();
    this.enter(shipment, code, "Paket dibatalkan");
    await this.tell(shipment, "canceled_packages");
  }

  textOf(shipment: Shipment): string {
    return `${shipment.orderId}\n${shipment.awb ?? ""}\n${shipment.pickup.number}\n${shipment.pickup.text}`;
  }

  noticeOf(shipment: Shipment, method: CallbackMethod, fields: Json = {}): Notice {
    const full = this.dials.any && this.dials.take("full", this.textOf(shipment)) !== undefined;
    const body = { ...callbackBody(shipment, method, full), ...fields };
    return {
      subject: shipment.orderId,
      event: method,
      url: this.state.callbackUrl,
      text: this.textOf(shipment),
      render: (forged) => ({
        headers: {
          "user-agent": "KiriminAja-Push-Services",
          authorization: `Bearer ${forged ? "forged-key-of-nobody" : this.apiKey}`,
        },
        body: JSON.stringify(body),
      }),
    };
  }

  tell(shipment: Shipment, method: CallbackMethod): Promise<Delivery> {
    return this.outbox.send(this.noticeOf(shipment, method));
  }

  wib(at: number | null): string | null {
    return at === null ? null : wib(at);
  }
}
