import { createRoute, z } from "@hono/zod-openapi";
import { panelOk } from "../../../shared/http/answers.ts";
import { access } from "../../../shared/http/api.ts";
import { createPanelApi } from "../api.ts";
import { panelRefusals } from "../audit.ts";
import { listQuery } from "../lists.ts";
import { addRelease, listReleases, openRelease } from "../update/releases.ts";

const tags = ["panel: update"];
const version = z.string().regex(/^\d{1,6}\.\d{1,6}\.\d{1,6}$/, "invalid version");

/** Documented as plain OpenAPI: a zod schema would make the framework read the whole body before we bound it. */
const programBody = {
  content: {
    "application/octet-stream": { schema: { type: "string" as const, format: "binary" } },
  },
  required: true,
};

/** The operator gives releases, signed on his own machine; agents fetch them. */
export const releaseRoutes = createPanelApi();

releaseRoutes.openapi(
  createRoute({
    method: "put",
    path: "/v1/panel/releases/{version}",
    tags,
    summary:
      "Publish a signed release: the file as it is, its manifest and signature in `x-release`",
    middleware: [
      panelRefusals("panel.release.add", "release", (c) => c.req.param("version") ?? ""),
      access("operator", { fresh: true }),
    ] as const,
    request: { params: z.object({ version }), body: programBody },
    responses: panelOk(
      201,
      z.object({ version: z.string(), commit: z.string(), made: z.boolean() }),
    ),
  }),
  async (c) => {
    const release = c.req.header("x-release");
    const input = { ...c.req.valid("param"), release, file: c.req.raw.body };
    return c.json(await addRelease(c.var.ctx, input), 201);
  },
);

releaseRoutes.openapi(
  createRoute({
    method: "get",
    path: "/v1/panel/releases",
    tags,
    summary: "The published releases, newest version first",
    middleware: [access("operator")] as const,
    request: { query: listQuery },
    responses: panelOk(
      200,
      z.object({
        items: z.array(
          z.object({
            version: z.string(),
            commit: z.string(),
            size: z.number(),
            built_at: z.string(),
            created_at: z.string(),
          }),
        ),
      }),
    ),
  }),
  async (c) => c.json(await listReleases(c.var.ctx, c.req.valid("query").limit), 200),
);

releaseRoutes.openapi(
  createRoute({
    method: "get",
    path: "/v1/agent/releases/{version}/nusantarad.mjs",
    tags,
    summary: "A release's file (`latest`: the newest); who runs it checks the signature",
    request: {
      params: z.object({
        version: z.union([z.literal("latest"), version]).openapi({ type: "string" }),
      }),
    },
    responses: {
      200: {
        description: "The program",
        content: { "text/javascript": { schema: z.string() } },
      },
      404: panelOk(200, z.null())[404],
    },
  }),
  async (c) => {
    const object = await openRelease(c.var.ctx, c.req.valid("param").version);
    return new Response(object.body, {
      headers: {
        "content-type": "text/javascript; charset=utf-8",
        "content-length": String(object.size),
        "content-disposition": 'attachment; filename="nusantarad.mjs"',
      },
    }) as never;
  },
);
