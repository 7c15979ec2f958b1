import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startDaemon } from "../../agent/daemon.ts";
import { readKey } from "../../agent/link/key.ts";
import { settingsSchema } from "../../agent/settings.ts";
import { startForked } from "./forked.ts";
import type { SeededServer } from "./seed.ts";

export interface RealAgent {
  stop(): Promise<void>;
}

/** Our agent with its dispatcher and its journal on disk, whose commands take no time of their own. */
export async function startInstantAgent(
  url: string,
  { id, pem }: SeededServer,
  keep: (stop: () => Promise<unknown>) => void,
): Promise<RealAgent> {
  const folder = mkdtempSync(join(tmpdir(), "lumbung-agent-"));
  keep(async () => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "agent.key"), pem, { mode: 0o600 });
  return await startForked(import.meta.filename, ["agent", url, id, folder], keep);
}

async function run([url = "", serverId = "", folder = ""]: string[]): Promise<void> {
  const keyFile = join(folder, "agent.key");
  const settings = settingsSchema.parse({ url, serverId, keyFile, stateDir: folder });
  startDaemon({
    ...{ settings, key: readKey(keyFile), root: async () => undefined },
    log: { info: () => undefined, warn: console.error, error: console.error },
    healthy: () => process.send?.("connected"),
    handlers: { "db.create": async () => ({ database: "bench", created: true }) },
  });
}

const [, , role, ...args] = process.argv;
if (role === "agent" && process.send) {
  process.on("disconnect", () => process.exit());
  await run(args);
}
