import { z } from "zod";
import type { Config } from "../config/config.ts";
import type { Ctx } from "../context.ts";
import type { Job, JobHandler, JobOutcome } from "../jobs/jobs.ts";
import { alertMail } from "./alert.ts";
import type { MailTemplate } from "./template.ts";

export { type MailTemplate, mailTemplate } from "./template.ts";

/** What SQL function `mail_enqueue` writes. */
const payload = z.object({ template: z.string(), to: z.string(), data: z.unknown() });

/** The mail provider keeps a key for 24 hours; an hour is left for the last attempt itself. */
const KEY_LIFE_MS = 23 * 3_600_000;

/**
 * Sends what `mail_enqueue` wrote: once, because every attempt carries the job's id as the provider's idempotency key
 * (providers/resend.md §1). A repeat that the provider would no longer recognise is not risked.
 */
export function mailJob(domainTemplates: readonly MailTemplate<unknown>[]): JobHandler {
  const templates = [alertMail, ...domainTemplates];
  return {
    kind: "mail.send",
    queue: "mail",
    async run(ctx, job): Promise<JobOutcome> {
      const age = ctx.now().getTime() - job.createdAt.getTime();
      if (job.attempts > 1 && age > KEY_LIFE_MS) return { state: "failed", error: "too old" };
      const mail = render(templates, job, ctx.config);
      if (typeof mail === "string") return { state: "failed", error: mail };
      const { id } = await send(ctx, job, mail);
      return { state: "success", result: { mail_id: id } };
    },
  };
}

interface Rendered {
  to: string;
  subject: string;
  html: string;
  text: string;
}

function render(
  templates: readonly MailTemplate<unknown>[],
  job: Job,
  config: Config,
): Rendered | string {
  const { template: name, to, data } = payload.parse(job.payload);
  const template = templates.find((candidate) => candidate.name === name);
  if (!template) return `no template ${name}`;
  const parsed = template.schema.safeParse(data);
  if (!parsed.success) return `data does not fit template ${name}`;
  return {
    to,
    subject: template.subject(parsed.data).replace(/\s+/g, " "),
    html: template.html(parsed.data, config),
    text: template.text(parsed.data, config),
  };
}

function send(ctx: Ctx, job: Job, mail: Rendered): Promise<{ id: string }> {
  const from = ctx.config.MAIL_FROM;
  return ctx.providers.resend.sendMail({ from, ...mail, idempotencyKey: job.id });
}
