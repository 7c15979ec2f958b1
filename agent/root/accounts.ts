import { readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { CommandError } from "../command-error.ts";
import type { Settings } from "../settings.ts";
import type { RootCtx } from "./root-ctx.ts";

export interface Account {
  name: string;
  uid: number;
  gid: number;
  /** `nusantara <site id>` for an account that is a site's. */
  comment: string;
}

export interface AccountOwner {
  siteId: string;
  unixUser: string;
  rootPath: string;
}

/** Every site's user is in it; sshd confines its members to SFTP (agent/files/sshd.ts). */
export const SITES_GROUP = "nusantara-sites";

const etc = ({ sites }: Settings, file: string) => join(sites.accountsPrefix ?? "/", "etc", file);

const lines = (settings: Settings, file: string): string[][] =>
  readFileSync(etc(settings, file), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(":"));

export function findAccount(settings: Settings, name: string): Account | null {
  const found = lines(settings, "passwd").find(([user]) => user === name);
  if (!found) return null;
  const [, , uid = "", gid = "", comment = ""] = found;
  return { name, uid: Number(uid), gid: Number(gid), comment };
}

/** The id of a group of the machine itself, such as the web server's. */
export function systemGroup(name: string): number {
  const found = readFileSync("/etc/group", "utf8")
    .split("\n")
    .map((line) => line.split(":"))
    .find(([group]) => group === name);
  if (!found) throw new CommandError("unavailable", `the group ${name} is not on this server`);
  return Number(found[2]);
}

const commentOf = ({ siteId }: Pick<AccountOwner, "siteId">) => `nusantara ${siteId}`;

/** The site's account, or null. Throws `conflict` for an account of that name which is not the site's. */
export function accountOf(settings: Settings, owner: AccountOwner): Account | null {
  const account = findAccount(settings, owner.unixUser);
  if (account && !isOwn(settings, account, owner)) throw foreignName();
  return account;
}

const foreignName = () => new CommandError("conflict", "the user name belongs to somebody else");

const isOwn = (
  { sites }: Settings,
  { comment, uid }: Account,
  owner: Pick<AccountOwner, "siteId">,
) => comment === commentOf(owner) && uid >= sites.firstUid && uid <= sites.lastUid;

/** Makes the site's user: no shell, no password, a group of its own. */
export async function putAccount(
  root: RootCtx,
  owner: AccountOwner,
): Promise<{ account: Account; isNew: boolean }> {
  const { settings } = root;
  const there = accountOf(settings, owner);
  if (there) return { account: there, isNew: false };
  if (!(await removeEmptyGroup(root, owner.unixUser))) throw foreignName();
  await root.run("groupadd", [...prefix(settings), "--force", "--system", SITES_GROUP]);
  const { firstUid, lastUid } = settings.sites;
  const range = [
    ...["-K", `SYS_UID_MIN=${firstUid}`, "-K", `SYS_UID_MAX=${lastUid}`],
    ...["-K", `SYS_GID_MIN=${firstUid}`, "-K", `SYS_GID_MAX=${lastUid}`],
  ];
  const { code } = await root.run("useradd", [
    ...prefix(settings),
    ...["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"],
    ...[
      "--groups",
      SITES_GROUP,
      "--home-dir",
      sftpHome(settings, owner.rootPath),
      "--comment",
      commentOf(owner),
    ],
    ...range,
    owner.unixUser,
  ]);
  const made = accountOf(settings, owner);
  if (!made) throw new CommandError("tool_failed", `useradd ended with ${code}`);
  root.done.push(`user ${owner.unixUser} made`);
  root.step("account-made");
  return { account: made, isNew: true };
}

/** As seen from the folder that SFTP is confined to (agent/files/sshd.ts). */
const sftpHome = ({ sitesRoot }: Settings, rootPath: string) =>
  rootPath.startsWith(`${sitesRoot}/`) ? rootPath.slice(sitesRoot.length) : "/";

const prefix = ({ sites }: Settings) =>
  sites.accountsPrefix === undefined ? [] : ["--prefix", sites.accountsPrefix];

/** A site's account by its user's name alone. */
export function findSiteAccount(
  settings: Settings,
  name: string,
): (Account & { siteId: string }) | null {
  const account = findAccount(settings, name);
  const siteId = account?.comment.replace(/^nusantara /, "") ?? "";
  return account && isOwn(settings, account, { siteId }) ? { ...account, siteId } : null;
}

/** What stands in place of the password of a user; null where there is none. */
export function shadowOf(settings: Settings, name: string): string | null {
  const found = lines(settings, "shadow").find(([user]) => user === name);
  return found?.[1] ?? null;
}

/** Through standard input: neither a password nor its hash is ever in a list of processes. */
export async function setShadow(root: RootCtx, name: string, shadow: string): Promise<void> {
  const { accountsPrefix } = root.settings.sites;
  const at = accountsPrefix === undefined ? [] : ["-R", accountsPrefix];
  const { code } = await root.run("chpasswd", ["-e", ...at], { stdin: `${name}:${shadow}\n` });
  if (shadowOf(root.settings, name) !== shadow) {
    throw new CommandError("tool_failed", `chpasswd ended with ${code}`);
  }
}

/** What a `useradd` or `userdel` that was cut off may leave. False: the group is somebody else's. */
async function removeEmptyGroup(root: RootCtx, name: string): Promise<boolean> {
  const group = lines(root.settings, "group").find(([found]) => found === name);
  if (!group) return true;
  const [, , gid = "", members = ""] = group;
  const isUsed = lines(root.settings, "passwd").some(([, , , primary]) => primary === gid);
  const { firstUid, lastUid } = root.settings.sites;
  const isOurs = Number(gid) >= firstUid && Number(gid) <= lastUid;
  if (isUsed || members !== "" || !isOurs) return false;
  await root.run("groupdel", [...prefix(root.settings), name]);
  return true;
}

/** Ends all that the site's user runs, then removes the user. One that is not the site's is left alone. */
export async function removeAccount(root: RootCtx, owner: AccountOwner): Promise<void> {
  const { settings } = root;
  const account = findAccount(settings, owner.unixUser);
  if (account) {
    if (!isOwn(settings, account, owner)) return;
    await endProcesses(settings, account.uid);
    root.step("processes-ended");
    const { code } = await root.run("userdel", [...prefix(settings), owner.unixUser]);
    if (findAccount(settings, owner.unixUser)) {
      throw new CommandError("tool_failed", `userdel ended with ${code}`, { retryable: true });
    }
    root.done.push(`user ${owner.unixUser} removed`);
    root.step("account-removed");
  }
  await removeEmptyGroup(root, owner.unixUser);
}

const ROUNDS = 100;

/** Ends every process of a site's user: held still first, so that none starts another meanwhile. */
export async function endProcesses({ sites }: Settings, uid: number): Promise<void> {
  if (uid < sites.firstUid || uid > sites.lastUid) throw new Error("not a site's user");
  for (let round = 0; round < ROUNDS; round += 1) {
    const running = await processesOf(uid);
    if (running.length === 0) return;
    for (const pid of running) signal(pid, "SIGSTOP");
    for (const pid of running) signal(pid, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new CommandError("tool_failed", "the site's processes do not end", { retryable: true });
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}

/** Those that still do something: an ended one that nobody has collected yet counts no more. */
export async function processesOf(uid: number): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
      const isAlive = !/^State:\s+[ZX]/m.test(status);
      const [, real, effective] = /^Uid:\s+(\d+)\s+(\d+)/m.exec(status) ?? [];
      return isAlive && [real, effective].includes(String(uid)) ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}
