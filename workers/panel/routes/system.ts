import { createRoute, z } from "@hono/zod-openapi";
import { panelOk } from "../../../shared/http/answers.ts";
import { createPanelApi } from "../api.ts";
import { chosenServer, serverQuery } from "../server-choice.ts";
import { readCompatibility } from "../system.ts";

const tags = ["panel: system"];

/** What anybody may ask: whether we are up, and on what the panel runs. */
export const systemRoutes = createPanelApi();

systemRoutes.openapi(
  createRoute({
    method: "get",
    path: "/healthz",
    tags,
    summary: "Whether the panel answers",
    responses: panelOk(
      200,
      z.object({
        status: z.literal("ok"),
        service: z.literal("nusantarad"),
        timestamp: z.string(),
      }),
    ),
  }),
  (c) => {
    const timestamp = c.var.ctx.now().toISOString();
    return c.json({ status: "ok", service: "nusantarad", timestamp } as const, 200);
  },
);

systemRoutes.openapi(
  createRoute({
    method: "get",
    path: "/v1/system/compatibility",
    tags,
    summary:
      "The operating system of the default server, and whether the agent knows its way there",
    request: { query: serverQuery },
    responses: panelOk(
      200,
      z.object({
        target_os: z.string(),
        single_server_only: z.boolean(),
        native_on_server: z.boolean(),
        compatibility_info: z.object({
          goos: z.string(),
          id: z.string(),
          version_id: z.string(),
          supported: z.boolean(),
        }),
      }),
    ),
  }),
  async (c) => {
    return c.json(await readCompatibility(c.var.ctx, chosenServer(c)), 200);
  },
);
