import { cpus, freemem, totalmem, uptime } from "node:os";
import { done, refused } from "./answers.ts";
import { type Call, need, needInt } from "./call.ts";
import { type Panel, phpVersions } from "./engine.ts";

const mebibyte = 1_048_576;
const version = "8.10.0";

export async function getSystemTotal(): Promise<unknown> {
  const total = Math.round(totalmem() / mebibyte);
  const free = Math.round(freemem() / mebibyte);
  return {
    memTotal: total,
    memFree: free,
    memBuffers: 0,
    memCached: 0,
    memRealUsed: total - free,
    cpuNum: cpus().length,
    cpuRealUsed: 1,
    time: `${Math.floor(uptime() / 86_400)} Day(s)`,
    system: "Twin of a Linux server",
    isuser: 0,
    isport: true,
    version,
  };
}

export async function getNetWork(panel: Panel): Promise<unknown> {
  const { sites, ftps, databases } = panel.state;
  return {
    network: {},
    up: 0,
    down: 0,
    cpu: [1, cpus().length],
    load: { one: 0, five: 0, fifteen: 0, max: cpus().length * 2, limit: cpus().length, safe: 1 },
    mem: await getSystemTotal(),
    disk: await getDiskInfo(),
    site_total: sites.size,
    ftp_total: ftps.size,
    database_total: databases.size,
    version,
  };
}

export async function getDiskInfo(): Promise<unknown> {
  const size = ["40G", "8G", "32G", "20%"];
  return [
    { filesystem: "/dev/vda1", type: "ext4", path: "/", size, inodes: ["1", "1", "1", "1%"] },
  ];
}

export async function getConfigInfo(): Promise<unknown> {
  const php = phpVersions
    .slice(1)
    .map(([number]) => ({ version: number, setup: true, status: true }));
  const paths = { sites_path: "/www/wwwroot", backup_path: "/www/backup" };
  return { webserver: "nginx", web: { type: "nginx", status: true }, php, ...paths };
}

export async function serviceAdmin(_panel: Panel, call: Call): Promise<unknown> {
  const name = need(call, "name");
  const type = need(call, "type");
  if (!["start", "stop", "restart", "reload"].includes(type)) return refused("Unknown operation");
  return done(`${name} has been ${type}ed`);
}

export async function getPhpVersions(): Promise<unknown> {
  return phpVersions.map(([number, name]) => ({ version: number, name }));
}

/** `status` -3: waiting or running. At most ten. */
export async function listTasks(panel: Panel, call: Call): Promise<unknown> {
  const wanted = call.form.status;
  const fits = (status: number) =>
    wanted === undefined || (wanted === "-3" ? status !== 1 : status === Number(wanted));
  return [...panel.state.tasks.values()]
    .filter((task) => fits(task.status))
    .slice(-10)
    .map(({ id, name, type, shell, status, addedAt, endedAt, log }) => ({
      id,
      name,
      type,
      shell,
      other: "",
      status,
      exectime: Math.floor(addedAt / 1000),
      endtime: Math.floor(endedAt / 1000),
      addtime: Math.floor(addedAt / 1000),
      log,
    }));
}

export async function removeTask(panel: Panel, call: Call): Promise<unknown> {
  panel.state.tasks.delete(needInt(call, "id"));
  return done("Task removed!");
}
