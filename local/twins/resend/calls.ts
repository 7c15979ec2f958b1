import { createHash } from "node:crypto";
import { parseJson } from "../common/fields.ts";
import { type Handler, json, type TwinAnswer, type TwinRequest } from "../common/server.ts";
import type { Resend } from "./engine.ts";
import { type MailInput, type ResendError, readMail } from "./input.ts";
import type { Mail } from "./state.ts";

export function resendError(statusCode: number, name: string, message: string): TwinAnswer {
  return json(statusCode, { statusCode, name, message });
}

function refuse(error: ResendError): TwinAnswer {
  return resendError(error.statusCode, error.name, error.message);
}

function isError(value: MailInput | ResendError): value is ResendError {
  return "statusCode" in value;
}

const keptMs = 24 * 3_600_000;

interface KeptAnswer {
  until: number;
  payload: string;
  answer: TwinAnswer | null;
}

/** `Idempotency-Key` of a sending call: a day long one answer per key, for one payload only. */
export function idempotency(resend: Resend) {
  const kept = new Map<string, KeptAnswer>();
  return async (request: TwinRequest, next: () => Promise<TwinAnswer>): Promise<TwinAnswer> => {
    const key = request.header("idempotency-key");
    if (request.method !== "POST" || key === undefined) return await next();
    if (key.length < 1 || key.length > 256) {
      return resendError(
        400,
        "invalid_idempotency_key",
        "The idempotency key must be between 1-256 characters.",
      );
    }
    const payload = createHash("sha256").update(`${request.path}\n${request.raw}`).digest("hex");
    const now = resend.clock();
    const known = kept.get(key);
    if (known && known.until > now) {
      if (known.payload !== payload) {
        return resendError(
          409,
          "invalid_idempotent_request",
          "Same idempotency key used with a different request payload.",
        );
      }
      if (known.answer) return known.answer;
      return resendError(
        409,
        "concurrent_idempotent_requests",
        "Same idempotency key used while original request is still in progress.",
      );
    }
    kept.set(key, { until: now + keptMs, payload, answer: null });
    try {
      const answer = await next();
      if (answer.status === 200) kept.set(key, { until: now + keptMs, payload, answer });
      else kept.delete(key);
      return answer;
    } catch (error) {
      kept.delete(key);
      throw error;
    }
  };
}

function send(resend: Resend): Handler {
  return (request) => {
    const input = readMail(parseJson(request.raw), resend.options.verifiedDomains);
    if (isError(input)) return refuse(input);
    const mail = resend.keep(input, request.header("idempotency-key") ?? null);
    return json(200, { id: mail.id });
  };
}

/** Strict (the default) keeps nothing when one message is wrong; permissive keeps the right ones. */
function sendBatch(resend: Resend): Handler {
  return (request) => {
    const list = parseJson(request.raw);
    if (!Array.isArray(list) || list.length === 0 || list.length > 100) {
      return resendError(422, "validation_error", "The body must be an array of 1 to 100 emails.");
    }
    const permissive = request.header("x-batch-validation") === "permissive";
    const inputs = list.map((value: unknown) => readMail(value, resend.options.verifiedDomains));
    const firstError = inputs.find(isError);
    if (firstError && !permissive) return refuse(firstError);
    const data: { id: string }[] = [];
    const errors: { index: number; message: string }[] = [];
    inputs.forEach((input, index) => {
      if (isError(input)) errors.push({ index, message: input.message });
      else data.push({ id: resend.keep(input, request.header("idempotency-key") ?? null).id });
    });
    return json(200, permissive ? { data, errors } : { data });
  };
}

function listOf(value: unknown): unknown[] | null {
  if (value === undefined || value === null) return null;
  return Array.isArray(value) ? value : [value];
}

function mailBody(mail: Mail) {
  const { given } = mail;
  return {
    object: "email",
    id: mail.id,
    to: mail.to,
    from: mail.from,
    created_at: new Date(mail.createdAt).toISOString(),
    subject: mail.subject,
    html: mail.html,
    text: mail.text,
    bcc: listOf(given.bcc),
    cc: listOf(given.cc),
    reply_to: listOf(given.reply_to),
    last_event: mail.lastEvent,
    scheduled_at: given.scheduled_at ?? null,
    ...(given.tags === undefined ? {} : { tags: given.tags }),
  };
}

export function callRoutes(resend: Resend): Record<string, Handler> {
  return {
    "POST /emails": send(resend),
    "POST /emails/batch": sendBatch(resend),
    "GET /emails/:id": (request) => {
      const mail = resend.state.mails.get(request.params.id ?? "");
      return mail ? json(200, mailBody(mail)) : resendError(404, "not_found", "Email not found");
    },
  };
}
