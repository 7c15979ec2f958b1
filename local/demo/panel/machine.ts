import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { buildAgent } from "../../release/build.ts";
import { LOCAL_RELEASE_KEY } from "../../settings.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
const run = promisify(execFile);

/** What Debian's packages put where, and the panel's agent works with. */
const NEEDED: Record<string, string[]> = {
  nginx: ["/usr/sbin/nginx"],
  "php-fpm": ["8.2", "8.3", "8.4"].map((version) => `/usr/sbin/php-fpm${version}`),
  "mariadb-server": ["/usr/sbin/mariadbd"],
  age: ["/usr/bin/age"],
  zstd: ["/usr/bin/zstd"],
};

/** A hosting server with private nginx, PHP-FPM and MariaDB, and the built agent's one file to run on it. */
export interface Machine {
  settingsFile: string;
  httpPort: number;
  sitesRoot: string;
  backupsDir: string;
  mariadbSocket: string;
  agentFile: string;
  agentKiB: number;
  /** Runs the agent's program with these arguments to its end. */
  agent(...args: string[]): Promise<string>;
  /** Starts the agent for good. */
  startAgent(): RunningAgent;
  /** What a visitor of the domain gets. */
  visit(domain: string, path?: string): Promise<{ status: number; body: string }>;
  stop(): Promise<void>;
}

export interface RunningAgent {
  said(): string;
  /** How much memory it holds, in MB. */
  memoryMb(): Promise<number>;
  /** Ends it by its id. */
  end(signal?: NodeJS.Signals): Promise<void>;
}

/** What this machine lacks to be a hosting server for a while; nothing: it can be one. */
export function missing(): string[] {
  const packages = Object.entries(NEEDED)
    .filter(([, files]) => !files.some(isThere))
    .map(([name]) => `apt-get install ${name}`);
  return process.getuid?.() === 0 ? packages : [...packages, "run it as root"];
}

function isThere(file: string): boolean {
  try {
    accessSync(file);
    return true;
  } catch {
    return false;
  }
}

/** Starts it; everything of it lies in temporary folders and on free ports of loopback. */
export async function startMachine(version = "0.0.1"): Promise<Machine> {
  const folder = mkdtempSync(join(tmpdir(), "lumbung-agent-"));
  const agentFile = join(folder, "nusantarad.mjs");
  const keys = [LOCAL_RELEASE_KEY.publicKey];
  const facts = { version, commit: "0".repeat(40), builtAt: new Date().toISOString(), keys };
  const { agent } = await buildAgent(facts);
  writeFileSync(agentFile, agent, { mode: 0o755 });
  // The agent shares no code with the rest: its stage is a process of its own.
  const stage = spawn(process.execPath, [join(ROOT, "agent/testing/serve.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const served = JSON.parse(await firstLine(stage)) as Pick<
    Machine,
    "settingsFile" | "httpPort" | "sitesRoot" | "backupsDir" | "mariadbSocket"
  >;
  return {
    ...served,
    agentFile,
    agentKiB: Math.round(agent.length / 1024),
    agent: async (...args) => (await run(process.execPath, [agentFile, ...args])).stdout,
    startAgent: () => startAgent(agentFile, served.settingsFile),
    visit: (domain, path = "/") => visit(served.httpPort, domain, path),
    stop: async () => {
      const exited = once(stage, "exit");
      stage.stdin.end();
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error("the stage has no output");
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error("the hosting server did not start");
}

function startAgent(file: string, settings: string): RunningAgent {
  const child = spawn(process.execPath, [file, "run", "--settings", settings], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  const keep = (chunk: Buffer) => {
    text = (text + chunk).slice(-20_000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  return {
    said: () => text,
    memoryMb: async () => {
      const { stdout } = await run("ps", ["-o", "rss=", "-p", String(child.pid)]);
      return Math.round(Number(stdout) / 1024);
    },
    end: async (signal = "SIGTERM") => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill(signal);
      await exited;
    },
  };
}

function visit(port: number, domain: string, path: string) {
  return new Promise<{ status: number; body: string }>((answer, fail) => {
    const headers = { host: domain };
    const asked = request({ host: "127.0.0.1", port, path, headers, agent: false }, (response) => {
      let body = "";
      response.on("data", (chunk) => {
        body += chunk;
      });
      response.once("end", () => answer({ status: response.statusCode ?? 0, body }));
    });
    asked.once("error", fail);
    asked.end();
  });
}
