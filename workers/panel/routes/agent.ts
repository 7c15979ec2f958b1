import { createRoute, z } from "@hono/zod-openapi";
import { agentFacts } from "../../../shared/agent-protocol/index.ts";
import { body, panelOk } from "../../../shared/http/answers.ts";
import { callerAddress } from "../../../shared/http/caller.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { createPanelApi } from "../api.ts";
import { connectAgent, enrolAgent } from "../link/agents.ts";

const tags = ["panel: agents"];

const Enrol = z.strictObject({
  token: z.string().regex(/^[\w-]{43}$/, "enrolment token is not valid"),
  publicKey: z.string().regex(/^[\w-]{43}$/, "invalid publicKey"),
  agentVersion: z.string().max(64, "invalid agentVersion"),
  facts: agentFacts,
});

/** The way in for agents; who they are, their signatures say. */
export const agentRoutes = createPanelApi();

agentRoutes.openapi(
  createRoute({
    method: "post",
    path: "/v1/agent/enrol",
    tags,
    summary: "Trade an enrolment token for the agent's own key",
    request: { body: body(Enrol) },
    responses: panelOk(
      201,
      z.object({ serverId: z.string(), serverName: z.string(), url: z.string() }),
    ),
  }),
  async (c) => {
    const agent = { ...c.req.valid("json"), address: callerAddress(c) };
    return c.json(await enrolAgent(c.var.ctx, agent), 201);
  },
);

/** A WebSocket (docs/agent-protocol.md), which OpenAPI has no words for. */
agentRoutes.get("/v1/agent", async (c) => {
  if (c.req.header("upgrade")?.toLowerCase() !== "websocket") {
    throw new AppError("invalid_input", "a websocket is expected");
  }
  return await connectAgent(c.var.ctx, c.req.raw, callerAddress(c));
});
