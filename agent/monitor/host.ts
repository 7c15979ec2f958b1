import { readFile, statfs } from "node:fs/promises";
import type { HostFigures } from "../../shared/agent-protocol/index.ts";
import {
  type CpuTimes,
  cpuPercent,
  parseCpuTimes,
  parseLoad,
  parseMemory,
  parseMounts,
  parseTraffic,
  parseUptime,
  round,
  type Traffic,
} from "./proc.ts";

/** What rates are made of: one reading and when it was taken. */
export interface Reading {
  cpu: CpuTimes | null;
  traffic: Traffic;
  atMs: number;
}

/** A file of the kernel, or nothing where it is missing or hidden. */
const text = (path: string) => readFile(path, "utf8").catch(() => "");

/** The figures of this machine. Rates are those since `before`. */
export async function readHost(
  before: Reading | null,
  nowMs: number,
): Promise<{ figures: HostFigures; reading: Reading }> {
  const [stat, meminfo, loadavg, uptime, netDev, mounts] = await Promise.all(
    ["stat", "meminfo", "loadavg", "uptime", "net/dev", "mounts"].map((name) =>
      text(`/proc/${name}`),
    ),
  );
  const reading = {
    cpu: parseCpuTimes(stat ?? ""),
    traffic: parseTraffic(netDev ?? ""),
    atMs: nowMs,
  };
  const disks = await Promise.all(
    parseMounts(mounts ?? "")
      .slice(0, 64)
      .map(readDisk),
  );
  return {
    reading,
    figures: {
      uptimeSeconds: parseUptime(uptime ?? ""),
      cpuPercent: before?.cpu && reading.cpu ? cpuPercent(before.cpu, reading.cpu) : null,
      load: parseLoad(loadavg ?? ""),
      memory: parseMemory(meminfo ?? ""),
      disks: disks.flatMap((disk) => disk ?? []),
      network: before ? ratesOf(before, reading) : null,
    },
  };
}

/** Null where the clock stood still or a counter went back (a card was replaced, the counters wrapped). */
export function ratesOf(before: Reading, after: Reading): HostFigures["network"] {
  const seconds = (after.atMs - before.atMs) / 1000;
  const received = after.traffic.received - before.traffic.received;
  const sent = after.traffic.sent - before.traffic.sent;
  if (seconds <= 0 || received < 0 || sent < 0) return null;
  return {
    receivedBytesPerSecond: round(received / seconds),
    sentBytesPerSecond: round(sent / seconds),
  };
}

/** As `df` counts: of what users may fill, how much is full. Null for a mount that cannot be asked. */
async function readDisk(mount: string) {
  try {
    const { bsize, blocks, bfree, bavail } = await statfs(mount);
    if (blocks === 0) return null;
    const used = blocks - bfree;
    const usable = used + bavail;
    return {
      mount,
      totalBytes: blocks * bsize,
      usedBytes: used * bsize,
      usedPercent: usable > 0 ? round((100 * used) / usable) : 100,
    };
  } catch {
    return null;
  }
}
