import { type AgentError, specOf } from "../../shared/agent-protocol/index.ts";
import type { CommandView, Link } from "../../workers/panel/link/link-client.ts";
import { CommandError } from "../command-error.ts";
import type { AgentCtx } from "../ctx.ts";
import type { AnyHandler } from "../handlers.ts";

/** The edge's link to an agent, without the wire: commands and questions go straight to handlers in this process. */
export function directLink(ctx: AgentCtx, handlers: Record<string, AnyHandler>): Link {
  const views = new Map<string, CommandView>();
  const act = async (type: string, given: unknown): Promise<unknown> => {
    const spec = specOf(type);
    const handler = handlers[type];
    if (!spec || !handler) throw new CommandError("version", `no handler ${type}`);
    // As it is once it has travelled.
    const input = spec.input.parse(JSON.parse(JSON.stringify(given)));
    const result = await handler(ctx, input as never, () => undefined);
    return spec.result.parse(JSON.parse(JSON.stringify(result)));
  };
  return {
    submit: async ({ id, type, input }) => {
      const view: CommandView = await act(type, input).then(
        (value) => ({ state: "done", percent: 100, value }),
        (error: unknown) => ({ state: "failed", percent: 0, error: errorOf(error) }),
      );
      views.set(id, view);
      return view;
    },
    wait: async (id) => views.get(id) ?? null,
    forget: async (ids) => {
      for (const id of ids) views.delete(id);
    },
    cancel: async () => false,
    ask: async (type, input) =>
      await act(type, input).then(
        (value) => ({ state: "answered", value: value as never }),
        (error: unknown) => ({ state: "refused", error: errorOf(error) }),
      ),
    status: () => Promise.reject(new Error("no status here")),
    drop: () => Promise.reject(new Error("not dropped here")),
  };
}

function errorOf(error: unknown): AgentError {
  if (!(error instanceof CommandError)) throw error;
  const { code, message, retryable } = error;
  return { code, message, retryable };
}
