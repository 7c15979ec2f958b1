import { readFile } from "node:fs/promises";
import { extname, posix } from "node:path";
import { htmlAnswer, type TwinAnswer, type TwinRequest } from "../common/server.ts";
import { errorPage, page404, Refused } from "./answers.ts";
import type { Panel } from "./engine.ts";
import { stopPage, unknownHostPage } from "./pages-served.ts";
import type { Site } from "./state.ts";

const types: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".htm": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".txt": "text/plain; charset=utf-8",
  ".xml": "text/xml",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".gif": "image/gif",
  ".webp": "image/webp",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".wasm": "application/wasm",
};

const indexes = [
  "index.php",
  "index.html",
  "index.htm",
  "default.php",
  "default.htm",
  "default.html",
];
const hidden = /\/(\.user\.ini|\.htaccess|\.git|\.env|\.svn|\.project)(\/|$)/;
const panelHosts = new Set(["127.0.0.1", "localhost", "[::1]"]);
const byPath = /^\/_site\/([^/]+)(\/.*)?$/;

interface Visit {
  host: string;
  path: string;
  /** Whether the visitor really named the host, so that a redirect to it leads somewhere. */
  real: boolean;
}

/**
 * Who looks at a site: by `Host: example.id`, at `http://example.id.localhost:<port>/`, or, where a program can set
 * neither, at `/_site/example.id/`. Null: a caller of the panel itself.
 */
function visitOf(request: TwinRequest): Visit | null {
  const named = byPath.exec(request.path);
  if (named) return { host: (named[1] ?? "").toLowerCase(), path: named[2] ?? "/", real: false };
  const host = (request.header("host") ?? "").toLowerCase().replace(/:\d+$/, "").replace(/\.$/, "");
  if (host === "" || panelHosts.has(host)) return null;
  return { host, path: request.path, real: true };
}

function decodePath(path: string): string | null {
  try {
    const plain = decodeURIComponent(path);
    return plain.includes("\0") ? null : plain;
  } catch {
    return null;
  }
}

async function notFound(panel: Panel, root: string): Promise<TwinAnswer> {
  const own = `${root}/404.html`;
  if ((await panel.area.kind(own)) !== "file") return page404();
  return htmlAnswer(await readFile(await panel.area.real(own), "utf8"), 404);
}

async function fileAnswer(panel: Panel, site: Site, file: string): Promise<TwinAnswer> {
  if (!panel.area.mayServe(file, "file")) return errorPage(403, "Forbidden");
  const extension = extname(file).toLowerCase();
  if (extension === ".php" && site.phpVersion !== "00") {
    return errorPage(501, "The twin runs no PHP");
  }
  const type = types[extension] ?? "application/octet-stream";
  const body = await readFile(await panel.area.real(file));
  return { status: 200, headers: { "content-type": type, server: "nginx" }, body };
}

async function serveSite(panel: Panel, site: Site, visit: Visit): Promise<TwinAnswer> {
  const path = decodePath(visit.path);
  if (path === null) return errorPage(400, "Bad Request");
  const root = posix.join(site.path, site.runPath).replace(/\/$/, "");
  const file = posix.join(root, posix.normalize(`/${path}`)).replace(/\/$/, "");
  if (hidden.test(path)) return page404();
  const kind = await panel.area.kind(file);
  if (kind === "file" && !path.endsWith("/")) return await fileAnswer(panel, site, file);
  if (kind !== "directory") return await notFound(panel, root);
  if (!path.endsWith("/")) {
    const prefix = visit.real ? "" : `/_site/${visit.host}`;
    const location = `${prefix}${visit.path}/`;
    return { ...errorPage(301, "Moved Permanently"), headers: { location } };
  }
  for (const index of indexes) {
    const candidate = `${file}/${index}`;
    if ((await panel.area.kind(candidate)) === "file") {
      return await fileAnswer(panel, site, candidate);
    }
  }
  return errorPage(403, "Forbidden");
}

/** A stopped site's root is swapped for the stop page's, so `/` is still answered 200, and all else 404. */
function swapped(visit: Visit, markup: string): TwinAnswer {
  return visit.path === "/" || visit.path === "/index.html" ? htmlAnswer(markup) : page404();
}

/** What the web server beside the panel answers a visitor; null when the request is for the panel. */
export async function visit(panel: Panel, request: TwinRequest): Promise<TwinAnswer | null> {
  const found = visitOf(request);
  if (!found) return null;
  panel.rollOver();
  if (request.method !== "GET" && request.method !== "HEAD") {
    return errorPage(405, "Method Not Allowed");
  }
  const exact = panel.siteOfHost(found.host);
  const site = exact ?? panel.siteOfHost(found.host.replace(/\.localhost$/, ""));
  if (!site) return swapped(found, unknownHostPage);
  if (!site.running) return swapped(found, stopPage);
  if (site.forceHttps && found.real && exact) {
    const location = `https://${found.host}${found.path}`;
    return { ...errorPage(301, "Moved Permanently"), headers: { location } };
  }
  try {
    return await serveSite(panel, site, found);
  } catch (error) {
    if (error instanceof Refused) return errorPage(403, "Forbidden");
    throw error;
  }
}
