import { createRoute, z } from "@hono/zod-openapi";
import { body, panelOk } from "../../../shared/http/answers.ts";
import { access } from "../../../shared/http/api.ts";
import { createPanelApi } from "../api.ts";
import { panelRefusals } from "../audit.ts";
import { listLimit } from "../lists.ts";
import { cursorQuery, flag, JobView, pathId, SiteView, statusQuery } from "../schemas.ts";
import { chosenServer, serverQuery } from "../server-choice.ts";
import {
  createSite,
  deleteSite,
  getSite,
  listSites,
  retrySite,
  setDocumentRoot,
  setSiteSuspended,
} from "../sites.ts";
import { aliases, documentRoot, domain, entryFile, php, rootPath, runtimeWord } from "../words.ts";

const tags = ["panel: sites"];
const params = z.object({ site_id: pathId("site not found") });
const operator = access("operator", { fresh: true });
const refusals = (action: string) =>
  panelRefusals(action, "site", (c) => c.req.param("site_id") ?? "");

const NewSite = z.strictObject({
  domain,
  root_path: rootPath,
  runtime: runtimeWord,
  aliases,
  php_version: php,
  document_root: documentRoot,
  entry: entryFile,
});
const Started = z.object({ status: z.string(), job: JobView });

/** Sites: made, changed and taken down by jobs. */
export const siteRoutes = createPanelApi();

siteRoutes.openapi(
  createRoute({
    method: "get",
    path: "/v1/sites",
    tags,
    summary: "Sites, newest first; `cursor` is the id of the last one of the page before",
    middleware: [access("operator")] as const,
    request: {
      query: serverQuery.extend({
        limit: listLimit,
        cursor: cursorQuery,
        status: statusQuery(["provisioning", "active", "failed", "deleting"]),
        runtime: z.enum(["php", "node", "python", "static"], "invalid runtime").optional(),
        search: z.string().max(253, "invalid search").optional(),
      }),
    },
    responses: panelOk(200, z.object({ items: z.array(SiteView) })),
  }),
  async (c) => {
    const filter = { ...c.req.valid("query"), server: chosenServer(c) ?? undefined };
    return c.json({ items: await listSites(c.var.ctx, filter) }, 200);
  },
);

siteRoutes.openapi(
  createRoute({
    method: "post",
    path: "/v1/sites",
    tags,
    summary: "Make a site; its job tells when it is served",
    middleware: [refusals("site.create"), operator] as const,
    request: { query: serverQuery, body: body(NewSite) },
    responses: panelOk(201, z.object({ site: SiteView, job: JobView })),
  }),
  async (c) => {
    const input = c.req.valid("json");
    const made = await createSite(c.var.ctx, {
      ...{ server: chosenServer(c), domain: input.domain, aliases: input.aliases },
      ...{ rootPath: input.root_path, documentRoot: input.document_root },
      ...{ runtime: input.runtime, phpVersion: input.php_version, entry: input.entry },
    });
    return c.json(made, 201);
  },
);

siteRoutes.openapi(
  createRoute({
    method: "get",
    path: "/v1/sites/{site_id}",
    tags,
    summary: "A site",
    middleware: [access("operator")] as const,
    request: { params },
    responses: panelOk(200, SiteView),
  }),
  async (c) => c.json(await getSite(c.var.ctx, c.req.valid("param").site_id), 200),
);

siteRoutes.openapi(
  createRoute({
    method: "delete",
    path: "/v1/sites/{site_id}",
    tags,
    summary: "Take a site down; with `remove_files` its folder too. Repeated: the job that does",
    middleware: [refusals("site.delete"), operator] as const,
    request: { params, query: serverQuery.extend({ remove_files: flag("remove_files") }) },
    responses: panelOk(202, Started),
  }),
  async (c) => {
    const { remove_files: removeFiles } = c.req.valid("query");
    const id = c.req.valid("param").site_id;
    const job = await deleteSite(c.var.ctx, { id, server: chosenServer(c), removeFiles });
    return c.json({ status: "deprovisioning", job }, 202);
  },
);

siteRoutes.openapi(
  createRoute({
    method: "post",
    path: "/v1/sites/{site_id}/retry",
    tags,
    summary: "Make a failed site once more",
    middleware: [refusals("site.retry"), operator] as const,
    request: { params, query: serverQuery },
    responses: panelOk(202, Started),
  }),
  async (c) => {
    const id = c.req.valid("param").site_id;
    const job = await retrySite(c.var.ctx, { id, server: chosenServer(c) });
    return c.json({ status: "provisioning", job }, 202);
  },
);

for (const [word, suspended] of [
  ["suspend", true],
  ["resume", false],
] as const) {
  siteRoutes.openapi(
    createRoute({
      method: "post",
      path: `/v1/sites/{site_id}/${word}`,
      tags,
      summary: suspended ? "Answer its visitors with 503" : "Serve a suspended site again",
      middleware: [refusals(`site.${word}`), operator] as const,
      request: { params, query: serverQuery },
      responses: panelOk(202, Started),
    }),
    async (c) => {
      const id = c.req.valid("param").site_id;
      const job = await setSiteSuspended(c.var.ctx, { id, server: chosenServer(c), suspended });
      return c.json({ status: suspended ? "suspending" : "resuming", job }, 202);
    },
  );
}

siteRoutes.openapi(
  createRoute({
    method: "put",
    path: "/v1/sites/{site_id}/document-root",
    tags,
    summary: "Serve another folder below the site's root",
    middleware: [refusals("site.set_document_root"), operator] as const,
    request: {
      params,
      query: serverQuery,
      body: body(z.strictObject({ document_root: documentRoot })),
    },
    responses: panelOk(202, Started),
  }),
  async (c) => {
    const id = c.req.valid("param").site_id;
    const { document_root } = c.req.valid("json");
    const choice = { id, server: chosenServer(c), documentRoot: document_root };
    return c.json({ status: "changing", job: await setDocumentRoot(c.var.ctx, choice) }, 202);
  },
);
