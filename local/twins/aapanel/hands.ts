import { rm } from "node:fs/promises";
import type { Json } from "../common/fields.ts";
import {
  controlAnswer,
  controlBody,
  type Handler,
  json,
  type TwinRequest,
} from "../common/server.ts";
import type { Panel } from "./engine.ts";
import type { Site } from "./state.ts";

/** A site with its accounts; passwords are shown, as the panel shows them. */
export function view(panel: Panel, site: Site): Json {
  const own = <T extends { pid: number; path?: string }>(rows: Map<number, T>) =>
    [...rows.values()].filter((row) => row.pid === site.id || row.path === site.path);
  return {
    ...site,
    certificate: site.certificate?.domains ?? null,
    url: `${panel.url}/_site/${site.name}/`,
    ftps: own(panel.state.ftps),
    databases: own(panel.state.databases),
    backups: [...panel.state.backups.values()].filter((one) => !one.type && one.pid === site.id),
  };
}

async function remove(panel: Panel, site: Site): Promise<void> {
  const { sites, ftps, databases } = panel.state;
  sites.delete(site.id);
  for (const rows of [ftps, databases]) {
    for (const { id, pid } of [...rows.values()]) if (pid === site.id) rows.delete(id);
  }
  await rm(await panel.area.real(site.path), { recursive: true, force: true });
  panel.area.moveModes(site.path, null);
}

/** Whether an FTP client with this name and password would be let in, and where it would land. */
function ftpLogin(panel: Panel, { username, password }: Json): Json {
  const ftp = [...panel.state.ftps.values()].find((one) => one.name === username);
  const isIn = ftp?.enabled && ftp.password === password;
  return isIn ? { ok: true, path: ftp.path } : { ok: false };
}

function account({ state }: Panel): Json {
  const { apiOpen, whitelist, failures } = state;
  return { api: apiOpen, whitelist, failures: Object.fromEntries(failures) };
}

/** What an owner sets in the panel's settings: the API's switch, the whitelist, an end to a lock-out. */
function setAccount({ state }: Panel, body: Json): void {
  if (body.api !== undefined) state.apiOpen = body.api === true || body.api === "true";
  if (typeof body.whitelist === "string") {
    state.whitelist = body.whitelist.split(/[\s,]+/).filter((one) => one !== "");
  }
  if (body.unlock !== undefined) state.failures.clear();
}

function calls(panel: Panel, request: TwinRequest): Json[] {
  const match = request.query.get("match") ?? "";
  const action = request.query.get("action");
  return panel.state.journal
    .filter((one) => action === null || one.action === action)
    .filter((one) => `${Object.values(one.fields).join("\n")}\n${one.subject}`.includes(match))
    .map((one) => ({ ...one }));
}

/** What a person or a test does by hand, under `/_`; `:name` is a site's name. */
export function handRoutes(panel: Panel): Record<string, Handler> {
  const onSite =
    (run: (site: Site) => Promise<void> | void): Handler =>
    async (request) => {
      const site = panel.siteNamed(request.params.name ?? "");
      if (!site) return json(404, { error: "no such site" });
      await run(site);
      return controlAnswer(request, view(panel, site));
    };
  const setRunning = (running: boolean) =>
    onSite((site) => {
      site.running = running;
    });
  return {
    "GET /_sites": () =>
      json(
        200,
        [...panel.state.sites.values()].map((site) => view(panel, site)),
      ),
    "GET /_sites/:name": onSite(() => undefined),
    "POST /_stop/:name": setRunning(false),
    "POST /_start/:name": setRunning(true),
    "POST /_delete/:name": onSite((site) => remove(panel, site)),
    "POST /_midnight": (request) => {
      const { today } = controlBody(request);
      const stopped = panel.expire(typeof today === "string" ? today : panel.today());
      return controlAnswer(request, { stopped });
    },
    "POST /_ftp-login": (request) => json(200, ftpLogin(panel, controlBody(request))),
    "GET /_calls": (request) => json(200, calls(panel, request)),
    "GET /_account": () => json(200, account(panel)),
    "POST /_account": (request) => {
      setAccount(panel, controlBody(request));
      return controlAnswer(request, account(panel));
    },
  };
}
