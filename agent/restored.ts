import type { backupsCommands } from "../shared/agent-protocol/index.ts";
import { backupsHandlers as plain } from "./backups/index.ts";
import type { HandlersOf } from "./handlers.ts";
import { restartSite } from "./sites/index.ts";

/** The commands of backups; a site whose files were restored has its process begin anew in them. */
export const backupsHandlers = {
  ...plain,
  "backup.restore": async (ctx, input, progress) => {
    const restored = await plain["backup.restore"](ctx, input, progress);
    if (input.target.kind === "site" && !ctx.dryRun) {
      await restartSite(ctx, input.target.siteId);
      progress(100, ["the site's process runs in the restored files"]);
    }
    return restored;
  },
} satisfies HandlersOf<typeof backupsCommands>;
