import type { Json } from "../common/fields.ts";
import { controlAnswer, controlBody, type Handler, json } from "../common/server.ts";
import type { Resend } from "./engine.ts";
import type { Mail } from "./state.ts";

export const events = [
  "delivered",
  "delivery_delayed",
  "bounced",
  "complained",
  "failed",
  "opened",
  "clicked",
] as const;

const longestWaitMs = 2000;

function view(mail: Mail): Json {
  return {
    id: mail.id,
    from: mail.from,
    to: mail.to,
    subject: mail.subject,
    html: mail.html,
    text: mail.text,
    created_at: new Date(mail.createdAt).toISOString(),
    last_event: mail.lastEvent,
    idempotency_key: mail.idempotencyKey,
  };
}

/** What a person or a test does by hand, under `/_`. */
export function handRoutes(resend: Resend): Record<string, Handler> {
  const onMail =
    (run: (mail: Mail, body: Json) => Promise<Json | string>): Handler =>
    async (request) => {
      const mail = resend.state.mails.get(request.params.id ?? "");
      if (!mail) return json(404, { error: "no such mail" });
      const result = await run(mail, controlBody(request));
      if (typeof result === "string") return controlAnswer(request, { error: result }, 409);
      return controlAnswer(request, result);
    };
  return {
    "GET /_mails": (request) => {
      const to = request.query.get("to")?.toLowerCase();
      const mails = to
        ? (resend.state.byRecipient.get(to) ?? [])
        : [...resend.state.mails.values()];
      return json(200, mails.map(view));
    },
    "POST /_event/:id": onMail(async (mail, body) => {
      const event = events.find((one) => one === body.type);
      if (!event) return `type must be one of ${events.join(", ")}`;
      mail.lastEvent = event;
      await Promise.race([resend.tell(mail, event), resend.timers.wait(longestWaitMs)]);
      return { ...view(mail), notices: resend.outbox.list(mail.id) };
    }),
    "POST /_notify/:id": onMail(async (mail, body) => {
      const forged = body.sign === false || body.sign === "false";
      const event = typeof body.type === "string" ? body.type : mail.lastEvent;
      const delivery = await resend.outbox.sendAsIs(resend.noticeOf(mail, event), forged);
      return { deliveries: [delivery] };
    }),
    "GET /_notices": (request) =>
      json(200, resend.outbox.list(request.query.get("email_id") ?? undefined)),
  };
}
