import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { hash } from "bcryptjs";
import { startChild, type TestChild } from "../agent/testing/child.ts";
import { type Machine, startMachine } from "../agent/testing/machine.ts";
import { startMariadb, type TestMariadb } from "../agent/testing/mariadb.ts";
import { startPebble, type TestPebble } from "../agent/testing/pebble.ts";
import { buildAgent } from "../local/release/build.ts";
import { eventually, type Platform, passMinutes, startPlatform } from "./platform.ts";
import { startWire, type Wire } from "./wire.ts";

/** The whole panel: the Worker, and a server of its own with the built agent as a process on it. */
export interface Panel {
  platform: Platform;
  machine: Machine;
  mariadb: TestMariadb;
  pebble: TestPebble;
  wire: Wire;
  operator: Operator;
  server: string;
  agent: AgentProcess;
  stop(): Promise<void>;
}

export interface Operator {
  username: string;
  password: string;
  token: string;
}

export interface AgentProcess {
  start(): Promise<void>;
  kill(): Promise<void>;
  /** What all its lives have said. */
  said(): string;
  /** Everything that it keeps on its disk. */
  journal(): string;
}

export interface Answer<T> {
  status: number;
  body: T;
}

export async function startPanel(): Promise<Panel> {
  const undo: (() => unknown)[] = [];
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const [platform, machine, mariadb] = await Promise.all([
      startPlatform().then((one) => kept(undo, one)),
      startMachine({ php: true }).then((one) => kept(undo, one)),
      startMariadb().then((one) => kept(undo, one)),
    ]);
    const httpPort = machine.settings.nginx.httpPort;
    const pebble = kept(undo, await startPebble({ httpPort }));
    const wire = kept(undo, await startWire(platform.port));
    const operator = await makeOperator(platform);
    const { server, agent } = await enrolled({
      platform,
      machine,
      mariadb,
      pebble,
      wire,
      operator,
    });
    undo.push(() => agent.kill());
    return { platform, machine, mariadb, pebble, wire, operator, server, agent, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function kept<T extends { stop(): Promise<void> }>(undo: (() => unknown)[], one: T): T {
  undo.push(() => one.stop());
  return one;
}

/** Somebody who signs in at the panel with a password. */
async function makeOperator(platform: Platform): Promise<Operator> {
  const username = `op-${randomBytes(4).toString("hex")}`;
  const password = `rahasia-${randomBytes(8).toString("hex")}`;
  await platform.sql(
    `with u as (insert into identity_users (email, name, password_hash, roles)
       values ($1, 'Operator Uji', $2, '{operator}') returning id)
     insert into panel_operators (user_id, username) select id, $3 from u`,
    [`${username}@test.example`, await hash(password, 4), username],
  );
  const { body } = await request<{ token: string }>(platform, "", "POST", "/v1/auth/login", {
    username,
    password,
  });
  return { username, password, token: body.token };
}

type Parts = Omit<Panel, "server" | "agent" | "stop">;

async function enrolled(parts: Parts): Promise<{ server: string; agent: AgentProcess }> {
  const { platform, machine, wire, operator } = parts;
  const facts = { version: "0.0.1", commit: "unknown", builtAt: "unknown", keys: [] };
  const program = join(machine.dir, "nusantarad.mjs");
  writeFileSync(program, (await buildAgent(facts)).agent);
  writeFileSync(machine.settingsFile, JSON.stringify(settingsOf(parts)), { mode: 0o600 });
  type Made = { server: { id: string }; enrolment: { token: string } };
  const made = await request<Made>(platform, operator.token, "POST", "/v1/servers", {
    name: "Server Blitar",
  });
  const url = `http://127.0.0.1:${wire.port}`;
  const run = (...args: string[]) =>
    startChild(plainNode(), [program, ...args, "--settings", machine.settingsFile]);
  const tokenFile = join(machine.dir, "token");
  writeFileSync(tokenFile, made.body.enrolment.token, { mode: 0o600 });
  const enrol = run("enrol", "--url", url, "--token-file", tokenFile);
  await enrol.exited;
  if (!enrol.said().includes(made.body.server.id)) throw new Error(enrol.said());
  const agent = agentProcess(() => run("run"), join(machine.settings.stateDir, "journal.jsonl"));
  await agent.start();
  return { server: made.body.server.id, agent };
}

/** The machine's own Node where it is one that the agent runs on: older than the one of the tests. */
function plainNode(): string {
  try {
    const own = "/usr/bin/node";
    const version = execFileSync(own, ["--version"], { encoding: "utf8" });
    return Number(/^v(\d+)/.exec(version)?.[1]) >= 20 ? own : process.execPath;
  } catch {
    return process.execPath;
  }
}

function settingsOf({ machine, mariadb, pebble }: Parts) {
  const { directoryUrl, caFile } = pebble;
  return {
    ...machine.settings,
    keyFile: join(machine.dir, "agent.key"),
    mariadb: { socket: mariadb.socket, user: mariadb.user },
    certificates: {
      ...machine.settings.certificates,
      directoryUrl,
      stagingUrl: directoryUrl,
      caFile,
    },
    backups: {
      dir: join(machine.dir, "backups"),
      scratchDir: join(machine.dir, "scratch"),
    },
  };
}

function agentProcess(run: () => TestChild, journalFile: string): AgentProcess {
  const lives: TestChild[] = [];
  return {
    start: async () => {
      const life = run();
      lives.push(life);
      await eventually("the agent to connect", async () => life.said().includes('"connected"'));
    },
    kill: async () => {
      await lives.at(-1)?.stop("SIGKILL");
    },
    said: () => lives.map((life) => life.said()).join("\n"),
    journal: () => readFileSync(journalFile, "utf8"),
  };
}

async function request<T>(
  { app }: Pick<Platform, "app">,
  token: string,
  method: string,
  path: string,
  json?: unknown,
): Promise<Answer<T>> {
  const headers = {
    "content-type": "application/json",
    ...(token && { authorization: `Bearer ${token}` }),
  };
  const body = json === undefined ? null : JSON.stringify(json);
  const response = await fetch(`${app}${path}`, { method, headers, body });
  return { status: response.status, body: (await response.json()) as T };
}

/** One call as the operator. */
export const call = <T>(
  { platform, operator }: Pick<Panel, "platform" | "operator">,
  method: string,
  path: string,
  json?: unknown,
): Promise<Answer<T>> => request<T>(platform, operator.token, method, path, json);

export interface Job {
  id: string;
  type: string;
  status: string;
  error: string;
}

/** Asks for the job until it is through; the minute's crons ring meanwhile, each bringing the next minute's. */
export async function ended(panel: Panel, id: string): Promise<Job> {
  let job: Job | undefined;
  let asked = 0;
  await eventually(`the end of ${id}`, async () => {
    job = (await call<Job>(panel, "GET", `/v1/jobs/${id}`)).body;
    if (job.status === "success" || job.status === "failed") return true;
    asked += 1;
    if (asked % 20 === 0) await passMinutes(panel.platform, 2);
    return false;
  });
  if (!job) throw new Error("no job");
  return job;
}

export interface Site {
  id: string;
  domain: string;
  root_path: string;
  status: string;
}

/** Orders a site; its job may be under way. */
export async function orderSite(panel: Panel, runtime: "php" | "static") {
  const domain = `toko-${randomBytes(5).toString("hex")}.example`;
  const root_path = `${panel.machine.settings.sitesRoot}/${domain}`;
  const input = { domain, root_path, runtime };
  const { status, body } = await call<{ site: Site; job: Job }>(panel, "POST", "/v1/sites", input);
  if (status !== 201) throw new Error(`${status}: ${JSON.stringify(body)}`);
  return body;
}

export const siteNow = async (panel: Panel, { id }: Site) =>
  (await call<Site>(panel, "GET", `/v1/sites/${id}`)).body;

/** A server refuses names that it has no certificate for. */
const NO_SUCH_NAME = "ERR_SSL_TLSV1_UNRECOGNIZED_NAME";

/** A browser's handshake for the domain: its certificate's serial, "" for none, and whether a visitor's browser trusts it. */
export async function handshake({ machine, pebble }: Panel, servername: string) {
  const ca = await pebble.root();
  const { listen: host, httpsPort: port } = machine.settings.nginx;
  return await new Promise<{ serial: string; isTrusted: boolean }>((resolve, reject) => {
    const options = { host, port, servername, ca, rejectUnauthorized: false };
    const socket = connectTls(options, () => {
      const serial = socket.getPeerX509Certificate()?.serialNumber.toLowerCase() ?? "";
      resolve({ serial, isTrusted: socket.authorized });
      socket.destroy();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === NO_SUCH_NAME) resolve({ serial: "", isTrusted: false });
      else reject(error);
    });
  });
}
