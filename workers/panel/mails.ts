import type { MailTemplate } from "../../shared/mail/mail.ts";
import { incidentMail } from "./monitor/mails.ts";

/** Every mail that the panel's SQL functions write. */
export const panelMails: readonly MailTemplate<unknown>[] = [incidentMail];
