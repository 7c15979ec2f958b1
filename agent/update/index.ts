import type { updateCommands } from "../../shared/agent-protocol/update.ts";
import type { HandlersOf } from "../handlers.ts";
import { updateAgent } from "./update.ts";

export const handlers = {
  "agent.update": (ctx, input, progress) => updateAgent(ctx, input, progress),
} satisfies HandlersOf<typeof updateCommands>;
