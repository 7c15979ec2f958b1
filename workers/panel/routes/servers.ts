import { createRoute, z } from "@hono/zod-openapi";
import { body, panelOk } from "../../../shared/http/answers.ts";
import { access } from "../../../shared/http/api.ts";
import { createPanelApi } from "../api.ts";
import { panelRefusals } from "../audit.ts";
import { flag, pathId } from "../schemas.ts";
import {
  changeServer,
  createServer,
  deleteServer,
  getServer,
  listServers,
  openEnrolment,
  serverShape,
} from "../servers.ts";

const tags = ["panel: servers"];
const path = "/v1/servers";
const params = z.object({ server_id: pathId("server not found") });
const operator = access("operator", { fresh: true });
const refusals = (action: string) =>
  panelRefusals(action, "server", (c) => c.req.param("server_id") ?? "");

const name = z
  .string()
  .trim()
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,62}$/u, "invalid name")
  .openapi({ example: "Server Blitar" });
const NewServer = z.strictObject({ name });
const Changes = z
  .strictObject({
    name: name.optional(),
    is_default: z.literal(true, "invalid is_default").optional(),
  })
  .refine(({ name, is_default }) => name !== undefined || is_default, "nothing to change");

const ServerShape = serverShape.openapi("PanelServer");
const LinkShape = z.object({
  connected: z.boolean(),
  connectedAt: z.string().nullable(),
  agentVersion: z.string().nullable(),
  seenAt: z.string().nullable(),
  waiting: z.number(),
});
const EnrolmentShape = z.object({
  token: z.string(),
  expires_at: z.string(),
  command: z.string(),
});

/** The servers that agents of ours run on. */
export const serverRoutes = createPanelApi();

serverRoutes.openapi(
  createRoute({
    method: "get",
    path,
    tags,
    summary: "All servers, the default one first",
    middleware: [access("operator")] as const,
    responses: panelOk(200, z.object({ items: z.array(ServerShape) })),
  }),
  async (c) => c.json({ items: await listServers(c.var.ctx) }, 200),
);

serverRoutes.openapi(
  createRoute({
    method: "post",
    path,
    tags,
    summary: "Make a server; this answer alone shows the token that enrols its agent",
    middleware: [refusals("server.create"), operator] as const,
    request: { body: body(NewServer) },
    responses: panelOk(201, z.object({ server: ServerShape, enrolment: EnrolmentShape })),
  }),
  async (c) => c.json(await createServer(c.var.ctx, c.req.valid("json")), 201),
);

serverRoutes.openapi(
  createRoute({
    method: "get",
    path: `${path}/{server_id}`,
    tags,
    summary: "A server, and whether its agent is connected",
    middleware: [access("operator")] as const,
    request: { params },
    responses: panelOk(200, serverShape.extend({ link: LinkShape })),
  }),
  async (c) => c.json(await getServer(c.var.ctx, c.req.valid("param").server_id), 200),
);

serverRoutes.openapi(
  createRoute({
    method: "patch",
    path: `${path}/{server_id}`,
    tags,
    summary: "Rename a server, or make it the default one",
    middleware: [refusals("server.change"), operator] as const,
    request: { params, body: body(Changes) },
    responses: panelOk(200, ServerShape),
  }),
  async (c) => {
    const { server_id: id } = c.req.valid("param");
    return c.json(await changeServer(c.var.ctx, { id, ...c.req.valid("json") }), 200);
  },
);

serverRoutes.openapi(
  createRoute({
    method: "post",
    path: `${path}/{server_id}/enrolment`,
    tags,
    summary: "Another token to enrol an agent, in place of the one that is there",
    middleware: [refusals("server.enrolment"), operator] as const,
    request: { params },
    responses: panelOk(201, EnrolmentShape),
  }),
  async (c) => c.json(await openEnrolment(c.var.ctx, c.req.valid("param").server_id), 201),
);

serverRoutes.openapi(
  createRoute({
    method: "delete",
    path: `${path}/{server_id}`,
    tags,
    summary:
      "Forget a server that has nothing on it; with `force` one that was silent for a day, and all that was on it",
    middleware: [refusals("server.delete"), operator] as const,
    request: { params, query: z.object({ force: flag("force") }) },
    responses: panelOk(200, z.object({ status: z.literal("ok") })),
  }),
  async (c) => {
    const { server_id: id } = c.req.valid("param");
    await deleteServer(c.var.ctx, { id, ...c.req.valid("query") });
    return c.json({ status: "ok" } as const, 200);
  },
);
