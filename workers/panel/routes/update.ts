import { createRoute, z } from "@hono/zod-openapi";
import { panelOk } from "../../../shared/http/answers.ts";
import { access } from "../../../shared/http/api.ts";
import { createPanelApi } from "../api.ts";
import { panelRefusals } from "../audit.ts";
import { chosenServer, serverQuery } from "../server-choice.ts";
import {
  checkUpdate,
  readUpdateStatus,
  readVersion,
  startUpdate,
  updateStatus,
} from "../update/updates.ts";

const tags = ["panel: update"];
const operator = [access("operator")];

export const updateRoutes = createPanelApi();

updateRoutes.openapi(
  createRoute({
    method: "post",
    path: "/v1/panel/update",
    tags,
    summary:
      "Update the agent of a server to the newest signed release; returns by itself when that fails",
    middleware: [
      panelRefusals("panel.update.start", "server", (c) => chosenServer(c) ?? "default"),
      access("operator", { fresh: true }),
    ] as const,
    request: { query: serverQuery },
    responses: panelOk(
      202,
      z.object({
        unit: z.string(),
        repo_url: z.string(),
        branch: z.string(),
        script_url: z.string(),
        started_at: z.string(),
        version: z.string(),
        job_id: z.string(),
      }),
    ),
  }),
  async (c) => c.json(await startUpdate(c.var.ctx, chosenServer(c)), 202),
);

updateRoutes.openapi(
  createRoute({
    method: "get",
    path: "/v1/panel/update/check",
    tags,
    summary: "The running agent beside the newest release",
    middleware: operator,
    request: { query: serverQuery },
    responses: panelOk(
      200,
      z.object({
        repo_url: z.string(),
        branch: z.string(),
        current_version: z.string(),
        current_commit: z.string(),
        remote_version: z.string(),
        remote_commit: z.string(),
        status: z.enum(["up_to_date", "update_available", "unknown"]),
        up_to_date: z.boolean(),
        update_available: z.boolean(),
        note: z.string().optional(),
        last_checked_at: z.string(),
      }),
    ),
  }),
  async (c) => c.json(await checkUpdate(c.var.ctx, chosenServer(c)), 200),
);

updateRoutes.openapi(
  createRoute({
    method: "get",
    path: "/v1/panel/update/status",
    tags,
    summary: "How the last update went, or goes, with its latest lines",
    middleware: operator,
    request: { query: serverQuery },
    responses: panelOk(200, updateStatus),
  }),
  async (c) => c.json(await readUpdateStatus(c.var.ctx, chosenServer(c)), 200),
);

updateRoutes.openapi(
  createRoute({
    method: "get",
    path: "/v1/panel/version",
    tags,
    summary: "The build that runs on the server",
    middleware: operator,
    request: { query: serverQuery },
    responses: panelOk(
      200,
      z.object({
        version: z.string(),
        commit: z.string(),
        build_time: z.string(),
        go_version: z.string(),
        timestamp: z.string(),
      }),
    ),
  }),
  async (c) => c.json(await readVersion(c.var.ctx, chosenServer(c)), 200),
);
