import { afterAll, beforeAll, expect, onTestFailed, test } from "vitest";
import { payByLink, suspend } from "../local/demo/hosting/renewal.ts";
import { orderOf, ordersOf } from "../local/demo/hosting/sale.ts";
import { createSite, deploySite, titleOf } from "../local/demo/hosting/site.ts";
import { countOf, createUnderKill, deployUnderKill, subscribe } from "./hosting.ts";
import { silently } from "./market.ts";
import { type Platform, startPlatform } from "./platform.ts";

/** A customer against the production bundle, iPaymu's twin and the panel's twin. */
let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform();
}, 240_000);

afterAll(async () => {
  await platform?.stop();
});

const TITLE = "Kopi Kelud";

function tellOnFailure(): void {
  onTestFailed(() => console.error(platform.workerLog().slice(-4_000)));
}

test("a plan is bought, a site is deployed and seen, suspended when unpaid, and seen again within a minute of the payment", async () => {
  tellOnFailure();
  const tell = silently(platform);
  const { caller, subscriptionId, domain, invoiceNumber } = await subscribe(platform);
  const website = await createSite(tell, caller, subscriptionId, domain);
  await deploySite(tell, caller, website, TITLE);
  const customer = { caller, website, subscriptionId };
  const link = await suspend(tell, platform.sql, customer);
  expect(await titleOf(tell, website)).not.toBe(TITLE);
  const renewals = (await ordersOf(tell, caller)).filter(
    ({ renewsSubscriptionId }) => renewsSubscriptionId !== null,
  );
  expect(renewals).toEqual([expect.objectContaining({ status: "PENDING" })]);
  const [renewal] = renewals;
  if (!renewal) throw new Error("no renewal");
  const began = Date.now();
  await payByLink(tell, customer, { renewal, link, title: TITLE });
  expect(Date.now() - began).toBeLessThan(60_000);
  const paid = await orderOf(tell, caller, renewal.id);
  expect(paid.invoiceNumber).not.toBe(invoiceNumber);
  const numbers = await platform.sql<{ gaps: number }>(
    "select (max(serial) - count(*))::int as gaps from hosting_invoices group by year",
  );
  expect(numbers).toEqual([{ gaps: 0 }]);
}, 240_000);

test("a Worker killed amid a creation and amid a deploy leaves one site, one FTP account, one release, one mail", async () => {
  tellOnFailure();
  const subscriber = await subscribe(platform);
  const website = await createUnderKill(platform, subscriber);
  await deployUnderKill(platform, subscriber.caller, website, TITLE);
  expect(await titleOf(silently(platform), website)).toBe(TITLE);
  expect(await countOf(platform, website)).toEqual({
    sites: 1,
    ftps: 1,
    databases: 1,
    deploys: 1,
    live: 1,
    releases: 1,
    mails: 1,
  });
}, 240_000);
