import {
  type AskType,
  type CommandType,
  type GivenOf,
  type ResultOf,
  specOf,
} from "../../../shared/agent-protocol/index.ts";
import type { Ctx } from "../../../shared/context.ts";
import type { Answer, CommandView, CommandViewWire, LinkStatus, Submission } from "./views.ts";

export type { Answer, CommandView, LinkStatus, Submission } from "./views.ts";
export { hasEnded } from "./views.ts";

/** The way to one server's agent. Every call may be repeated without harm. */
export interface Link {
  /**
   * Takes a command (once per id): sent as soon as the agent is there and nothing of its subject stands before it.
   * `input` has been checked against the command's schema.
   */
  submit(command: Submission & { type: CommandType }): Promise<CommandView>;
  /** Where the command is; waits up to `waitMs` for its end. Null: it is not (or no longer) known here. */
  wait(id: string, waitMs: number): Promise<CommandView | null>;
  /** Lets go of commands whose ends are written down elsewhere. */
  forget(ids: string[]): Promise<void>;
  /** Ends a command that has not been sent; false when it is too late for that. */
  cancel(id: string): Promise<boolean>;
  /** Asks the agent something now. */
  ask<T extends AskType>(type: T, input: GivenOf<T>, waitMs: number): Promise<Answer<ResultOf<T>>>;
  status(): Promise<LinkStatus>;
  /** The server is gone: its agent is cut off and nothing of it is kept. */
  drop(): Promise<void>;
}

/** The link to a server, by its id. Whether there is such a server is the caller's to know. */
export function linkOf(ctx: Ctx, serverId: string): Link {
  const object = ctx.serverLinks.getByName(serverId);
  return {
    submit: async ({ input, deadlineAt, ...command }) =>
      viewOf(
        await object.submit({
          ...command,
          inputJson: JSON.stringify(input),
          deadlineAt: deadlineAt.getTime(),
        }),
      ),
    wait: async (id, waitMs) => {
      const view = await object.wait(id, waitMs);
      return view && viewOf(view);
    },
    forget: async (ids) => await object.forget(ids),
    cancel: async (id) => await object.cancel(id),
    ask: async (type, input, waitMs) => {
      const answer = await object.ask(type, JSON.stringify(input), waitMs);
      if (answer.state !== "answered") return answer;
      return { state: "answered", value: resultOf(type, answer.valueJson) };
    },
    status: async () => await object.status(),
    drop: async () => await object.drop(),
  };
}

function viewOf({ valueJson, ...view }: CommandViewWire): CommandView {
  return valueJson === undefined ? view : { ...view, value: JSON.parse(valueJson) };
}

/** Parsed by that question's own schema, which the compiler cannot follow through a generic name. */
function resultOf<T extends AskType>(type: T, json: string): ResultOf<T> {
  return specOf(type)?.result.parse(JSON.parse(json)) as ResultOf<T>;
}
