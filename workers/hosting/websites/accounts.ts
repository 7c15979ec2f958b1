import type { HostResult, SiteRef } from "../drivers/index.ts";
import type { SiteSecrets } from "./site.ts";
import type { Turn } from "./turn.ts";

/**
 * Adds what a half-made site lacks: its FTP account and its database. Each is first looked for, so that this may run any
 * number of times. A refusal that will not pass means that the site cannot be completed.
 */
export async function completeAccounts(
  { site, driver }: Turn,
  ref: SiteRef,
  secrets: SiteSecrets,
): Promise<HostResult<void>> {
  const account = await driver.findFtp(site.ftpUsername);
  if (account.state !== "done") return account;
  if (!account.value) {
    const ftp = { username: site.ftpUsername, password: secrets.ftpPassword };
    const added = await driver.addFtp(ref, ftp);
    if (added.state !== "done") return added;
  }
  const { databaseName: name } = site;
  const { databasePassword: password } = secrets;
  if (name === null || password === null) return { state: "done", value: undefined };
  const database = await driver.findDatabase(name);
  if (database.state !== "done") return database;
  if (database.value) return { state: "done", value: undefined };
  return await driver.addDatabase(ref, { name, password });
}

/**
 * Lets FTP in or keeps it out: a stopped site's files could else still be changed. An account that somebody removed by
 * hand is nothing to switch.
 */
export async function switchFtp(
  { site, driver }: Turn,
  enabled: boolean,
): Promise<HostResult<{ isSo: boolean }>> {
  const account = await driver.findFtp(site.ftpUsername);
  if (account.state !== "done") return account;
  if (!account.value) return { state: "done", value: { isSo: !enabled } };
  if (account.value.enabled === enabled) return { state: "done", value: { isSo: true } };
  const changed = await driver.setFtpEnabled(account.value, enabled);
  if (changed.state !== "done") return changed;
  const seen = await driver.findFtp(site.ftpUsername);
  if (seen.state !== "done") return seen;
  return { state: "done", value: { isSo: (seen.value?.enabled ?? false) === enabled } };
}
