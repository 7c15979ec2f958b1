import { until } from "../http.ts";
import { check, rupiah, type Tell } from "../narrator.ts";
import { type Caller, type Mail, mailsTo } from "./calls.ts";
import { awaitPaid, type Order, orderOf, ordersOf, payAt } from "./sale.ts";
import { titleOf, type Website, websiteOf } from "./site.ts";
import { passDays, runNightly, type Sql } from "./time.ts";

export interface Customer {
  caller: Caller;
  website: Website;
  subscriptionId: string;
}

/** A plan is bought for a month of 28 to 31 days; this brings its end within days whatever the month. */
async function comeTo(
  tell: Tell,
  sql: Sql,
  { caller, subscriptionId }: Customer,
  daysLeft: number,
) {
  const first = (await ordersOf(tell, caller)).at(-1)?.subscription;
  if (!first) throw new Error("the first order has no subscription");
  const left = (Date.parse(first.endDate) - Date.now()) / 86_400_000;
  await passDays(sql, subscriptionId, left - daysLeft);
  await runNightly(tell);
}

async function mailAbout(tell: Tell, { caller }: Customer, words: RegExp): Promise<Mail> {
  const found = await until(
    `a mail "${words.source}"`,
    async () => (await mailsTo(tell, caller)).filter(({ subject }) => words.test(subject)),
    (mails) => mails.length > 0,
  );
  const [mail] = found;
  if (!mail || found.length !== 1) throw new Error(`${found.length} mails "${words.source}"`);
  return mail;
}

const REMINDERS: [daysLeft: number, when: string, words: RegExp][] = [
  [3, "Three days before the end", /3 hari lagi/],
  [1, "A day before the end", /besok/],
  [0, "On the last day", /hari ini/],
];

/** Three days ahead the renewal's order is there; three reminders, each once however often the night is run. */
export async function remind(tell: Tell, sql: Sql, customer: Customer): Promise<Order> {
  for (const [daysLeft, when, words] of REMINDERS) {
    await comeTo(tell, sql, customer, daysLeft);
    await runNightly(tell);
    const { subject } = await mailAbout(tell, customer, words);
    tell.step(`${when}, the nightly run twice: one mail`, subject);
  }
  const renewals = (await ordersOf(tell, customer.caller)).filter(
    ({ renewsSubscriptionId }) => renewsSubscriptionId === customer.subscriptionId,
  );
  const [renewal] = renewals;
  if (!renewal || renewals.length !== 1) throw new Error(`${renewals.length} orders of a renewal`);
  tell.step(`One order for the renewal, ${renewal.status}`, rupiah(renewal.price));
  return renewal;
}

/** Three days after the end nobody has paid. Answers with the mail's link to the payment. */
export async function suspend(tell: Tell, sql: Sql, customer: Customer): Promise<string> {
  await comeTo(tell, sql, customer, -3.01);
  await until(
    "the website is suspended",
    () => websiteOf(tell, customer.caller, customer.website.id),
    ({ status }) => status === "SUSPENDED",
  );
  const title = await titleOf(tell, customer.website);
  check("what visitors see", /stopped|ditangguhkan|dihentikan/i.test(title), true);
  const mail = await mailAbout(tell, customer, /ditangguhkan/);
  const [link] = /http\S+\/pay\?key=[\w-]+/.exec(mail.text) ?? [];
  if (!link) throw new Error("the mail has no link to the payment");
  tell.step(`Three days after the end: suspended, visitors see "${title}"`, mail.subject);
  return link;
}

/** Follows the mail's link without a sign-in, pays, and waits until visitors see the site again. */
export async function payByLink(
  tell: Tell,
  { caller, website }: Customer,
  { renewal, link, title }: { renewal: Order; link: string; title: string },
): Promise<Order> {
  const opened = await fetch(link, { redirect: "manual" });
  const page = opened.headers.get("location");
  if (opened.status !== 302 || !page) throw new Error(`the mail's link answered ${opened.status}`);
  await payAt(tell, page);
  const began = Date.now();
  await until(
    "visitors see the site again",
    () => titleOf(tell, website),
    (seen) => seen === title,
    60_000,
  );
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  const paid = await awaitPaid(tell, caller, renewal.id);
  await until(
    "the website is active",
    () => websiteOf(tell, caller, website.id),
    ({ status }) => status === "ACTIVE",
  );
  tell.step(`Paid by the mail's link: "${title}" is live again after ${seconds} s`, page);
  return paid;
}

/** Numbers have no gap: the renewal's invoice is the one after the first. */
export async function compareInvoices(
  tell: Tell,
  { caller }: Customer,
  first: string,
  renewal: Order,
): Promise<void> {
  const { invoiceNumber } = await orderOf(tell, caller, renewal.id);
  const numberOf = (text: string | null) => Number(text?.split("/").at(-1));
  check("the second invoice's number", numberOf(invoiceNumber), numberOf(first) + 1);
  tell.step("Invoice numbers follow each other", `${first}, ${invoiceNumber}`);
}
