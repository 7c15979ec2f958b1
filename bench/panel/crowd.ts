import { residentKib } from "../live/memory.ts";
import { cpuMicroseconds } from "../load.ts";
import { line } from "../table.ts";
import type { Running } from "../workerd.ts";
import { countReports, type SeededServer } from "./seed.ts";
import { startSimulated } from "./simulated.ts";

const MINUTE_MS = 60_000;
const SIDE_BY_SIDE = 32;

/** Many agents on one Worker: how long until all are connected, what they hold, and a minute of their reports. */
export async function benchCrowd(
  { worker, adminUrl }: { worker: Running; adminUrl: string },
  servers: SeededServer[],
  keep: (stop: () => Promise<unknown>) => void,
): Promise<string[]> {
  const agents = await startSimulated(keep);
  const [before, writtenBefore] = [residentKib(worker.pid), await countReports(adminUrl)];
  const url = `http://127.0.0.1:${worker.port}`;
  const connected = await agents.connect({
    ...{ url, sideBySide: SIDE_BY_SIDE, reportEveryMs: MINUTE_MS },
    servers: servers.map(({ id, pem, key }) => ({ id, pem, publicKey: key.publicKey })),
  });
  const { seconds, p50Ms, p99Ms } = connected;
  console.log(
    line(`${servers.length} agents connect`, [
      `in ${seconds.toFixed(1)} s`,
      `(${(servers.length / seconds).toFixed(0)} a second, p50 ${p50Ms.toFixed(0)} ms, p99 ${p99Ms.toFixed(0)} ms)`,
    ]),
  );
  const cpu = cpuMicroseconds(worker.pid);
  // A report is due within the minute from everybody, and on its way for a moment.
  await new Promise((resolve) => setTimeout(resolve, MINUTE_MS + 2_000));
  const cpuMs = (cpuMicroseconds(worker.pid) - cpu) / 1_000;
  const { open, reports } = await agents.count();
  const held = residentKib(worker.pid) - before;
  const written = (await countReports(adminUrl)) - writtenBefore;
  console.log(
    line("a minute of their reports", [
      `${(held / servers.length).toFixed(0)} KiB of the Worker an agent,`,
      `${((cpuMs * 1_000) / Math.max(1, reports)).toFixed(0)} µs of its CPU a report,`,
      `${written} of ${servers.length} written down, ${open} still connected`,
    ]),
  );
  await agents.leave();
  return [
    ...(open === servers.length ? [] : [`${servers.length - open} agents lost their connection`]),
    ...(written === servers.length ? [] : [`${servers.length - written} have no report`]),
  ];
}
