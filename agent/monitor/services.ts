import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { SERVICE_STATUSES, type ServiceState } from "../../shared/agent-protocol/index.ts";
import type { AgentCtx } from "../ctx.ts";
import type { Settings } from "../settings.ts";

const SYSTEMCTL_MS = 10_000;
const CONNECT_MS = 2_000;
/** What a unit may be called here: never an option, never a pattern of systemctl. */
const UNIT = /^[a-zA-Z0-9][a-zA-Z0-9._@-]{0,99}$/;

type Status = ServiceState["status"];

/** How the watched services are, in the order of the settings. */
export async function readServices(ctx: AgentCtx): Promise<ServiceState[]> {
  const names = ctx.settings.watch.filter((name) => UNIT.test(name));
  if (names.length === 0) return [];
  if (ctx.settings.services === "systemd") return await askSystemd(ctx, names);
  return await Promise.all(
    names.map(async (name) => ({ name, status: await askDirectly(ctx.settings, name) })),
  );
}

async function askSystemd(ctx: AgentCtx, names: string[]): Promise<ServiceState[]> {
  const options = { timeoutMs: SYSTEMCTL_MS };
  const asked = await ctx
    .run("systemctl", ["is-active", "--", ...names], options)
    .catch(() => null);
  return parseIsActive(names, asked?.stdout ?? "");
}

/** `systemctl is-active a b c` answers a word a line; any other number of lines tells of none for certain. */
export function parseIsActive(names: string[], output: string): ServiceState[] {
  const lines = output
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  const whole = lines.length === names.length;
  return names.map((name, i) => ({ name, status: whole ? statusOf(lines[i] ?? "") : "unknown" }));
}

const statusOf = (word: string): Status =>
  SERVICE_STATUSES.find((known) => known === word) ?? "unknown";

/** Without systemd: a process behind a pid file, a database behind its socket. */
async function askDirectly(settings: Settings, name: string): Promise<Status> {
  if (name === "nginx") return await byPidFile(settings.nginx.pidFile);
  if (name === "mariadb") return await bySocket(settings.mariadb.socket);
  const [, version] = /^php(\d\.\d)-fpm$/.exec(name) ?? [];
  const pool = settings.phpFpm.find((one) => one.version === version);
  return pool ? await byPidFile(pool.pidFile) : "unknown";
}

async function byPidFile(file: string): Promise<Status> {
  const pid = Number(await readFile(file, "utf8").catch(() => ""));
  if (!Number.isInteger(pid) || pid <= 1) return "inactive";
  try {
    process.kill(pid, 0);
    return "active";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM" ? "active" : "failed";
  }
}

function bySocket(path: string): Promise<Status> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (status: Status) => {
      socket.destroy();
      resolve(status);
    };
    socket.setTimeout(CONNECT_MS, () => end("failed"));
    socket.once("connect", () => end("active"));
    socket.once("error", ({ code }: NodeJS.ErrnoException) =>
      end(code === "ENOENT" ? "inactive" : "failed"),
    );
  });
}
