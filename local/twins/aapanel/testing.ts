import { type Answer, call } from "../testing/call.ts";
import { requestToken } from "./signature.ts";
import { type AapanelTwin, startAapanelTwin } from "./twin.ts";

type Options = Partial<Parameters<typeof startAapanelTwin>[0]>;

export const apiKey = "0123456789abcdef0123456789ABCDEF";
const time = "1767225600";

let made = 0;

/** A domain that no other test has. */
export function newDomain(): string {
  made += 1;
  return `t${Date.now().toString(36)}-${made}.example`;
}

export interface Chunk {
  f_path: string;
  f_name: string;
  f_size: number;
  f_start: number;
  bytes: Uint8Array<ArrayBuffer>;
}

export interface Hosting {
  twin: AapanelTwin;
  /** A signed form call; a field that is undefined is left out. */
  ask(group: string, action: string, fields?: Record<string, string | undefined>): Promise<Answer>;
  /** Makes a site of its own; fields change the call. */
  site(fields?: Record<string, string | undefined>): Promise<{ id: string; domain: string }>;
  chunk(chunk: Chunk): Promise<Answer>;
  /** A whole file in one chunk. */
  put(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<Answer>;
  /** What a visitor of this host sees. */
  look(domain: string, path?: string): Promise<Answer>;
  /** Names in a folder, directories with a slash. */
  list(path: string): Promise<string[]>;
  hand(what: string, body?: unknown): Promise<Answer>;
  dial(match: string, dials: Record<string, unknown>): Promise<Answer>;
  stop(): Promise<void>;
}

async function read(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json") ?? false;
  const body = isJson ? JSON.parse(text) : null;
  return { status: response.status, headers: response.headers, text, body };
}

export function siteFields(domain: string): Record<string, string> {
  return {
    webname: JSON.stringify({ domain, domainlist: [], count: 0 }),
    path: `/www/wwwroot/${domain}`,
    type_id: "0",
    type: "PHP",
    version: "00",
    port: "80",
    ps: domain,
  };
}

function filePart(url: string, { bytes, ...fields }: Chunk): Promise<Answer> {
  const body = new FormData();
  const signed = { request_time: time, request_token: requestToken(apiKey, time) };
  for (const [name, value] of Object.entries({ ...signed, ...fields }))
    body.set(name, String(value));
  body.set("blob", new Blob([bytes]), "blob");
  return fetch(`${url}/files?action=upload`, { method: "POST", body }).then(read);
}

/** A panel twin, and the calls that tests make of it. */
export async function startHosting(options: Options = {}): Promise<Hosting> {
  const twin = await startAapanelTwin({ apiKey, ...options });
  const ask: Hosting["ask"] = async (group, action, fields = {}) => {
    const body = new URLSearchParams();
    const signed = { request_time: time, request_token: requestToken(apiKey, time) };
    for (const [name, value] of Object.entries({ ...signed, ...fields })) {
      if (value !== undefined) body.set(name, value);
    }
    const url = `${twin.url}/${group}?action=${action}`;
    return read(await fetch(url, { method: "POST", body, redirect: "manual" }));
  };
  return {
    twin,
    ask,
    site: async (fields = {}) => {
      const domain = newDomain();
      const { body } = await ask("site", "AddSite", { ...siteFields(domain), ...fields });
      return { id: String(body.siteId), domain };
    },
    chunk: (chunk) => filePart(twin.url, chunk),
    put: (path, bytes) => {
      const cut = path.lastIndexOf("/");
      const where = { f_path: path.slice(0, cut), f_name: path.slice(cut + 1) };
      return filePart(twin.url, { ...where, f_size: bytes.length, f_start: 0, bytes });
    },
    look: (domain, path = "/") => call("GET", `${twin.url}/_site/${domain}${path}`),
    list: async (path) => {
      const { body } = await ask("files", "GetDir", { path });
      if (body.PATH !== path) return [];
      const names = (lines: string[]) => lines.map((line) => line.split(";")[0] ?? "");
      return [...names(body.DIR).map((name) => `${name}/`), ...names(body.FILES)];
    },
    hand: (what, body = {}) => call("POST", `${twin.url}/_${what}`, body),
    dial: (match, dials) => call("PUT", `${twin.url}/_dials`, { match, ...dials }),
    stop: () => twin.stop(),
  };
}
