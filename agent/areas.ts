import {
  backupsCommands,
  type CommandCatalogue,
  certificatesCommands,
  databasesCommands,
  filesCommands,
  sitesCommands,
  updateCommands,
} from "../shared/agent-protocol/index.ts";
import { CommandError } from "./command-error.ts";
import type { AnyHandler } from "./handlers.ts";

type Area = () => Promise<Record<string, AnyHandler>>;

/** The handlers of an area that is loaded when the first of them is called: an agent at rest holds none of it. */
function lazily(catalogue: CommandCatalogue, load: Area): Record<string, AnyHandler> {
  const handlerOf = (type: string): AnyHandler => {
    return async (ctx, input, progress) => {
      const handler = (await load())[type];
      if (!handler) throw new CommandError("version", "this agent does not know the command");
      return await handler(ctx, input, progress);
    };
  };
  return Object.fromEntries(Object.keys(catalogue).map((type) => [type, handlerOf(type)]));
}

/** What this agent can do; what is not here is refused with `version`. */
export const handlers: Record<string, AnyHandler> = {
  ...lazily(sitesCommands, async () => (await import("./sites/index.ts")).handlers),
  ...lazily(filesCommands, async () => (await import("./files/index.ts")).handlers),
  ...lazily(databasesCommands, async () => (await import("./databases/index.ts")).handlers),
  ...lazily(certificatesCommands, async () => (await import("./certificates/index.ts")).handlers),
  ...lazily(backupsCommands, async () => (await import("./restored.ts")).backupsHandlers),
  ...lazily(updateCommands, async () => (await import("./update/index.ts")).handlers),
};
