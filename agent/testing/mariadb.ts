import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { createConnection } from "mysql2/promise";
import { accountStatements } from "../databases/account.ts";
import { ready, runOnce, startChild, type TestChild } from "./child.ts";
import { pathOf } from "./needs.ts";

/** MariaDB's owner here; the account that the operating system's user signs in to is the agent's, with its few rights. */
const OWNER = { user: "owner", password: "owner" };

export interface TestMariadb {
  /** For `settings.mariadb`: over it the user of this process signs in with the agent's rights, without a password. */
  socket: string;
  user: string;
  pid: number;
  dataDir: string;
  /** As the server's owner, with parameters. */
  query<T = Record<string, unknown>>(sql: string, values?: unknown[]): Promise<T[]>;
  /** Rows as the account sees them; throws when it cannot sign in. */
  queryAs<T = Record<string, unknown>>(
    account: { user: string; password: string; database?: string },
    sql: string,
    values?: unknown[],
  ): Promise<T[]>;
  /** Every statement that arrived, as the server writes it down. */
  generalLog(): string;
  /** Ends the server; its data stays. */
  halt(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again after `halt`. */
  resume(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** A private MariaDB from the distribution's package, on a Unix socket alone, with throw-away data. */
export async function startMariadb(): Promise<TestMariadb> {
  const folder = mkdtempSync(join(tmpdir(), "lumbung-mariadb-"));
  chmodSync(folder, 0o755);
  const dataDir = join(folder, "data");
  const socket = join(folder, "mariadb.sock");
  const me = userInfo().username;
  const account = me === "root" ? ["--user=mysql"] : [];
  if (me === "root") chownSync(folder, idOf("-u"), idOf("-g"));
  const program = pathOf("mariadb");
  if (!program) throw new Error("mariadbd is not installed");
  const launch = () =>
    launchServer(program, [...serverOptions(dataDir, socket), ...account], socket);
  let child: TestChild | undefined;
  try {
    await runOnce("/usr/bin/mariadb-install-db", installOptions(dataDir, me, account));
    child = await launch();
    await makeAccounts(socket, me);
  } catch (error) {
    await child?.stop("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  let running = child;
  return {
    socket,
    user: me,
    get pid() {
      return running.pid;
    },
    dataDir,
    query: (sql, values) => queryAs(socket, OWNER, sql, values),
    queryAs: (as, sql, values) => queryAs(socket, as, sql, values),
    generalLog: () => readFileSync(join(dataDir, "general.log"), "utf8"),
    halt: (signal) => running.stop(signal),
    resume: async () => {
      running = await launch();
    },
    stop: async () => {
      await running.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const idOf = (flag: string) => Number(execFileSync("/usr/bin/id", [flag, "mysql"]));

function installOptions(dataDir: string, me: string, account: string[]): string[] {
  const owner = ["--auth-root-authentication-method=socket", `--auth-root-socket-user=${me}`];
  const small = ["--skip-test-db", "--skip-name-resolve", "--innodb-log-file-size=8M"];
  return ["--no-defaults", `--datadir=${dataDir}`, ...owner, ...small, ...account];
}

function serverOptions(dataDir: string, socket: string): string[] {
  const place = [`--datadir=${dataDir}`, `--socket=${socket}`, `--pid-file=${dataDir}/mariadb.pid`];
  const small = [
    "--innodb-buffer-pool-size=24M",
    "--innodb-log-file-size=8M",
    "--max-connections=40",
  ];
  const quick = ["--innodb-flush-log-at-trx-commit=0", "--skip-log-bin", "--skip-name-resolve"];
  const log = ["--general-log=1", `--general-log-file=${dataDir}/general.log`];
  return ["--no-defaults", "--skip-networking", ...place, ...small, ...quick, ...log];
}

async function launchServer(program: string, args: string[], socket: string): Promise<TestChild> {
  const child = startChild(program, args);
  const answers = () =>
    createConnection({ socketPath: socket, user: "nobody", connectTimeout: 1_000 }).then(
      async (connection) => {
        await connection.end();
        return true;
      },
      // The server's own number, not the system's: it listens and refused an unknown name.
      (error: { errno?: number }) => (error.errno ?? 0) >= 1_000,
    );
  await ready(child, answers);
  return child;
}

/** The account of the process's user begins as the owner's and ends as the agent's. */
async function makeAccounts(socket: string, me: string): Promise<void> {
  const mine = { user: me, password: "" };
  const owner = `'${OWNER.user}'@'localhost'`;
  await queryAs(socket, mine, `CREATE USER ${owner} IDENTIFIED BY '${OWNER.password}'`);
  await queryAs(socket, mine, `GRANT ALL PRIVILEGES ON *.* TO ${owner} WITH GRANT OPTION`);
  const connection = await createConnection({ socketPath: socket, ...OWNER });
  const statements = [`DROP USER '${me}'@'localhost'`, ...accountStatements(me)];
  for (const statement of statements) await connection.query(statement);
  await connection.end();
}

async function queryAs<T>(
  socket: string,
  account: { user: string; password: string; database?: string },
  sql: string,
  values: unknown[] = [],
): Promise<T[]> {
  const connection = await createConnection({ socketPath: socket, ...account });
  try {
    const [rows] = await connection.query(sql, values);
    return Array.isArray(rows) ? (rows as T[]) : [];
  } finally {
    await connection.end();
  }
}
