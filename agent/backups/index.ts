import type { backupsCommands } from "../../shared/agent-protocol/backups.ts";
import type { HandlersOf } from "../handlers.ts";
import { proveBackup } from "./prove.ts";
import { listBackups, removeBackups } from "./remove.ts";
import { restoreHere, runHere } from "./root-verbs.ts";
import { uploadBackup } from "./upload.ts";

/** What the agent does about backups; all of it may be called again for the same command. */
export const backupsHandlers = {
  "backup.run": runHere,
  "backup.upload": uploadBackup,
  "backup.prove": proveBackup,
  "backup.restore": restoreHere,
  "backup.remove": removeBackups,
  "backup.list": listBackups,
} satisfies HandlersOf<typeof backupsCommands>;
