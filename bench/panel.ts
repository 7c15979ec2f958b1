import { existsSync } from "node:fs";
import { join } from "node:path";
import { localSettings, secretsFrom } from "../local/settings.ts";
import { workerConfig } from "./capnp.ts";
import { benchAgent } from "./panel/agent.ts";
import { benchCrowd } from "./panel/crowd.ts";
import { type RealAgent, startInstantAgent } from "./panel/instant.ts";
import { benchLatency, benchThroughput } from "./panel/link.ts";
import { seedServers } from "./panel/seed.ts";
import { startSimulated } from "./panel/simulated.ts";
import { startStandIns } from "./stand-ins.ts";
import { bundleWorker, dropBundle, freePort, startWorkerd } from "./workerd.ts";

const AGENTS = 1_000;

const BACKUPS = join(import.meta.dirname, "panel/backups.ts");

/** Backups beside `tar | zstd`, where that part is there: it needs programs of the system. */
async function benchBackups(keep: (stop: () => Promise<unknown>) => void): Promise<string[]> {
  if (!existsSync(BACKUPS)) return [];
  const part = (await import(BACKUPS)) as {
    benchBackups(keep: (stop: () => Promise<unknown>) => void): Promise<string[]>;
  };
  return await part.benchBackups(keep);
}

/** Commands through one server's link, the agent at rest, and a thousand agents on one Worker. */
export async function benchPanel(keep: (stop: () => Promise<unknown>) => void): Promise<void> {
  const standIns = await startStandIns();
  keep(standIns.stop);
  const settings = {
    ...localSettings({ ...standIns, rateLimitFactor: 1000 }, secretsFrom()),
  };
  const bundle = bundleWorker(settings);
  keep(async () => dropBundle(bundle));
  const links = await freePort();
  const config = (port: number) => workerConfig(port, settings, bundle.objects, undefined, links);
  const worker = await startWorkerd({ ...bundle, config });
  keep(worker.stop);
  const url = `http://127.0.0.1:${worker.port}`;
  const [first, second, third, ...rest] = await seedServers(standIns.adminUrl, AGENTS + 3);
  if (!first || !second || !third) throw new Error("no servers were seeded");

  const simulated = await startSimulated(keep);
  const one = { id: first.id, pem: first.pem, publicKey: first.key.publicKey };
  await simulated.connect({ url, servers: [one], sideBySide: 1, reportEveryMs: 0 });
  const side = { worker, links, server: first.id };
  await benchLatency(side);
  await benchThroughput("an agent that answers at once", side);
  await simulated.leave();

  const real: RealAgent = await startInstantAgent(url, second, keep);
  await benchThroughput("our agent, with its journal", { ...side, server: second.id });
  await real.stop();

  const missed = [
    ...(await benchAgent(url, third, keep)),
    ...(await benchCrowd({ worker, adminUrl: standIns.adminUrl }, rest, keep)),
    ...(await benchBackups(keep)),
  ];
  console.log(missed.length === 0 ? "All goals are met." : "NOT AS IT SHOULD BE:");
  for (const text of missed) console.log(`  ${text}`);
}
