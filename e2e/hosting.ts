import { ask, type Caller, hand } from "../local/demo/hosting/calls.ts";
import { buyPlan, makeCustomer } from "../local/demo/hosting/sale.ts";
import { uploadSite, type Website } from "../local/demo/hosting/site.ts";
import { killRuntime } from "./faults/runtime.ts";
import { silently } from "./market.ts";
import { eventually, type Platform, passMinutes } from "./platform.ts";

export interface Subscriber {
  caller: Caller;
  subscriptionId: string;
  domain: string;
  invoiceNumber: string;
}

/** Somebody who has paid for a plan and has no website yet. */
export async function subscribe(platform: Platform): Promise<Subscriber> {
  const tell = silently(platform);
  const domain = `uji-${crypto.randomUUID().slice(0, 12)}.web.id`;
  const caller = await makeCustomer(tell);
  return { caller, domain, ...(await buyPlan(tell, caller, domain)) };
}

/** Whoever had a lease or a turn was killed; what he sent then is as old as makes it known to be lost or done. */
async function takeOver(platform: Platform): Promise<void> {
  await platform.sql("update jobs set lease_until = now() where state = 'running'");
  await platform.sql(`update hosting_websites set turn_until = now() - interval '1 second',
    create_sent_at = create_sent_at - interval '4 minutes' where turn_until > now()`);
  await passMinutes(platform, 4);
}

/** What the killed Worker had sent to Postgres may still take a turn for it, after all was taken over. */
const endTurnsOfTheDead = (platform: Platform) =>
  platform.sql(`update hosting_websites w set turn_until = now() - interval '1 second'
    where w.turn_until > now() and not exists (
      select from jobs j where j.state = 'running' and j.payload->>'website_id' = w.id::text)`);

/** Kills the Worker once `isThere`, and goes on until `isOver` as the crons of the next minutes would. */
async function killAt(
  platform: Platform,
  isThere: () => Promise<boolean>,
  isOver: () => Promise<boolean>,
): Promise<void> {
  await eventually("the moment to kill", isThere);
  if (await isOver()) throw new Error("it was over before the Worker was killed");
  await killRuntime(platform);
  await takeOver(platform);
  await eventually("an end after the kill", async () => {
    if (await isOver()) return true;
    await endTurnsOfTheDead(platform);
    await passMinutes(platform, 1);
    return false;
  });
}

const dial = ({ aapanel }: Platform, domain: string, dials: object) =>
  hand(`${aapanel}/_dials`, { match: domain, ...dials }, "PUT");

const undial = ({ aapanel }: Platform, domain: string) =>
  hand(`${aapanel}/_dials?match=${encodeURIComponent(domain)}`, undefined, "DELETE");

/** Creates a website while the Worker is killed under the creation that the panel carries out all the same. */
export async function createUnderKill(
  platform: Platform,
  { caller, subscriptionId, domain }: Subscriber,
): Promise<Website> {
  await dial(platform, domain, { path: "AddSite", delayMs: 400 });
  const json = { subscriptionId, domain };
  const asked = ask(silently(platform), "/api/website/create", caller, { json });
  // The killed Worker answers nothing.
  asked.catch(() => undefined);
  const isState = async (condition: string) => {
    const found = await platform.sql(
      `select from hosting_websites where domain = $1 and ${condition}`,
      [domain],
    );
    return found.length > 0;
  };
  const isSent = () => isState("create_sent_at is not null");
  await killAt(platform, isSent, () => isState("status = 'ACTIVE'"));
  await undial(platform, domain);
  const { websites } = await ask<{ websites: Website[] }>(
    silently(platform),
    "/api/website",
    caller,
  );
  const [website] = websites;
  if (!website || websites.length !== 1) throw new Error(`${websites.length} websites`);
  return website;
}

/** Deploys a site while the Worker is killed amid the transfer. */
export async function deployUnderKill(
  platform: Platform,
  caller: Caller,
  website: Website,
  title: string,
): Promise<void> {
  const tell = silently(platform);
  const fileUploadId = await uploadSite(tell, caller, website, title);
  await dial(platform, website.domain, { delayMs: 200 });
  const json = { websiteId: website.id, fileUploadId };
  const asked = ask(tell, "/api/website/deploy", caller, { json });
  asked.catch(() => undefined);
  const isState = async (condition: string) => {
    const found = await platform.sql(
      `select from hosting_deploys where website_id = $1 and ${condition}`,
      [website.id],
    );
    return found.length > 0;
  };
  const isAmid = () => isState("step in ('extracting', 'verifying', 'switching')");
  await killAt(platform, isAmid, () => isState("finished_at is not null"));
  await undial(platform, website.domain);
}

interface OnPanel {
  ftps: unknown[];
  databases: unknown[];
}

/** What there is of a website, on the panel and in our books: each figure is to be one. */
export async function countOf(platform: Platform, { id, domain }: Website) {
  const { ftps, databases } = await hand<OnPanel>(`${platform.aapanel}/_sites/${domain}`);
  const sites = await hand<{ name: string }[]>(`${platform.aapanel}/_sites`);
  const [ours] = await platform.sql<Record<string, number>>(
    `select (select count(*) from hosting_deploys where website_id = $1)::int as deploys,
      (select count(*) from hosting_releases where website_id = $1 and state = 'live')::int as live,
      (select count(*) from hosting_releases where website_id = $1)::int as releases,
      (select count(*) from jobs where kind = 'mail.send' and payload->>'template' = 'hosting_website_created'
        and payload->'data'->>'domain' = $2)::int as mails`,
    [id, domain],
  );
  return {
    sites: sites.filter(({ name }) => name === domain).length,
    ftps: ftps.length,
    databases: databases.length,
    ...ours,
  };
}
