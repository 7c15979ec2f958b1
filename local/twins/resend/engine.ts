import { randomBytes, randomUUID } from "node:crypto";
import { type Clock, Timers } from "../common/clock.ts";
import { Dials } from "../common/dials.ts";
import type { Json } from "../common/fields.ts";
import { type Delivery, type Notice, Outbox } from "../common/outbox.ts";
import { bareAddress, type MailInput } from "./input.ts";
import { webhookSignature } from "./signature.ts";
import type { Mail, ResendState } from "./state.ts";

export interface ResendOptions {
  apiKey: string;
  clock?: Clock;
  webhookUrl?: string;
  /** `whsec_` and base64; made up when absent, and readable on the twin. */
  webhookSecret?: string;
  /** Domains that may send; absent: all may. */
  verifiedDomains?: string[];
  /** Requests a second before 429 `rate_limit_exceeded`; absent: the headers count, nothing is refused. */
  perSecond?: number;
  /** The platform's mails as samples, for the page `/_previews`; the twin itself knows none of them. */
  previews?: () => { name: string; subject: string; html: string; text: string }[];
}

const secondMs = 1000;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** What the mail provider knows and does: mails kept instead of sent, and their events. */
export class Resend {
  readonly state: ResendState = { mails: new Map(), byRecipient: new Map() };
  readonly dials = new Dials();
  readonly timers = new Timers();
  readonly clock: Clock;
  readonly options: ResendOptions;
  readonly outbox: Outbox;
  readonly webhookSecret: string;

  constructor(options: ResendOptions) {
    this.options = options;
    this.clock = options.clock ?? Date.now;
    this.webhookSecret = options.webhookSecret ?? `whsec_${randomBytes(24).toString("base64")}`;
    this.outbox = new Outbox(this.dials, this.timers, this.clock, {
      spacingMs: [
        5 * secondMs,
        5 * minuteMs,
        30 * minuteMs,
        2 * hourMs,
        5 * hourMs,
        10 * hourMs,
        10 * hourMs,
      ],
      retriesAfter: () => 7,
      timeoutMs: 15_000,
      hops: 0,
      accepts: (status) => status >= 200 && status < 300,
    });
  }

  keep(input: MailInput, idempotencyKey: string | null): Mail {
    const mail: Mail = {
      ...input,
      id: randomUUID(),
      createdAt: this.clock(),
      lastEvent: "delivered",
      idempotencyKey,
    };
    this.state.mails.set(mail.id, mail);
    for (const recipient of new Set(mail.to.map((one) => bareAddress(one) ?? one))) {
      const known = this.state.byRecipient.get(recipient);
      if (known) known.push(mail);
      else this.state.byRecipient.set(recipient, [mail]);
    }
    void this.tell(mail, "sent");
    void this.tell(mail, "delivered");
    return mail;
  }

  textOf(mail: Mail): string {
    return `${mail.id}\n${JSON.stringify(mail.given)}`;
  }

  async tell(mail: Mail, event: string): Promise<Delivery> {
    return await this.outbox.send(this.noticeOf(mail, event));
  }

  /** One event: its `svix-id` stays the same on every retry, the time and the signature do not. */
  noticeOf(mail: Mail, event: string): Notice {
    const id = `msg_${randomBytes(18).toString("base64url")}`;
    const body = JSON.stringify({
      type: `email.${event}`,
      created_at: new Date(this.clock()).toISOString(),
      data: this.eventData(mail, event),
    });
    return {
      subject: mail.id,
      event: `email.${event}`,
      url: this.options.webhookUrl ?? "",
      text: this.textOf(mail),
      render: (forged) => {
        const seconds = Math.floor(this.clock() / 1000);
        const secret = forged ? "whsec_Zm9yZ2VkLXNlY3JldC1vZi1ub2JvZHk=" : this.webhookSecret;
        return {
          body,
          headers: {
            "user-agent": "Svix-Webhooks/1.0",
            "svix-id": id,
            "svix-timestamp": String(seconds),
            "svix-signature": webhookSignature(secret, id, seconds, body),
          },
        };
      },
    };
  }

  private eventData(mail: Mail, event: string): Json {
    const data: Json = {
      email_id: mail.id,
      message_id: `<${mail.id}@twin.resend.local>`,
      from: mail.from,
      to: mail.to,
      subject: mail.subject,
      created_at: new Date(mail.createdAt).toISOString(),
    };
    if (mail.given.tags !== undefined) data.tags = mail.given.tags;
    if (event === "bounced") {
      data.bounce = {
        type: "Permanent",
        subType: "General",
        message: "The recipient's mail server rejected the mail.",
      };
    }
    return data;
  }
}
