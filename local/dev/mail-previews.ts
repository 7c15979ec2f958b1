import type { Config } from "../../shared/config/config.ts";
import { alertMail } from "../../shared/mail/alert.ts";
import type { MailTemplate } from "../../shared/mail/mail.ts";
import { paymentMails } from "../../shared/payments/mails.ts";
import { hostingMails } from "../../workers/hosting/mails.ts";
import { identityMails } from "../../workers/identity/mails.ts";
import { marketMails } from "../../workers/market/mails.ts";
import { panelMails } from "../../workers/panel/mails.ts";
import { topupMails } from "../../workers/topup/mails.ts";
import { SAMPLE, VARIANTS } from "./mail-samples.ts";

/** A mail as its reader would get it. */
export interface MailPreview {
  name: string;
  subject: string;
  html: string;
  text: string;
}

const TEMPLATES: readonly MailTemplate<unknown>[] = [
  ...identityMails,
  ...hostingMails,
  ...paymentMails,
  ...marketMails,
  ...topupMails,
  ...panelMails,
  alertMail,
];

/** Every mail that the platform can write, with invented data: for a person at the mail twin's page, and for a test. */
export function mailPreviews(appUrl: string): MailPreview[] {
  // Templates read addresses alone, and the rest of a configuration is secrets.
  const config = { APP_URL: appUrl, STORE_DOMAIN: "localhost" } as Config;
  return TEMPLATES.flatMap((template) => [
    preview(template, template.name, {}, config),
    ...Object.entries(VARIANTS[template.name] ?? {}).map(([words, change]) =>
      preview(template, `${template.name} (${words})`, change, config),
    ),
  ]);
}

function preview(
  template: MailTemplate<unknown>,
  name: string,
  change: object,
  config: Config,
): MailPreview {
  const { success, data } = template.schema.safeParse({ ...SAMPLE, ...change });
  if (!success) {
    const text = "Belum ada contoh: lengkapi local/dev/mail-samples.ts";
    return { name, subject: text, html: text, text };
  }
  return {
    name,
    subject: template.subject(data),
    html: template.html(data, config),
    text: template.text(data, config),
  };
}
