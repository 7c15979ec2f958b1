import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startDaemon } from "../daemon.ts";
import type { AnyHandler } from "../handlers.ts";
import { readKey } from "../link/key.ts";
import { readSettings } from "../settings.ts";

/**
 * An agent whose one command has two steps with a wait between them (`go` in its folder lets it go on), for tests that
 * kill it there. The handler converges, as all must: each step that is done is found done.
 */
const [file = "", folder = ""] = process.argv.slice(2);
const settings = readSettings(file);

const create: AnyHandler = async (_ctx, { database }: { database: string }) => {
  const at = join(folder, database);
  if (!existsSync(at)) mkdirSync(at);
  // Fails when two are in here at once, whoever they are.
  mkdirSync(`${at}/inside`, { recursive: existsSync(join(folder, "killed")) });
  while (!existsSync(join(folder, "go"))) await new Promise((resolve) => setTimeout(resolve, 10));
  rmdirSync(`${at}/inside`);
  const created = !existsSync(`${at}/done`);
  writeFileSync(`${at}/done`, "", { flag: "a" });
  return { database, created };
};

const daemon = startDaemon({
  ...{ settings, key: readKey(settings.keyFile), stopGraceMs: 5_000 },
  handlers: { "db.create": create },
  root: async () => undefined,
  log: { info: () => undefined, warn: () => undefined, error: () => undefined },
});
process.once("SIGTERM", () => void daemon.stop());
