import type { MiddlewareHandler } from "hono";
import { sha256Hex } from "../../../shared/crypto/index.ts";
import type { ApiEnv } from "../../../shared/http/api.ts";
import { agentOfCall } from "./agents.ts";

export interface AgentCallEnv extends ApiEnv {
  Variables: ApiEnv["Variables"] & { agentServerId: string };
}

/**
 * Lets only an agent's own signed calls through and tells whose server it is (`c.var.agentServerId`). `hash`: the body
 * is read and its digest is part of what was signed. `stream`: the body is the handler's to read and to check; where
 * nobody bounds it, the handler must.
 */
export const agentCall =
  ({ body }: { body: "hash" | "stream" }): MiddlewareHandler<AgentCallEnv> =>
  async (c, next) => {
    const signed =
      body === "stream" ? body : await sha256Hex(new Uint8Array(await c.req.arrayBuffer()));
    c.set("agentServerId", await agentOfCall(c.var.ctx, c.req.raw, signed));
    await next();
  };
