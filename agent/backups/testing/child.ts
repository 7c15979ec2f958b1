import { readFileSync } from "node:fs";
import { settingsSchema } from "../../settings.ts";
import { backupsHandlers } from "../index.ts";

/** Runs one command of backups in a process of its own, for tests that kill it: `child.ts <file of {settings, type, input}>`. */
const [file = ""] = process.argv.slice(2);
const { settings, type, input } = JSON.parse(readFileSync(file, "utf8"));
const handler = backupsHandlers[type as keyof typeof backupsHandlers] as (
  ctx: unknown,
  input: unknown,
  progress: () => void,
) => Promise<unknown>;
const silent = () => undefined;
await handler(
  {
    settings: settingsSchema.parse(settings),
    edge: () => Promise.reject(new Error("no edge")),
    log: { info: silent, warn: silent, error: silent },
    now: () => new Date(),
    signal: new AbortController().signal,
    dryRun: false,
  },
  input,
  silent,
);
