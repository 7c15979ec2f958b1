/** Pure readers of what Linux tells below /proc and in /etc/os-release: text in, numbers out. */

export interface CpuTimes {
  busy: number;
  total: number;
}

/** The first line of /proc/stat, in ticks since the start. Time that a guest uses is within user's already. */
export function parseCpuTimes(stat: string): CpuTimes | null {
  const [line = ""] = stat.split("\n");
  if (!line.startsWith("cpu ")) return null;
  const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number);
  if (ticks.length < 4 || ticks.some((value) => !Number.isFinite(value))) return null;
  const total = ticks.reduce((sum, value) => sum + value, 0);
  const idle = (ticks[3] ?? 0) + (ticks[4] ?? 0);
  return { busy: total - idle, total };
}

/** How busy the machine was between two readings, 0 to 100; null when no time has passed or the counters went back. */
export function cpuPercent(before: CpuTimes, after: CpuTimes): number | null {
  const total = after.total - before.total;
  const busy = after.busy - before.busy;
  if (total <= 0 || busy < 0) return null;
  return round(Math.min(100, (100 * busy) / total));
}

export interface Memory {
  totalBytes: number;
  availableBytes: number;
  swapTotalBytes: number;
  swapFreeBytes: number;
}

/** /proc/meminfo; kernels before 3.14 have no MemAvailable, and then free memory with caches is as near as one gets. */
export function parseMemory(meminfo: string): Memory {
  const kib = new Map<string, number>();
  for (const line of meminfo.split("\n")) {
    const [, name, value] = /^(\w+(?:\(\w+\))?):\s+(\d+)/.exec(line) ?? [];
    if (name && value) kib.set(name, Number(value));
  }
  const of = (name: string) => (kib.get(name) ?? 0) * 1024;
  const available = kib.has("MemAvailable")
    ? of("MemAvailable")
    : of("MemFree") + of("Buffers") + of("Cached");
  return {
    totalBytes: of("MemTotal"),
    availableBytes: Math.min(available, of("MemTotal")),
    swapTotalBytes: of("SwapTotal"),
    swapFreeBytes: of("SwapFree"),
  };
}

/** /proc/loadavg: the means of 1, 5 and 15 minutes. */
export function parseLoad(loadavg: string): [number, number, number] {
  const [one = 0, five = 0, fifteen = 0] = loadavg.trim().split(/\s+/).map(Number);
  return [finite(one), finite(five), finite(fifteen)];
}

/** /proc/uptime, in seconds. */
export function parseUptime(uptime: string): number {
  return finite(Number(uptime.trim().split(/\s+/)[0]));
}

export interface Traffic {
  received: number;
  sent: number;
}

/** Bytes over all interfaces of /proc/net/dev but loopback, and but those that carry the same bytes a second time. */
export function parseTraffic(netDev: string): Traffic {
  const traffic = { received: 0, sent: 0 };
  for (const line of netDev.split("\n")) {
    const [, name = "", rest = ""] = /^\s*([^\s:]+):\s*(.*)$/.exec(line) ?? [];
    if (name === "" || /^(lo$|docker\d+|veth|br-|virbr|bond|tun|tap|wg)/.test(name)) continue;
    const columns = rest.trim().split(/\s+/).map(Number);
    traffic.received += finite(columns[0] ?? 0);
    traffic.sent += finite(columns[8] ?? 0);
  }
  return traffic;
}

const KEPT_ON_DISK = new Set([
  "ext2",
  "ext3",
  "ext4",
  "xfs",
  "btrfs",
  "zfs",
  "f2fs",
  "jfs",
  "reiserfs",
  "vfat",
  "ntfs3",
]);

/** The mounts of /proc/mounts that can run full: a device once, and always the root. */
export function parseMounts(mounts: string): string[] {
  const seen = new Set<string>();
  const found: string[] = [];
  for (const line of mounts.split("\n")) {
    const [device = "", escaped = "", type = "", options = ""] = line.split(" ");
    const mount = escaped.replace(/\\([0-7]{3})/g, (_, octal) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    const readOnly = options.split(",").includes("ro");
    const counts =
      mount === "/" || (KEPT_ON_DISK.has(type) && !readOnly && device.startsWith("/dev/"));
    if (mount === "" || !counts || found.includes(mount) || (mount !== "/" && seen.has(device)))
      continue;
    seen.add(device);
    found.push(mount);
  }
  return found.includes("/") ? found : ["/", ...found];
}

/** `ID` and `VERSION_ID` of /etc/os-release, in lower case; empty where they are missing. */
export function parseOsRelease(text: string): { osId: string; osVersion: string } {
  const value = (name: string) => {
    const [, raw = ""] = new RegExp(`^${name}=(.*)$`, "m").exec(text) ?? [];
    return raw
      .trim()
      .replace(/^(["'])(.*)\1$/, "$2")
      .toLowerCase()
      .slice(0, 40);
  };
  return { osId: value("ID"), osVersion: value("VERSION_ID") };
}

export const round = (value: number) => Math.round(value * 100) / 100;

const finite = (value: number) => (Number.isFinite(value) && value > 0 ? value : 0);
