import { handlers as certificateHandlers } from "../certificates/index.ts";
import { handlers as databaseHandlers } from "../databases/index.ts";
import { handlers as fileHandlers } from "../files/index.ts";
import type { AnyHandler } from "../handlers.ts";
import { rootCaller } from "../root/call.ts";
import { readSettings } from "../settings.ts";
import { handlers as siteHandlers } from "../sites/index.ts";
import { testCtx } from "./ctx.ts";

/**
 * Does one command about sites, databases or certificates in a process of its own, which ends without a word at a named step. For tests, as
 * `node act.ts SETTINGS TYPE INPUT STEP`.
 */
const [settingsFile = "", type = "", input = "", killAt = ""] = process.argv.slice(2);
const settings = readSettings(settingsFile);
const onStep = (name: string) => {
  if (name === killAt) process.kill(process.pid, "SIGKILL");
};
const root = rootCaller(settings, { mode: "inline", onStep });
const handlers: Record<string, AnyHandler> = {
  ...siteHandlers,
  ...fileHandlers,
  ...databaseHandlers,
  ...certificateHandlers,
};
const handler = handlers[type];
if (!handler) throw new Error(`no handler ${type}`);
await handler({ ...testCtx({}, { root }), settings }, JSON.parse(input) as never, () => undefined);
