import type {
  AnyType,
  AskType,
  CommandType,
  InputOf,
  ResultGivenOf,
} from "../shared/agent-protocol/index.ts";
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
