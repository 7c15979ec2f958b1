import { CommandError } from "../command-error.ts";
import type { AgentCtx, Progress } from "../ctx.ts";
import type { Handler } from "../handlers.ts";
import { dropCertificate, findSite, type SiteRecord, useCertificate } from "../sites/index.ts";
import { namesOf } from "../sites/record.ts";
import { factsOf, hasEnded, isDue, isSameNames } from "./facts.ts";
import { obtain, type Wanted } from "./order.ts";
import { isServed } from "./served.ts";
import { openStore, type Store, type Stored } from "./store.ts";

type IssueResult = ReturnType<Handler<"ssl.issue">>;

const DAYS_LEFT = 30;

/**
 * A certificate for a site of this server, in use when this is done. The order of things makes a kill at any point
 * harmless: the order is kept before its challenges, the certificate before it is used, and each is found again.
 */
export const issueCertificate: Handler<"ssl.issue"> = async (ctx, input, progress) => {
  const site = findSite(ctx.settings, { siteId: input.siteId });
  const names = [...new Set([input.domain, ...input.aliases])];
  if (!site || !names.every((name) => namesOf(site).includes(name))) {
    throw new CommandError("not_found", "no site of this server has that domain");
  }
  if (ctx.dryRun) throw new CommandError("unavailable", "dry run: no certificate is asked for");
  const wanted = { domain: input.domain, names, email: input.email, staging: input.staging };
  return await issueFor(ctx, site, wanted, DAYS_LEFT, progress);
};

/** One with more than `daysLeft` days left is kept. */
export async function issueFor(
  ctx: AgentCtx,
  site: SiteRecord,
  wanted: Wanted,
  daysLeft: number,
  progress: Progress,
): IssueResult {
  const store = openStore(ctx.settings.certificates.dir);
  const inUse = site.certificate && (await store.read(site.certificate));
  const isGood = (one: Stored) =>
    one.about.staging === wanted.staging &&
    isSameNames(one.about.names, wanted.names) &&
    !isDue(one, daysLeft, ctx.now());
  if (inUse && isGood(inUse) && (await isServed(ctx, wanted.names, inUse.leaf.fingerprint256))) {
    return { certificate: factsOf(inUse), issued: false };
  }
  // One that was fetched by a run that did not come to use it.
  const kept = (await store.versions(wanted.domain)).find(isGood);
  const stored = kept ?? (await fetched(ctx, store, wanted, progress));
  // Also that of the run before: gone on with at the next renewal it would bring this certificate once more.
  await store.dropOrder(wanted.domain, wanted.staging);
  // Else an order for a test would take a trusted certificate from the site's visitors.
  if (wanted.staging && inUse && !inUse.about.staging && !hasEnded(inUse, ctx.now())) {
    return { certificate: factsOf(stored), issued: !kept };
  }
  progress(90, ["putting the certificate in use"]);
  await putInUse(ctx, site, wanted, stored, inUse);
  await store.prune(wanted.domain, stored.certificateFile);
  return { certificate: factsOf(stored), issued: true };
}

async function fetched(
  ctx: AgentCtx,
  store: Store,
  wanted: Wanted,
  progress: Progress,
): Promise<Stored> {
  const { chain, key, directory } = await obtain(ctx, store, wanted, progress);
  const { names, email, staging } = wanted;
  const about = { v: 1 as const, directory, names, email, staging };
  return await store.add(wanted.domain, { chain, key, about });
}

/** Switched, and seen in a handshake for every name; else the site has what it had. */
async function putInUse(
  ctx: AgentCtx,
  { domain }: SiteRecord,
  { names }: Wanted,
  { certificateFile, keyFile, leaf }: Stored,
  before: Stored | null,
): Promise<void> {
  await useCertificate(ctx, { domain, certificateFile, keyFile });
  if (await isServed(ctx, names, leaf.fingerprint256)) return;
  if (before) {
    await useCertificate(ctx, {
      domain,
      certificateFile: before.certificateFile,
      keyFile: before.keyFile,
    });
  } else {
    await dropCertificate(ctx, { domain });
  }
  throw new CommandError("broken_config", "the web server does not show the new certificate");
}
