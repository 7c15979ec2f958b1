import type { Tell } from "../narrator.ts";
import { hand } from "./calls.ts";
import { compareInvoices, payByLink, remind, suspend } from "./renewal.ts";
import { buyPlan, makeCustomer } from "./sale.ts";
import { createSite, deploySite, rollBack, titleOf } from "./site.ts";
import { localSql } from "./time.ts";

const FIRST = "Kopi Kelud";
const SECOND = "Kopi Kelud, buka lagi";

/**
 * A plan bought, a website made, a real site deployed twice and rolled back; then nobody pays until it is suspended, and
 * it lives again once the mail's link was paid. Throws at the first step that fails.
 */
export async function sellHosting(tell: Tell): Promise<void> {
  const domain = `kopi-${crypto.randomUUID().slice(0, 8)}.web.id`;
  const caller = await makeCustomer(tell);
  const { subscriptionId, invoiceNumber } = await buyPlan(tell, caller, domain);
  const website = await createSite(tell, caller, subscriptionId, domain);
  tell.step(`A visitor sees "${await titleOf(tell, website)}"`, `${tell.aapanel}/_site/${domain}/`);

  // A server that takes its time, so that the progress can be seen.
  await hand(`${tell.aapanel}/_dials`, { match: domain, delayMs: 150 }, "PUT");
  await deploySite(tell, caller, website, FIRST);
  await deploySite(tell, caller, website, SECOND);
  await rollBack(tell, caller, website, FIRST);
  await hand(`${tell.aapanel}/_dials?match=${encodeURIComponent(domain)}`, undefined, "DELETE");

  const customer = { caller, website, subscriptionId };
  const { sql, close } = await localSql(tell);
  try {
    const renewal = await remind(tell, sql, customer);
    const link = await suspend(tell, sql, customer);
    const paid = await payByLink(tell, customer, { renewal, link, title: FIRST });
    await compareInvoices(tell, customer, invoiceNumber, paid);
  } finally {
    await close();
  }
  tell.end("Bought, deployed, rolled back, suspended, paid and live again.");
}
