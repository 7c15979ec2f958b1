import { z } from "zod";
import { createHttp, type Failure, type Fetch, type Judge } from "./http.ts";
import { invalidInput } from "./provider-error.ts";
import { verifyMailEvent } from "./resend/webhook.ts";

export type { MailEvent } from "./resend/webhook.ts";

const PROVIDER = "resend";
const HOUR_MS = 3_600_000;

export interface ResendOptions {
  apiKey: string;
  baseUrl: string;
  timeoutMs: number;
  fetch: Fetch;
  random?: () => number;
  sleep?: (ms: number) => Promise<void>;
}

export interface Mail {
  from: string;
  /** At most 50. */
  to: string | string[];
  subject: string;
  html: string;
  text: string;
  replyTo?: string;
  tags?: { name: string; value: string }[];
  /** `<event>/<entity id>`, 1 to 256 characters; the same mail under it is sent once within 24 hours. */
  idempotencyKey: string;
}

const Sent = z.object({ id: z.string().min(1) });
const Refusal = z.object({ name: z.string().regex(/^[a-z_]{1,64}$/) });

/** Resend's error names where they say more than the status (providers/resend.md §1). */
const judge: Judge = ({ status, body }) => {
  if (status < 400) return null;
  const refusal = Refusal.safeParse(body);
  if (!refusal.success) return null;
  const code = refusal.data.name;
  return { ...failureOfName(code), code };
};

function failureOfName(name: string): Partial<Failure> {
  switch (name) {
    case "concurrent_idempotent_requests":
      // The same mail is being sent at this moment.
      return { kind: "unavailable", retryable: true, outcome: "unknown" };
    case "daily_quota_exceeded":
    case "monthly_quota_exceeded":
      return { retryAfterMs: HOUR_MS };
    case "validation_error":
    case "invalid_from_address":
    case "missing_required_field":
      // Also under 403, for a domain that is not verified.
      return { kind: "invalid" };
    default:
      return {};
  }
}

export type Resend = ReturnType<typeof createResend>;

/** The client of Resend, which carries our mail. Every failure is a `ProviderError`. */
export function createResend(options: ResendOptions) {
  const http = createHttp({
    ...options,
    provider: PROVIDER,
    headers: { authorization: `Bearer ${options.apiKey}` },
    judge,
  });

  return {
    /** Sends one mail (providers/resend.md §1). Repeating it under its key within 24 hours sends nothing more. */
    async sendMail(mail: Mail): Promise<{ id: string }> {
      if (!/^[\x21-\x7e]{1,256}$/.test(mail.idempotencyKey)) {
        throw invalidInput(PROVIDER, "the idempotency key is not 1 to 256 plain characters");
      }
      const recipients = typeof mail.to === "string" ? [mail.to] : mail.to;
      if (recipients.length < 1 || recipients.length > 50) {
        throw invalidInput(PROVIDER, "a mail needs 1 to 50 recipients");
      }
      return await http.request({
        method: "POST",
        path: "/emails",
        json: {
          from: mail.from,
          to: recipients,
          subject: mail.subject,
          html: mail.html,
          text: mail.text,
          ...(mail.replyTo && { reply_to: mail.replyTo }),
          ...(mail.tags && { tags: mail.tags }),
        },
        headers: { "idempotency-key": mail.idempotencyKey },
        schema: Sent,
        idempotent: true,
      });
    },

    verifyWebhook: verifyMailEvent,
  };
}
