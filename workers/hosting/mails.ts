import type { MailTemplate } from "../../shared/mail/mail.ts";
import { renewalMails } from "./mails/renewal.ts";
import { saleMails } from "./mails/sale.ts";

/** Every mail that hosting writes; registration's is identity's. */
export const hostingMails: readonly MailTemplate<unknown>[] = [...saleMails, ...renewalMails];
