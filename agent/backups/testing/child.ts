import { readFileSync } from "node:fs";
import { outcomeOf } from "../../dispatch/outcome.ts";
import { settingsSchema } from "../../settings.ts";
import { testCtx } from "../../testing/ctx.ts";
import { digestCommand } from "../digest-command.ts";
import { backupsHandlers } from "../index.ts";

/**
 * Runs one command of backups in a process of its own, for tests that kill it: `child.ts <file of {settings, type, input}>`.
 * Says its outcome. The edge is whoever listens at the settings' address.
 */
async function main(file: string): Promise<void> {
  const order = JSON.parse(readFileSync(file, "utf8"));
  const settings = settingsSchema.parse(order.settings);
  const ctx = {
    ...testCtx({}, { edge: (path, init) => fetch(new URL(path, settings.url), init as never) }),
    settings,
  };
  console.log(JSON.stringify(await outcomeOf(order, backupsHandlers, ctx, () => undefined)));
}

const [what = ""] = process.argv.slice(2);
await (what === "digest" ? digestCommand() : main(what));
