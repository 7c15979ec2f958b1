import { randomInt } from "node:crypto";
import type { Clock, Timers } from "./clock.ts";
import type { Dials } from "./dials.ts";

export interface Rendered {
  body: string;
  headers: Record<string, string>;
}

/** A message to the merchant. It is rendered anew for each attempt, because some sign the time. */
export interface Notice {
  /** What it is about (an order id, a mail id): the key of `reorder` and of `list`. */
  subject: string;
  event: string;
  url: string;
  /** What is known about the subject, for the `match` of dials. */
  text: string;
  render(forged: boolean): Rendered;
}

export interface Attempt {
  at: string;
  status: number | null;
  error?: string;
  answer?: string;
}

export interface Delivery {
  subject: string;
  event: string;
  url: string;
  state: "held" | "sending" | "waiting" | "delivered" | "failed" | "lost" | "no address";
  forged: boolean;
  body: string;
  headers: Record<string, string>;
  attempts: Attempt[];
}

export interface RetryRule {
  /** Waits before the 1st, 2nd, ... retry as documented; `retryScale` makes them shorter. */
  spacingMs: readonly number[];
  /** How many retries the last answer (null: none came) allows in all; `text` is for dials. */
  retriesAfter(status: number | null, text: string): number;
  timeoutMs: number;
  /** 307 and 308 are followed with POST, so many times. */
  hops: number;
  /** Whether an answer's status and text (its first 500 characters) end the delivery. */
  accepts(status: number, answer: string): boolean;
}

interface Held {
  notice: Notice;
  delivery: Delivery;
  cancel: () => void;
}

/** A receiver that hangs delays the next notice of the same subject by no more than this. */
const longestTurnMs = 1000;

/** Documented spacings in minutes and hours become seconds. */
const defaultScale = 1 / 60;

/** Delivers notices as the provider does, with its faults dialled in, and records each attempt. */
export class Outbox {
  private readonly deliveries = new Map<string, Delivery[]>();
  private readonly held = new Map<string, Held[]>();
  private readonly turns = new Map<string, Promise<void>>();
  private readonly stopping = new AbortController();
  private readonly dials: Dials;
  private readonly timers: Timers;
  private readonly clock: Clock;
  private readonly rule: RetryRule;

  constructor(dials: Dials, timers: Timers, clock: Clock, rule: RetryRule) {
    this.dials = dials;
    this.timers = timers;
    this.clock = clock;
    this.rule = rule;
  }

  list(subject?: string): Delivery[] {
    if (subject !== undefined) return this.deliveries.get(subject) ?? [];
    return [...this.deliveries.values()].flat();
  }

  /** Sends; resolves when the first attempt of each copy is over (or it is lost, held or delayed). */
  async send(notice: Notice): Promise<Delivery> {
    const take = (name: Parameters<Dials["take"]>[0]) =>
      this.dials.any
        ? this.dials.take(
            name,
            `${notice.subject}\n${notice.text}`,
            `${notice.event} ${notice.url}`,
          )
        : undefined;
    const delivery = this.record(notice, take("forge") !== undefined);
    if (delivery.state === "no address") return delivery;
    if (take("lose")) {
      delivery.state = "lost";
      return delivery;
    }
    const duplicate = take("duplicate");
    const copies = duplicate ? Math.max(1, Number(duplicate.value)) : 0;
    for (let copy = 0; copy < copies; copy += 1) {
      void this.attempt(notice, this.record(notice, delivery.forged));
    }
    const reorder = take("reorder");
    if (reorder) {
      this.hold(notice, delivery, typeof reorder.value === "number" ? reorder.value : 3000);
      return delivery;
    }
    const delay = take("noticeDelayMs");
    if (delay) {
      delivery.state = "waiting";
      this.timers.later(Number(delay.value), () => void this.attempt(notice, delivery));
      return delivery;
    }
    await this.inTurn(notice.subject, () => this.attempt(notice, delivery));
    this.release(notice.subject);
    return delivery;
  }

