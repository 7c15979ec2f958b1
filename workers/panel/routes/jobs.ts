import { createRoute, z } from "@hono/zod-openapi";
import { panelOk } from "../../../shared/http/answers.ts";
import { access } from "../../../shared/http/api.ts";
import { createPanelApi } from "../api.ts";
import { panelRefusals } from "../audit.ts";
import { cancelPanelJob } from "../await-job.ts";
import { getJob, listJobs } from "../jobs.ts";
import { listLimit } from "../lists.ts";
import { cursorQuery, JobView, JobWithLog, pathId, statusQuery } from "../schemas.ts";
import { chosenServer, serverQuery } from "../server-choice.ts";

const tags = ["panel: jobs"];
const params = z.object({ job_id: pathId("job not found") });

/** What servers have been told to do, and how far it is. */
export const jobRoutes = createPanelApi();

jobRoutes.openapi(
  createRoute({
    method: "get",
    path: "/v1/jobs",
    tags,
    summary: "Jobs of the last 30 days, newest first; `cursor` is the id of the last one before",
    middleware: [access("operator")] as const,
    request: {
      query: serverQuery.extend({
        limit: listLimit,
        cursor: cursorQuery,
        status: statusQuery(["queued", "running", "success", "failed"]),
        type: z.string().max(100, "invalid type").optional(),
        site: z.string().max(100, "invalid site").optional(),
      }),
    },
    responses: panelOk(200, z.object({ items: z.array(JobView) })),
  }),
  async (c) => {
    const filter = { ...c.req.valid("query"), server: chosenServer(c) ?? undefined };
    return c.json({ items: await listJobs(c.var.ctx, filter) }, 200);
  },
);

jobRoutes.openapi(
  createRoute({
    method: "get",
    path: "/v1/jobs/{job_id}",
    tags,
    summary: "A job with its log lines",
    middleware: [access("operator")] as const,
    request: { params },
    responses: panelOk(200, JobWithLog),
  }),
  async (c) => c.json(await getJob(c.var.ctx, c.req.valid("param").job_id), 200),
);

jobRoutes.openapi(
  createRoute({
    method: "post",
    path: "/v1/jobs/{job_id}/cancel",
    tags,
    summary: "Cancel a job that its server has not begun",
    middleware: [
      panelRefusals("job.cancel", "job", (c) => c.req.param("job_id") ?? ""),
      access("operator", { fresh: true }),
    ] as const,
    request: { params },
    responses: panelOk(200, JobView),
  }),
  async (c) => c.json(await cancelPanelJob(c.var.ctx, c.req.valid("param").job_id), 200),
);
