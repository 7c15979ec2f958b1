import type { CertificateFacts } from "../../shared/agent-protocol/certificates.ts";
import { CommandError } from "../command-error.ts";
import type { AgentCtx } from "../ctx.ts";
import type { Handler } from "../handlers.ts";
import { findSite, listRecords, type SiteRecord } from "../sites/index.ts";
import { namesOf } from "../sites/record.ts";
import { factsOf, isDue } from "./facts.ts";
import { issueFor } from "./issue.ts";
import { openStore, type Stored } from "./store.ts";

interface InUse {
  site: SiteRecord;
  stored: Stored;
}

/** Renews what is due, each by itself: one that fails keeps what it has and holds up no other. */
export const renewCertificates: Handler<"ssl.renew"> = async (ctx, { daysLeft }, progress) => {
  const renewed: string[] = [];
  const failed: { domain: string; message: string }[] = [];
  const inUse = await certificatesInUse(ctx);
  const due = inUse.filter(({ stored }) => isDue(stored, daysLeft, ctx.now()));
  for (const [index, { site, stored }] of ctx.dryRun ? [] : due.entries()) {
    if (ctx.signal.aborted) throw new CommandError("cancelled", "the command was ended");
    const domain = site.domain;
    try {
      const { issued } = await renewOne(ctx, site, stored, daysLeft);
      if (issued) renewed.push(domain);
    } catch (error) {
      const message = error instanceof CommandError ? error.message : "the agent made a mistake";
      if (!(error instanceof CommandError)) ctx.log.error("a renewal broke", { domain });
      failed.push({ domain, message: message.slice(0, 300) });
    }
    progress(Math.round((100 * (index + 1)) / due.length), [`${index + 1} of ${due.length} done`]);
  }
  return { certificates: await listCertificates(ctx), renewed, failed };
};

/** For the names that the site still has. */
async function renewOne(ctx: AgentCtx, site: SiteRecord, { about }: Stored, daysLeft: number) {
  const names = about.names.filter((name) => namesOf(site).includes(name));
  const [domain] = names;
  if (domain === undefined) throw new CommandError("not_found", "the site has none of its names");
  const wanted = { domain, names, email: about.email, staging: about.staging };
  return await issueFor(ctx, site, wanted, daysLeft, () => undefined);
}

/** What the sites of this server show, with their last moments; asks nobody. */
export async function listCertificates(
  ctx: Pick<AgentCtx, "settings">,
): Promise<CertificateFacts[]> {
  return (await certificatesInUse(ctx)).map(({ stored }) => factsOf(stored));
}

export const inspectCertificates: Handler<"ssl.inspect"> = async (ctx, { domain }) => {
  const all = await listCertificates(ctx);
  if (domain === undefined) return { certificates: all };
  if (!findSite(ctx.settings, { domain })) {
    throw new CommandError("not_found", "no site of this server has that domain");
  }
  return { certificates: all.filter(({ names }) => names.includes(domain)) };
};

async function certificatesInUse({ settings }: Pick<AgentCtx, "settings">): Promise<InUse[]> {
  const store = openStore(settings.certificates.dir);
  const found: InUse[] = [];
  for (const site of listRecords(settings)) {
    const stored = site.certificate && (await store.read(site.certificate));
    if (stored) found.push({ site, stored });
  }
  return found;
}
