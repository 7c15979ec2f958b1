import { z } from "zod";
import { cryptHash } from "../../shared/agent-protocol/files.ts";
import { siteRef } from "../../shared/agent-protocol/sites.ts";
import { CommandError } from "../command-error.ts";
import { accountOf, findSiteAccount, setShadow, shadowOf } from "./accounts.ts";
import type { RootCtx } from "./root-ctx.ts";

/** Before a hash: nobody signs in, and the password comes back when it goes. */
const LOCK = "!";

export const setSftpInput = z.strictObject({
  site: siteRef,
  passwordHash: cryptHash.optional(),
  enabled: z.boolean().optional(),
});

/** Sets password and lock of a site's user in one step. */
export async function setSftp(
  root: RootCtx,
  { site, passwordHash, enabled }: z.output<typeof setSftpInput>,
): Promise<{ enabled: boolean }> {
  if (!accountOf(root.settings, site)) {
    throw new CommandError("not_found", "the site has no user on this server");
  }
  const before = stateIn(shadowOf(root.settings, site.unixUser));
  const hash = passwordHash ?? before?.hash;
  if (hash === undefined) throw new CommandError("not_found", "the site has no SFTP account");
  const isEnabled = enabled ?? before?.enabled ?? true;
  const shadow = isEnabled ? hash : LOCK + hash;
  if (shadow !== shadowOf(root.settings, site.unixUser)) {
    await setShadow(root, site.unixUser, shadow);
    root.step("password-set");
  }
  return { enabled: isEnabled };
}

function stateIn(shadow: string | null): { hash: string; enabled: boolean } | null {
  const hash = shadow?.startsWith(LOCK) ? shadow.slice(LOCK.length) : shadow;
  if (!hash || !cryptHash.safeParse(hash).success) return null;
  return { hash, enabled: !shadow?.startsWith(LOCK) };
}

export const removeSftpInput = z.strictObject({ site: siteRef });

export async function removeSftp(
  root: RootCtx,
  { site }: z.output<typeof removeSftpInput>,
): Promise<Record<never, never>> {
  const account = accountOf(root.settings, site);
  if (account && stateIn(shadowOf(root.settings, site.unixUser))) {
    await setShadow(root, site.unixUser, LOCK);
    root.step("password-removed");
  }
  return {};
}

export const findSftpInput = z.strictObject({ username: siteRef.shape.unixUser });

export function findSftp(
  { settings }: RootCtx,
  { username }: z.output<typeof findSftpInput>,
): { account: { siteId: string; username: string; enabled: boolean } | null } {
  const account = findSiteAccount(settings, username);
  const state = account && stateIn(shadowOf(settings, username));
  return {
    account: account && state && { siteId: account.siteId, username, enabled: state.enabled },
  };
}
