import { readFile } from "node:fs/promises";
import { availableParallelism, hostname, totalmem } from "node:os";
import type { AgentFacts } from "../../shared/agent-protocol/index.ts";
import type { Settings } from "../settings.ts";
import { parseOsRelease } from "./proc.ts";

/** What this server is: told when it enrols and with every hello. */
export async function readFacts(
  settings: Pick<Settings, "sitesRoot" | "phpFpm">,
): Promise<AgentFacts> {
  const osRelease = await readFile("/etc/os-release", "utf8").catch(() => "");
  return {
    hostname: hostname().slice(0, 255),
    goos: process.platform,
    goarch: process.arch,
    ...parseOsRelease(osRelease),
    cpuThreads: availableParallelism(),
    memoryBytes: totalmem(),
    sitesRoot: settings.sitesRoot,
    phpVersions: settings.phpFpm.map(({ version }) => version),
  };
}
