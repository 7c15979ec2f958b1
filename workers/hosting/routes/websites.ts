import { createRoute, z } from "@hono/zod-openapi";
import { body, hostingOk } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import {
  AddServerBody,
  CreatedWebsite,
  CreateWebsiteBody,
  CredentialsView,
  ServerRow,
  WebsiteJobView,
  WebsiteRow,
} from "../schemas/websites.ts";
import {
  addServer,
  createWebsite,
  getWebsite,
  getWebsiteJob,
  listServers,
  listWebsites,
  orderCertificate,
  showCredentials,
} from "../websites.ts";

/** Customers' websites, and the servers that carry them. */
export const websiteRoutes = createApi();

const tags = ["hosting: websites"];
const params = z.object({ id: z.string().max(100) });

websiteRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/website/create",
    tags,
    summary:
      "Create the website of a subscription: ACTIVE with its FTP password, or PENDING with jobId",
    middleware: [access(null, { fresh: true })] as const,
    request: { body: body(CreateWebsiteBody) },
    responses: hostingOk({ website: CreatedWebsite, jobId: z.string().nullable() }),
  }),
  async (c) => {
    const { jobId, ...website } = await createWebsite(c.var.ctx, c.req.valid("json"));
    return c.json({ success: true as const, website, jobId }, 200);
  },
);

websiteRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/website",
    tags,
    summary: "My websites, newest first",
    middleware: [access(null)] as const,
    responses: hostingOk({ websites: z.array(WebsiteRow) }),
  }),
  async (c) => c.json({ success: true as const, websites: await listWebsites(c.var.ctx) }, 200),
);

websiteRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/website/servers",
    tags,
    summary: "Hosting servers and how full they are",
    middleware: [access("admin")] as const,
    responses: hostingOk({ servers: z.array(ServerRow) }),
  }),
  async (c) => c.json({ success: true as const, servers: await listServers(c.var.ctx) }, 200),
);

websiteRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/website/servers",
    tags,
    summary: "Add a hosting server that aaPanel or our own agent runs; it is asked first",
    middleware: [access("admin", { fresh: true })] as const,
    request: { body: body(AddServerBody) },
    responses: hostingOk({ server: ServerRow }),
  }),
  async (c) => {
    const server = await addServer(c.var.ctx, c.req.valid("json"));
    return c.json({ success: true as const, server }, 200);
  },
);

websiteRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/website/jobs/{id}",
    tags,
    summary: "How far a job about one of my websites is",
    middleware: [access(null)] as const,
    request: { params },
    responses: hostingOk({ job: WebsiteJobView }),
  }),
  async (c) => {
    const job = await getWebsiteJob(c.var.ctx, c.req.valid("param").id);
    return c.json({ success: true as const, job }, 200);
  },
);

websiteRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/website/{id}",
    tags,
    summary: "One of my websites",
    middleware: [access(null)] as const,
    request: { params },
    responses: hostingOk({ website: WebsiteRow }),
  }),
  async (c) => {
    const website = await getWebsite(c.var.ctx, c.req.valid("param").id);
    return c.json({ success: true as const, website }, 200);
  },
);

websiteRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/website/{id}/credentials",
    tags,
    summary: "The FTP and database passwords of one of my websites; each showing is recorded",
    middleware: [access(null, { fresh: true })] as const,
    request: { params },
    responses: hostingOk({ credentials: CredentialsView }),
  }),
  async (c) => {
    const credentials = await showCredentials(c.var.ctx, c.req.valid("param").id);
    return c.json({ success: true as const, credentials }, 200);
  },
);

websiteRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/website/{id}/certificate",
    tags,
    summary: "Try again to get the website's certificate; every quarter of an hour",
    middleware: [access(null)] as const,
    request: { params },
    responses: hostingOk({ jobId: z.string().nullable() }),
  }),
  async (c) => {
    const { jobId } = await orderCertificate(c.var.ctx, c.req.valid("param").id);
    return c.json({ success: true as const, jobId }, 200);
  },
);
