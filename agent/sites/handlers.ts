import type { z } from "zod";
import type { SiteRef, sitesCommands } from "../../shared/agent-protocol/sites.ts";
import { CommandError } from "../command-error.ts";
import type { AgentCtx, Progress } from "../ctx.ts";
import type { HandlersOf } from "../handlers.ts";
import { findAccount } from "../root/accounts.ts";
import { type SiteAnswer, siteAnswer } from "../root/site-verbs.ts";
import { type CertificateFiles, factsOf, findSite, isProcess, type SiteRecord } from "./record.ts";
import { supervisorOf } from "./supervisor.ts";
import { visit } from "./visit.ts";

type Change = Partial<Pick<SiteRecord, "suspended" | "documentRoot" | "lastDay" | "certificate">>;

/** Has the privileged half change a site, then brings its process to the new shape. */
async function change(
  ctx: AgentCtx,
  of: { siteId: string; ref?: SiteRef },
  change: Change,
): Promise<{ site: ReturnType<typeof factsOf> }> {
  const before = findSite(ctx.settings, of);
  if (!before) throw new CommandError("not_found", "the site is not on this server");
  if (ctx.dryRun) return { site: factsOf({ ...before, ...change }) };
  const answer = siteAnswer.parse(await ctx.root("site.change", { ...of, change }));
  await follow(ctx, answer);
  return { site: factsOf(answer.record) };
}

/** Without systemd the site's process is the agent's own child. */
async function follow(ctx: AgentCtx, { record, uid, gid }: SiteAnswer): Promise<void> {
  if (ctx.settings.services !== "direct") return;
  await supervisorOf(ctx.settings).bring(record, { uid, gid });
}

/** After a site's files were put in place of others: its process still runs in the folder that they replaced. */
export async function restartSite(ctx: AgentCtx, siteId: string): Promise<void> {
  if (ctx.settings.services === "systemd") {
    await ctx.root("site.restart", { siteId });
    return;
  }
  const record = findSite(ctx.settings, { siteId });
  const account = record && findAccount(ctx.settings, record.unixUser);
  if (!account) return;
  await supervisorOf(ctx.settings).again(record, { uid: account.uid, gid: account.gid });
  await untilProcessListens(ctx, record);
}

const refOf = ({ siteId, domain, rootPath, unixUser }: SiteRef): SiteRef => ({
  ...{ siteId, domain, rootPath, unixUser },
});

type Provision = z.output<(typeof sitesCommands)["site.provision"]["input"]>;

async function provision(ctx: AgentCtx, input: Provision, progress: Progress) {
  if (ctx.dryRun) return { site: planned(ctx, input), httpStatus: null };
  progress(10, ["making the site"]);
  const answer = siteAnswer.parse(await ctx.root("site.put", input));
  progress(80, ["the web server serves it"]);
  await follow(ctx, answer);
  await untilProcessListens(ctx, answer.record);
  const seen = await look(ctx, answer.record);
  progress(100, [`it answers ${seen ?? "nothing"}`]);
  return { site: factsOf(answer.record), httpStatus: seen };
}

/** What would be made; with a dry run nobody asks the privileged half. */
function planned({ settings }: AgentCtx, input: Provision) {
  const version = input.phpVersion ?? settings.phpFpm.at(-1)?.version ?? null;
  const phpVersion = input.runtime === "php" ? version : null;
  return factsOf({ ...input, phpVersion, v: 1, entry: null, certificate: null });
}

const VISIT_MS = 10_000;

async function look(ctx: AgentCtx, { domain }: SiteRecord): Promise<number | null> {
  const ask = { domain, path: "/", timeoutMs: VISIT_MS };
  return await visit(ctx.settings, ask).then(
    ({ status }) => status,
    () => null,
  );
}

const PAUSE_MS = 50;

/** A process needs a moment until it listens; one that never does shows in the answer, it is the site's own affair. */
async function untilProcessListens(ctx: AgentCtx, record: SiteRecord): Promise<void> {
  if (record.suspended || !isProcess(record)) return;
  const until = Date.now() + ctx.settings.sites.patienceMs;
  while (Date.now() < until && !ctx.signal.aborted) {
    const status = await look(ctx, record);
    if (status !== null && status !== 502) return;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

async function deprovision(
  ctx: AgentCtx,
  input: SiteRef & { removeFiles: boolean },
): Promise<{ removedFiles: boolean }> {
  if (ctx.dryRun) return { removedFiles: input.removeFiles };
  await supervisorOf(ctx.settings).end(input.unixUser);
  const answer = await ctx.root("site.remove", input);
  return sitesRemoved(answer);
}

function sitesRemoved(answer: unknown): { removedFiles: boolean } {
  const isSo =
    typeof answer === "object" && answer !== null && "removedFiles" in answer
      ? answer.removedFiles === true
      : false;
  return { removedFiles: isSo };
}

/** Serves a site with a certificate, or without: the folder of certificates is settings.certificates.dir. */
export async function useCertificate(
  ctx: AgentCtx,
  { domain, ...files }: CertificateFiles & { domain: string },
): Promise<void> {
  await change(ctx, { siteId: siteOf(ctx, domain) }, { certificate: files });
}

export async function dropCertificate(
  ctx: AgentCtx,
  { domain }: { domain: string },
): Promise<void> {
  await change(ctx, { siteId: siteOf(ctx, domain) }, { certificate: null });
}

function siteOf({ settings }: AgentCtx, domain: string): string {
  const found = findSite(settings, { domain });
  if (!found) throw new CommandError("not_found", "the site is not on this server");
  return found.siteId;
}

export const handlers = {
  "site.provision": provision,
  "site.deprovision": deprovision,
  "site.suspend": async (ctx, input) =>
    await change(ctx, { siteId: input.siteId, ref: refOf(input) }, { suspended: true }),
  "site.resume": async (ctx, input) =>
    await change(ctx, { siteId: input.siteId, ref: refOf(input) }, { suspended: false }),
  "site.set-document-root": async (ctx, { documentRoot, ...ref }) =>
    await change(ctx, { siteId: ref.siteId, ref: refOf(ref) }, { documentRoot }),
  "site.set-last-day": async (ctx, { lastDay, ...ref }) =>
    await change(ctx, { siteId: ref.siteId, ref: refOf(ref) }, { lastDay }),
  "site.inspect": async ({ settings }, wanted) => {
    const record = findSite(settings, wanted);
    return { site: record && factsOf(record) };
  },
  "site.probe": async ({ settings }, { domain, path, tls }) => {
    try {
      return await visit(settings, { domain, path, tls, timeoutMs: VISIT_MS });
    } catch (cause) {
      throw new CommandError("unavailable", "the web server does not answer", {
        retryable: true,
        cause,
      });
    }
  },
} satisfies HandlersOf<typeof sitesCommands>;
