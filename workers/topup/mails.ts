import type { MailTemplate } from "../../shared/mail/mail.ts";
import { lowStockMail } from "./admin/mails.ts";
import { endpointDisabledMail } from "./resellers/mails.ts";

/** Every mail that the domain's SQL functions write. */
export const topupMails: readonly MailTemplate<unknown>[] = [lowStockMail, endpointDisabledMail];
