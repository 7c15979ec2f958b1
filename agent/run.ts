import { once } from "node:events";
import { parseArgs } from "node:util";
import { startAgent } from "./agent.ts";
import { readKey } from "./link/key.ts";
import { jsonLog } from "./log.ts";
import { readSettings, SETTINGS_FILE } from "./settings.ts";
import { endWithSupervisor, tellHealthy } from "./update/supervised.ts";

const SETTLED_MS = 5_000;

/** Lets go of what the start left behind: an idle process never comes to do that by itself. */
function settleLater(): void {
  const { gc } = globalThis;
  if (gc) setTimeout(() => void gc({ type: "major", flavor: "last-resort" }), SETTLED_MS).unref();
}

/** `nusantarad run [--settings FILE] [--dry-run]`: the agent, until it is told to stop. */
export async function runCommand(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      settings: { type: "string", default: SETTINGS_FILE },
      "dry-run": { type: "boolean", default: false },
    },
  });
  const settings = readSettings(values.settings);
  const log = jsonLog((line) => console.log(line));
  const mode = process.getuid?.() === 0 ? "child" : "sudo";
  const agent = await startAgent({
    ...{ settings, log, key: readKey(settings.keyFile), dryRun: values["dry-run"] },
    healthy: () => tellHealthy(settings.stateDir),
    // Loaded on first use: an agent at rest does without it.
    root: async (verb, input) => {
      const { rootCaller } = await import("./root/call.ts");
      return await rootCaller(settings, { mode, settingsFile: values.settings })(verb, input);
    },
  });
  endWithSupervisor();
  settleLater();
  log.info("started", { server: settings.serverId, url: settings.url });
  const quit = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => quit.abort());
  await once(quit.signal, "abort");
  log.info("stopping");
  await agent.stop();
}
