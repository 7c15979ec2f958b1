import { readFile } from "node:fs/promises";
import { CommandError } from "../command-error.ts";
import type { PhpFpm } from "../sites/pool.ts";
import type { RootCtx } from "./root-ctx.ts";

/** Has a service read its configuration again: through systemd, or by a signal to the process of its pid file. */
export async function reload(root: RootCtx, service: "nginx" | PhpFpm): Promise<void> {
  const { settings } = root;
  const isNginx = service === "nginx";
  const name = isNginx ? "nginx" : `php${service.version}-fpm`;
  if (settings.services === "systemd") {
    const { code } = await root.run("systemctl", ["reload", `${name}.service`]);
    if (code !== 0) throw notRunning(name);
    return;
  }
  const pidFile = isNginx ? settings.nginx.pidFile : service.pidFile;
  const pid = await pidIn(pidFile);
  if (!(await isProcess(pid, isNginx ? "nginx" : "php-fpm"))) throw notRunning(name);
  process.kill(pid, isNginx ? "SIGHUP" : "SIGUSR2");
}

const pidIn = async (file: string): Promise<number> =>
  Number((await readFile(file, "utf8").catch(() => "")).trim());

/** The processes of nginx that take connections now. */
export async function nginxWorkers({ settings }: RootCtx): Promise<number[]> {
  const master = await pidIn(settings.nginx.pidFile);
  if (!(await isProcess(master, "nginx"))) return [];
  const children = await readFile(`/proc/${master}/task/${master}/children`, "utf8").catch(
    () => "",
  );
  return children.split(" ").filter(Boolean).map(Number);
}

/** Whether these take no connections any more: they say so in their titles, or are gone. */
export async function haveRetired(workers: number[]): Promise<boolean> {
  for (const pid of workers) {
    const title = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (title.startsWith("nginx") && !title.includes("shutting down")) return false;
  }
  return true;
}

const notRunning = (name: string) =>
  new CommandError("unavailable", `${name} does not run or cannot be reloaded`, {
    retryable: true,
  });

/** A pid file may be old and its number another process's by now. */
async function isProcess(pid: number, name: string): Promise<boolean> {
  if (!Number.isInteger(pid) || pid < 2) return false;
  const command = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
  return command.startsWith(name);
}
