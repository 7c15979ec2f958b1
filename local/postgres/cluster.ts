import { execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Account } from "./account.ts";
import { type Binaries, cleanEnvironment } from "./binaries.ts";

const MAJOR_VERSION = "18";

export type ClusterLogin = { user: string; password: string };

/**
 * Makes `dataDir` a data directory unless it is one: a copy of `copyOf`, or an empty one. A start that was cut off leaves
 * no half of it.
 */
export async function ensureCluster(
  dataDir: string,
  binaries: Binaries,
  account: Account | undefined,
  login: ClusterLogin,
  copyOf?: string,
): Promise<void> {
  if (isCluster(dataDir)) return;
  const staging = `${dataDir}.${randomUUID()}`;
  makeOwned(staging, account);
  try {
    if (copyOf === undefined) await runInitdb(staging, binaries, account, login);
    else copyOwned(copyOf, staging, account);
    renameSync(staging, dataDir);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** Creates a private folder that belongs to the account. */
export function makeOwned(path: string, account: Account | undefined): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (account !== undefined) chownSync(path, account.uid, account.gid);
}

function copyOwned(from: string, to: string, account: Account | undefined): void {
  cpSync(from, to, { recursive: true });
  if (account === undefined) return;
  for (const name of readdirSync(to, { recursive: true, encoding: "utf8" })) {
    chownSync(join(to, name), account.uid, account.gid);
  }
}

/**
 * A crash leaves postmaster.pid behind. Postgres itself copes when that process is gone, but not when
 * its number now belongs to another program (usual after a container restart). A server that is still
 * shutting down, because its parent was killed, gets some seconds to finish.
 */
export async function clearStalePidFile(dataDir: string): Promise<void> {
  const file = join(dataDir, "postmaster.pid");
  for (let attempt = 0; attempt < 30; attempt++) {
    if (!existsSync(file)) return;
    const [pidText, , , portText] = readFileSync(file, "utf8").split("\n");
    const pid = Number(pidText);
    if (!Number.isSafeInteger(pid) || pid <= 0 || !isAlive(pid)) return;
    if (!isPostgres(pid, dataDir)) {
      rmSync(file, { force: true });
      return;
    }
    if (attempt === 29) {
      throw new Error(
        `The data in ${dataDir} is in use by a running PostgreSQL (process ${pid}, port ${portText}). ` +
          "Is another `npm run dev` running? Stop it first.",
      );
    }
    await delay(100);
  }
}

function isCluster(dataDir: string): boolean {
  if (!existsSync(dataDir)) return false;
  const versionFile = join(dataDir, "PG_VERSION");
  if (!existsSync(versionFile)) {
    if (readdirSync(dataDir).length === 0) return false;
    throw new Error(`${dataDir} is neither empty nor a PostgreSQL data directory.`);
  }
  const version = readFileSync(versionFile, "utf8").trim();
  if (version === MAJOR_VERSION) return true;
  throw new Error(
    `The data in ${dataDir} was written by PostgreSQL ${version}, this is ${MAJOR_VERSION}. ` +
      "Delete the folder to begin with fresh data.",
  );
}

/**
 * Passwords are checked by Postgres itself, in the form that the driver's WebSocket expects (clear text,
 * which here never leaves the loopback). One SCRAM round keeps that check cheap on every connection.
 */
async function runInitdb(
  dataDir: string,
  binaries: Binaries,
  account: Account | undefined,
  login: ClusterLogin,
): Promise<void> {
  const passwordFile = `${dataDir}.password`;
  writeFileSync(passwordFile, login.password, { mode: 0o600, flag: "wx" });
  if (account !== undefined) chownSync(passwordFile, account.uid, account.gid);
  const locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"];
  const access = ["--auth=password", `--username=${login.user}`, `--pwfile=${passwordFile}`];
  const rest = ["--no-sync", "--no-instructions", "--set", "scram_iterations=1"];
  const child = spawn(
    binaries.initdb,
    ["-D", dataDir, "-E", "UTF8", ...locale, ...access, ...rest],
    {
      stdio: ["ignore", "pipe", "pipe"],
      cwd: dirname(dataDir),
      env: cleanEnvironment(),
      ...account,
    },
  );
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output += chunk;
  });
  try {
    await new Promise<void>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => {
        if (code === 0) resolve();
        else reject(new Error(`initdb failed in ${dataDir}:\n${output}`));
      });
    });
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function isPostgres(pid: number, dataDir: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(dataDir);
  } catch {
    return commandOf(pid).includes("postgres");
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8");
  } catch {
    if (process.platform === "win32") return "postgres";
    try {
      return execFileSync("ps", ["-p", String(pid), "-o", "comm="], { encoding: "utf8" });
    } catch {
      return "";
    }
  }
}
