import { readFile, stat } from "node:fs/promises";
import { connect } from "node:net";
import { SERVICE_STATUSES, type ServiceState } from "../../shared/agent-protocol/index.ts";
import type { AgentCtx } from "../ctx.ts";
import type { Settings } from "../settings.ts";

const SYSTEMCTL_MS = 10_000;
const CONNECT_MS = 2_000;
/** Of /proc/<pid>/stat, counted from the state, which follows the name. */
const STARTTIME = 19;
/** What a unit may be called here: never an option, never a pattern of systemctl. */
const UNIT = /^[a-zA-Z0-9][a-zA-Z0-9._@-]{0,99}$/;

type Status = ServiceState["status"];

/** Tells a process from the next one in its place. */
type Identity = string | null;

interface Look extends ServiceState {
  identity?: Identity;
}

export type ServiceReader = (ctx: AgentCtx) => Promise<ServiceState[]>;

/**
 * Tells how the watched services are, in the order of the settings, and how often each has fallen: one that falls and
 * comes back within the minute between two looks would never be seen to be down.
 */
export function serviceReader(): ServiceReader {
  const known = new Map<string, { identity: Identity; restarts: number }>();
  return async (ctx) => {
    const names = ctx.settings.watch.filter((name) => UNIT.test(name));
    if (names.length === 0) return [];
    if (ctx.settings.services === "systemd") return await askSystemd(ctx, names);
    const looks = names.map((name) => askDirectly(ctx.settings, name));
    return (await Promise.all(looks)).map(({ identity = null, ...look }) => {
      const before = known.get(look.name);
      const isOther = identity !== null && before?.identity && before.identity !== identity;
      const restarts = (before?.restarts ?? 0) + (isOther ? 1 : 0);
      known.set(look.name, { identity: identity ?? before?.identity ?? null, restarts });
      return look.status === "unknown" ? look : { ...look, restarts };
    });
  };
}

async function askSystemd(ctx: AgentCtx, names: string[]): Promise<ServiceState[]> {
  const args = ["show", "--property=ActiveState", "--property=NRestarts", "--", ...names];
  const asked = await ctx.run("systemctl", args, { timeoutMs: SYSTEMCTL_MS }).catch(() => null);
  return parseShow(names, asked?.stdout ?? "");
}

/**
 * `systemctl show` answers a paragraph a unit; any other number of them tells of none for certain. systemd counts the
 * starts that were its own idea: an operator's restart is none, and sets the count back.
 */
export function parseShow(names: string[], output: string): ServiceState[] {
  const units = output.trim().split(/\n\s*\n/);
  return names.map((name, i) => {
    const unit = units.length === names.length ? (units[i] ?? "") : "";
    const restarts = /^NRestarts=(\d{1,9})$/m.exec(unit)?.[1];
    const status = statusOf(/^ActiveState=(\S+)$/m.exec(unit)?.[1] ?? "");
    return { name, status, ...(restarts !== undefined && { restarts: Number(restarts) }) };
  });
}

const statusOf = (word: string): Status =>
  SERVICE_STATUSES.find((known) => known === word) ?? "unknown";

/** Without systemd: a process behind a pid file, a database behind its socket. */
async function askDirectly(settings: Settings, name: string): Promise<Look> {
  if (name === "nginx") return { name, ...(await byPidFile(settings.nginx.pidFile)) };
  if (name === "mariadb") return { name, ...(await bySocket(settings.mariadb.socket)) };
  const [, version] = /^php(\d\.\d)-fpm$/.exec(name) ?? [];
  const pool = settings.phpFpm.find((one) => one.version === version);
  return { name, ...(pool ? await byPidFile(pool.pidFile) : { status: "unknown" }) };
}

async function byPidFile(file: string): Promise<Omit<Look, "name">> {
  const pid = Number(await readFile(file, "utf8").catch(() => ""));
  if (!Number.isInteger(pid) || pid <= 1) return { status: "inactive" };
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return { status: "failed" };
  }
  // When it was started: a number that comes again is another process.
  const line = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const startedAt = line.slice(line.lastIndexOf(")") + 2).split(" ")[STARTTIME];
  return { status: "active", identity: startedAt ? `${pid} ${startedAt}` : null };
}

async function bySocket(path: string): Promise<Omit<Look, "name">> {
  const status = await connected(path);
  if (status !== "active") return { status };
  // The server makes its socket anew when it starts.
  const made = await stat(path).catch(() => null);
  return { status, identity: made && `${made.ino} ${made.ctimeMs}` };
}

function connected(path: string): Promise<Status> {
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
