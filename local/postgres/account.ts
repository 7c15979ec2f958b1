import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { dirname } from "node:path";

/** The operating-system account that owns the data and runs the server. */
export type Account = { uid: number; gid: number };

/**
 * Postgres refuses to run as root, so root lends it an existing unprivileged account.
 * Undefined means "run as the caller", which is right for everyone but root.
 */
export function databaseAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ["postgres", "nobody"]) {
    const uid = idOf("-u", name);
    const gid = idOf("-g", name);
    if (uid !== undefined && gid !== undefined && uid !== 0) return { uid, gid };
  }
  throw new Error(
    "PostgreSQL refuses to run as root and neither a `postgres` nor a `nobody` account exists. " +
      "Run as an ordinary user.",
  );
}

/** The account that owns an existing data directory, when root could lend it to Postgres. */
export function ownerOf(path: string): Account {
  const { uid, gid } = statSync(path);
  return { uid, gid };
}

/** Whether the account may pass through every folder down to `path`; missing ones count as passable. */
export function canEnter(path: string, account: Account | undefined): boolean {
  if (account === undefined) return true;
  for (let folder = path; ; folder = dirname(folder)) {
    const stats = statSync(folder, { throwIfNoEntry: false });
    if (stats !== undefined) {
      const bit = stats.uid === account.uid ? 0o100 : stats.gid === account.gid ? 0o010 : 0o001;
      if ((stats.mode & bit) === 0) return false;
    }
    if (dirname(folder) === folder) return true;
  }
}

function idOf(flag: "-u" | "-g", name: string): number | undefined {
  try {
    const id = Number(execFileSync("id", [flag, name], { stdio: ["ignore", "pipe", "ignore"] }));
    return Number.isSafeInteger(id) ? id : undefined;
  } catch {
    return undefined;
  }
}