  /** Sends one body as it is, past every dial: for hands that forge, repeat or alter. */
  async sendAsIs(notice: Notice, forged: boolean): Promise<Delivery> {
    const delivery = this.record(notice, forged);
    if (delivery.state !== "no address") await this.attempt(notice, delivery);
    return delivery;
  }

  stop(): void {
    this.stopping.abort();
  }

  /** First attempts of one subject go one after the other, so that disorder comes from dials alone. */
  private async inTurn(subject: string, run: () => Promise<void>): Promise<void> {
    const before = this.turns.get(subject);
    const mine = (async () => {
      if (before !== undefined) await Promise.race([before, this.timers.wait(longestTurnMs)]);
      await run();
    })();
    this.turns.set(subject, mine);
    await mine;
    if (this.turns.get(subject) === mine) this.turns.delete(subject);
  }

  private record(notice: Notice, forged: boolean): Delivery {
    const { body, headers } = notice.render(forged);
    const delivery: Delivery = {
      subject: notice.subject,
      event: notice.event,
      url: notice.url,
      state: notice.url ? "sending" : "no address",
      forged,
      body,
      headers,
      attempts: [],
    };
    const known = this.deliveries.get(notice.subject);
    if (known) known.push(delivery);
    else this.deliveries.set(notice.subject, [delivery]);
    return delivery;
  }

  private hold(notice: Notice, delivery: Delivery, ms: number): void {
    delivery.state = "held";
    const held: Held = {
      notice,
      delivery,
      cancel: this.timers.later(ms, () => {
        const rest = (this.held.get(notice.subject) ?? []).filter((one) => one !== held);
        this.held.set(notice.subject, rest);
        void this.attempt(notice, delivery);
      }),
    };
    this.held.set(notice.subject, [...(this.held.get(notice.subject) ?? []), held]);
  }

  private release(subject: string): void {
    for (const held of this.held.get(subject) ?? []) {
      held.cancel();
      void this.attempt(held.notice, held.delivery);
    }
    this.held.delete(subject);
  }

  private async attempt(notice: Notice, delivery: Delivery): Promise<void> {
    if (this.stopping.signal.aborted) return;
    delivery.state = "sending";
    const rendered = notice.render(delivery.forged);
    delivery.body = rendered.body;
    delivery.headers = rendered.headers;
    const attempt = await this.post(notice.url, rendered);
    delivery.attempts.push(attempt);
    if (attempt.status !== null && this.rule.accepts(attempt.status, attempt.answer ?? "")) {
      delivery.state = "delivered";
      return;
    }
    const retries = delivery.attempts.length - 1;
    const spacing = this.rule.spacingMs[retries];
    const text = `${notice.subject}\n${notice.text}`;
    if (spacing === undefined || retries >= this.rule.retriesAfter(attempt.status, text)) {
      delivery.state = "failed";
      return;
    }
    delivery.state = "waiting";
    const scale = this.dials.number("retryScale", text, defaultScale);
    const shift = randomInt(90, 111) / 100;
    this.timers.later(spacing * scale * shift, () => void this.attempt(notice, delivery));
  }

  private async post(url: string, { body, headers }: Rendered): Promise<Attempt> {
    const at = new Date(this.clock()).toISOString();
    let target = url;
    try {
      for (let hop = 0; ; hop += 1) {
        const response = await fetch(target, {
          method: "POST",
          body,
          headers: { "content-type": "application/json", ...headers },
          redirect: "manual",
          signal: AbortSignal.any([this.stopping.signal, AbortSignal.timeout(this.rule.timeoutMs)]),
        });
        const next = response.headers.get("location");
        const answer = (await response.text()).slice(0, 500);
        const follow = (response.status === 307 || response.status === 308) && next;
        if (!follow || hop >= this.rule.hops) return { at, status: response.status, answer };
        target = new URL(next, target).href;
      }
    } catch (error) {
      return { at, status: null, error: error instanceof Error ? error.message : String(error) };
    }
  }
}
