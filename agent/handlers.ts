import {
  type AnyType,
  type AskType,
  backupsCommands,
  type CommandCatalogue,
  type CommandType,
  certificatesCommands,
  databasesCommands,
  filesCommands,
  type InputOf,
  type ResultGivenOf,
  sitesCommands,
  updateCommands,
} from "../shared/agent-protocol/index.ts";
import { CommandError } from "./command-error.ts";
import type { AgentCtx, Progress } from "./ctx.ts";

/**
 * Does one command, or answers one question. A command's handler is called again for the same command after a crash, so
 * it converges: looks at what is there, makes what is missing, and answers only after reading back. A question's
 * handler changes nothing. Throws `CommandError`.
 */
export type Handler<T extends AnyType> = (
  ctx: AgentCtx,
  input: InputOf<T>,
  progress: Progress,
) => Promise<ResultGivenOf<T>>;

/** The handlers of an area: `satisfies HandlersOf<typeof sitesCommands>`. */
export type HandlersOf<C> = { [T in keyof C & (CommandType | AskType)]: Handler<T> };

/** A handler whose input was checked against its own command's schema, whichever that is. */
export type AnyHandler = (ctx: AgentCtx, input: never, progress: Progress) => Promise<unknown>;

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
