import { createRoute, z } from "@hono/zod-openapi";
import { body, hostingOk } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import {
  cancelDeploy,
  type Deploy,
  deployWebsite,
  getDeploy,
  listDeploys,
  rollbackWebsite,
} from "../deploys.ts";
import { orNothing } from "../schemas/websites.ts";

export const deployRoutes = createApi();

const tags = ["hosting: websites"];

const id = z.string().max(64);
const params = z.object({ id });
const deployParams = z.object({ id, deployId: id });

const DeployView = z
  .object({
    id: z.string(),
    websiteId: z.string(),
    kind: z.enum(["deploy", "rollback"]),
    status: z.enum(["QUEUED", "RUNNING", "SUCCESS", "FAILED", "CANCELLED"]),
    step: z.string(),
    progress: z.number(),
    error: z.string().nullable(),
    jobId: z.string(),
    releaseId: z.string(),
    fileUploadId: z.string(),
    originalName: z.string(),
    createdAt: z.iso.datetime(),
    startedAt: z.iso.datetime().nullable(),
    finishedAt: z.iso.datetime().nullable(),
  })
  .openapi("Deploy");

const ReleaseView = z
  .object({
    id: z.string(),
    status: z.enum(["LIVE", "READY"]),
    fileUploadId: z.string(),
    originalName: z.string(),
    files: z.number(),
    size: z.number(),
    liveSince: z.iso.datetime(),
    createdAt: z.iso.datetime(),
  })
  .openapi("Release");

/** While it is under way: `pending` is true and `jobId` its job. */
const started = hostingOk({
  message: z.string(),
  pending: z.boolean(),
  jobId: z.string().nullable(),
  deploy: DeployView,
});

const answerOf = (deploy: Deploy, done: string) => {
  const pending = deploy.status !== "SUCCESS";
  const message = pending ? "Deploy sedang diproses" : done;
  return { success: true as const, message, pending, jobId: pending ? deploy.jobId : null, deploy };
};

deployRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/website/deploy",
    tags,
    summary: "Deploy an uploaded archive: done within some seconds, or pending with jobId",
    middleware: [access(null, { fresh: true })] as const,
    request: {
      body: body(z.object({ websiteId: orNothing(64), fileUploadId: orNothing(64) })),
    },
    responses: started,
  }),
  async (c) => {
    const deploy = await deployWebsite(c.var.ctx, c.req.valid("json"));
    return c.json(answerOf(deploy, "Website berhasil di-deploy"), 200);
  },
);

deployRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/website/{id}/rollback",
    tags,
    summary: "Serve an earlier release again: the one before the present, or releaseId",
    middleware: [access(null, { fresh: true })] as const,
    request: {
      params,
      body: { ...body(z.object({ releaseId: id.nullish() })), required: false },
    },
    responses: started,
  }),
  async (c) => {
    const { releaseId } = c.req.valid("json");
    const deploy = await rollbackWebsite(c.var.ctx, c.req.valid("param").id, releaseId ?? null);
    return c.json(answerOf(deploy, "Website berhasil dikembalikan ke rilis sebelumnya"), 200);
  },
);

deployRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/website/{id}/deploys",
    tags,
    summary: "Deploys of an own website, and its releases, newest first",
    middleware: [access(null)] as const,
    request: { params },
    responses: hostingOk({ deploys: z.array(DeployView), releases: z.array(ReleaseView) }),
  }),
  async (c) => {
    const listed = await listDeploys(c.var.ctx, c.req.valid("param").id);
    return c.json({ success: true as const, ...listed }, 200);
  },
);

deployRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/website/{id}/deploys/{deployId}",
    tags,
    summary: "How far a deploy is",
    middleware: [access(null)] as const,
    request: { params: deployParams },
    responses: hostingOk({ deploy: DeployView }),
  }),
  async (c) => {
    const param = c.req.valid("param");
    const deploy = await getDeploy(c.var.ctx, param.id, param.deployId);
    return c.json({ success: true as const, deploy }, 200);
  },
);

deployRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/website/{id}/deploys/{deployId}/cancel",
    tags,
    summary: "Cancel a deploy that has not begun",
    middleware: [access(null)] as const,
    request: { params: deployParams },
    responses: hostingOk({ deploy: DeployView }),
  }),
  async (c) => {
    const param = c.req.valid("param");
    const deploy = await cancelDeploy(c.var.ctx, param.id, param.deployId);
    return c.json({ success: true as const, deploy }, 200);
  },
);
