import { once } from "node:events";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { outgoingAddress, registrationWords } from "./address.ts";
import { parseConfigFile, readConfig } from "./config.ts";
import { jsonLog } from "./log.ts";
import { startRelay } from "./server.ts";

const graceMs = 10_000;

/** `nusantarad relay`: settings from `--config` and the environment, which wins; runs until it is told to stop. */
export async function relayCommand(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { config: { type: "string" } } });
  const file =
    values.config === undefined ? {} : parseConfigFile(readFileSync(values.config, "utf8"));
  const config = readConfig({ ...file, ...process.env });
  // Signed seconds are whole: one that began before this process is stale, so it opens with a second of its own.
  const startedAtMs = Math.ceil(Date.now() / 1000) * 1000;
  await new Promise((resolve) => setTimeout(resolve, startedAtMs - Date.now()));
  const log = jsonLog((line) => console.log(line));
  const relay = await startRelay({ ...config, log, startedAtMs });
  const scheme = config.tls ? "https" : "http";
  const host = relay.host.includes(":") ? `[${relay.host}]` : relay.host;
  console.log(`nusantarad relay listens on ${scheme}://${host}:${relay.port}`);
  console.log(`It calls ${[...config.targets.keys()].join(", ")} and nothing else.`);
  console.log(registrationWords(config.from ?? (await outgoingAddress())));
  const quit = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => quit.abort());
  await once(quit.signal, "abort");
  await relay.stop(graceMs);
}
