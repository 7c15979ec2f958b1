import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { html, raw } from "hono/html";
import { type ApiEnv, accessRuleOf, createApi } from "../shared/http/api.ts";

const INFO = {
  openapi: "3.1.0",
  info: {
    title: "Lumbung",
    version: "1",
    description:
      "One edge backend for five online businesses. Sign in at POST /api/auth/signin and send the token as a bearer.",
  },
};

const Operation = z.object({
  summary: z.string().optional(),
  tags: z.array(z.string()).default([]),
  security: z.array(z.object({ bearer: z.array(z.string()) })).optional(),
  parameters: z.array(z.unknown()).optional(),
  requestBody: z.unknown().optional(),
  responses: z.record(z.string(), z.unknown()).default({}),
});
const Document = z.object({
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.object({ schemas: z.record(z.string(), z.unknown()).default({}) }).optional(),
});
type Operation = z.output<typeof Operation> & { method: string; path: string };

/** `/openapi.json`, generated from the routes' own schemas, and `/docs`, the same for people. */
export function referenceRoutes(app: OpenAPIHono<ApiEnv>) {
  const routes = createApi();
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
  });
  let known: ReturnType<typeof documentOf> | undefined;
  const read = () => {
    known ??= documentOf(app);
    return known;
  };
  routes.openapi(described("/", "Welcome", "text/plain"), (c) => c.text(WELCOME));
  routes.openapi(described("/openapi.json", "This document", "application/json"), (c) =>
    c.json(read()),
  );
  routes.openapi(described("/docs", "This document, for people", "text/html"), (c) =>
    c.html(page(Document.parse(read()))),
  );
  return routes;
}

const METHODS = ["get", "post", "put", "patch", "delete"] as const;

/** What the routes declare, with who may call each: the role stands in the bearer's list. */
function documentOf(app: OpenAPIHono<ApiEnv>) {
  const document = app.getOpenAPI31Document(INFO);
  for (const { method, path, handler } of app.routes) {
    const rule = accessRuleOf(handler);
    const verb = METHODS.find((known) => known === method.toLowerCase());
    const operation = verb && document.paths?.[path.replace(/:([^/]+)/g, "{$1}")]?.[verb];
    if (rule && operation) operation.security = [{ bearer: rule.role ? [rule.role] : [] }];
  }
  return document;
}

const WELCOME = "Selamat datang di Lumbung. Dokumentasi API: /docs\n";

const described = (path: string, summary: string, type: string) =>
  createRoute({
    method: "get",
    path,
    tags: ["platform"],
    summary,
    responses: { 200: { description: "Done", content: { [type]: { schema: z.any() } } } },
  });

function page(document: z.output<typeof Document>) {
  const groups = byTag(document);
  const schemas = Object.entries(document.components?.schemas ?? {});
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Lumbung API</title>
        <style>
          ${raw(STYLE)}
        </style>
      </head>
      <body>
        <header>
          <h1>Lumbung API</h1>
          <p>${INFO.info.description} Machine-readable: <a href="/openapi.json">/openapi.json</a></p>
        </header>
        <nav>${[...groups.keys()].map((tag) => html`<a href="#${anchor(tag)}">${tag}</a> `)}</nav>
        <main>
          ${[...groups].map(
            ([tag, operations]) =>
              html`<section id="${anchor(tag)}">
                <h2>${tag}</h2>
                ${operations.map(operationOf)}
              </section>`,
          )}
          <section id="shapes">
            <h2>Shapes</h2>
            ${schemas.map(([name, schema]) => detail(name, schema))}
          </section>
        </main>
      </body>
    </html>`;
}

function byTag(document: z.output<typeof Document>): Map<string, Operation[]> {
  const groups = new Map<string, Operation[]>();
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags[0] ?? "other";
      const group = groups.get(tag) ?? [];
      group.push({ ...operation, method: method.toUpperCase(), path });
      groups.set(tag, group);
    }
  }
  return groups;
}

function operationOf(operation: Operation) {
  const { method, path, summary, security, parameters, requestBody, responses } = operation;
  const roles = security?.flatMap((scheme) => scheme.bearer).join(", ");
  const caller = security ? `needs a ${roles || "user"}'s token` : "open to all";
  return html`<details>
    <summary><b class="${method}">${method}</b> <code>${path}</code> <span>${summary ?? ""} (${caller})</span></summary>
    ${parameters ? detail("Parameters", parameters) : ""}
    ${requestBody ? detail("Body", requestBody) : ""}
    ${Object.entries(responses).map(([status, response]) => detail(status, response))}
  </details>`;
}

const detail = (title: string, value: unknown) =>
  html`<details><summary>${title}</summary><pre>${JSON.stringify(value, null, 2)}</pre></details>`;

const anchor = (tag: string) => tag.replace(/[^a-z]+/gi, "-");

const STYLE = `
:root{color-scheme:light dark;--line:#8884}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}
nav a{display:inline-block;margin:0 1rem .5rem 0}
details{border-bottom:1px solid var(--line);padding:.4rem 0}
details details{margin-left:1rem}
summary{cursor:pointer;overflow-wrap:anywhere}
summary b{display:inline-block;min-width:4.2rem;font-family:ui-monospace,monospace}
.GET{color:#1a7f37}.POST{color:#9a6700}.PUT{color:#0969da}.DELETE{color:#cf222e}
pre{overflow:auto;font-size:.85rem}
summary span{opacity:.75}
`;
