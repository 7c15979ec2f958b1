import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTwinServer, type TwinRequest } from "../common/server.ts";
import { page404 } from "./answers.ts";
import { Area } from "./area.ts";
import { Panel, type PanelOptions } from "./engine.ts";
import { answerCall, subjectOf } from "./guard.ts";
import { handRoutes } from "./hands.ts";
import { sitePage } from "./pages.ts";
import { visit } from "./serve.ts";
import { Shelf } from "./shelf.ts";
import type { PanelState } from "./state.ts";

export interface AapanelTwin {
  url: string;
  port: number;
  state: PanelState;
  /** The folder of this machine in which the server's `/www` lies, until `stop()`. */
  root: string;
  /** Moves the date on as far as the clock has, for a test that moves its own. */
  rollOver(): void;
  stop(): Promise<void>;
}

/** One upload, its form around it. */
const maxBodyBytes = 17_000_000;

function dialPathOf(request: TwinRequest): string {
  return `${request.path}?action=${request.query.get("action") ?? ""}`;
}

interface TwinOptions extends PanelOptions {
  port?: number;
  /** Keeps disk and state there between starts; without it both are gone at `stop()`. */
  folder?: string;
}

async function openDisk(folder: string | undefined): Promise<Area> {
  if (folder !== undefined) await mkdir(folder, { recursive: true });
  const area = new Area(folder ?? (await mkdtemp(join(tmpdir(), "lumbung-aapanel-"))));
  await area.open();
  return area;
}

/**
 * A strict local aaPanel 8.10 (v1 API): sites, FTP, databases, TLS, backups, and a real disk in a scratch folder, from
 * which it also serves the sites to visitors; faults on demand (`PUT /_dials`). Written from the provider's facts alone.
 */
export async function startAapanelTwin(options: TwinOptions): Promise<AapanelTwin> {
  const { folder } = options;
  const area = await openDisk(folder);
  const { root } = area;
  const panel = new Panel(options, area);
  const shelf = folder === undefined ? null : new Shelf(panel, join(folder, "panel.json"));
  shelf?.load();
  const clear = () => (shelf ? shelf.save() : rm(root, { recursive: true, force: true }));
  try {
    const server = await startTwinServer({
      name: "aaPanel",
      port: options.port ?? 0,
      dials: panel.dials,
      timers: panel.timers,
      maxBodyBytes,
      routes: { ...handRoutes(panel), ...panel.own.routes(), "GET /": sitePage(panel) },
      subjectOf: (request) => subjectOf(panel, request),
      dialPathOf,
      aside: (request) => visit(panel, request),
      guard: async (_request, next) => {
        const answer = await next();
        shelf?.soon();
        return answer;
      },
      notFound: (request) =>
        request.path.startsWith("/_") ? page404() : answerCall(panel, request),
    });
    panel.url = server.url;
    return {
      url: server.url,
      port: server.port,
      state: panel.state,
      root,
      rollOver: () => panel.rollOver(),
      stop: async () => {
        await server.stop();
        await clear();
      },
    };
  } catch (error) {
    await clear();
    throw error;
  }
}
