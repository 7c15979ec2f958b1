import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Timers } from "./clock.ts";
import { type Dials, dialMeanings } from "./dials.ts";
import { isObject, type Json, parseJson } from "./fields.ts";

export interface TwinRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  params: Record<string, string>;
  header(name: string): string | undefined;
  raw: string;
  /** The body as it came, for what is no text. */
  bytes: Buffer;
}

export interface TwinAnswer {
  status: number;
  headers: Record<string, string>;
  body: string | Buffer;
  /** Sent piece by piece in place of `body`; when it throws, the connection breaks. */
  stream?: AsyncIterable<string>;
}

export type Handler = (request: TwinRequest) => TwinAnswer | Promise<TwinAnswer>;

export interface TwinServerOptions {
  /** The provider's name, for the message when the port is taken. */
  name: string;
  port: number;
  dials: Dials;
  timers: Timers;
  /** `"GET /v2/:id/status"` to its handler. Paths from `/_` on and `/` are for people: no dial applies. */
  routes: Record<string, Handler>;
  /** More text for `match`: what is known about the thing that the request names. */
  subjectOf(request: TwinRequest): string;
  /** Wraps what the provider itself does: its own checks of the caller and repeated requests. */
  guard(request: TwinRequest, next: () => Promise<TwinAnswer>): Promise<TwinAnswer>;
  notFound(request: TwinRequest): TwinAnswer | Promise<TwinAnswer>;
  /** What a dial's `path` is compared with, where the path alone says too little. */
  dialPathOf?(request: TwinRequest): string;
  /** Answers what is no call of the provider at all (a visitor of a site), before dials and routes. */
  aside?(request: TwinRequest): Promise<TwinAnswer | null>;
  /** A larger body than this is answered 413 (2,000,000). */
  maxBodyBytes?: number;
}

export interface TwinServer {
  url: string;
  port: number;
  stop(): Promise<void>;
}

export function json(
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): TwinAnswer {
  return {
    status,
    headers: { "content-type": "application/json; charset=utf-8", ...headers },
    body: JSON.stringify(value),
  };
}

export function htmlAnswer(markup: string, status = 200): TwinAnswer {
  return { status, headers: { "content-type": "text/html; charset=utf-8" }, body: markup };
}

/** The body of a control request: JSON from a program, a form from a page's button, or nothing. */
export function controlBody(request: TwinRequest): Json {
  if (request.header("content-type")?.startsWith("application/x-www-form-urlencoded")) {
    return Object.fromEntries(new URLSearchParams(request.raw));
  }
  const body = parseJson(request.raw || "{}");
  return isObject(body) ? body : {};
}

/** Answers a program with JSON, and sends a person's browser back to the page it came from. */
export function controlAnswer(request: TwinRequest, value: unknown, status = 200): TwinAnswer {
  if (status < 400 && request.header("accept")?.includes("text/html")) {
    const from = request.header("referer");
    return { status: 303, headers: { location: from ?? "/" }, body: "" };
  }
  return json(status, value);
}

interface CompiledRoute {
  parts: string[];
  handler: Handler;
}

/** Routes by method and number of path parts, so that finding one does not depend on how many there are. */
function compile(routes: Record<string, Handler>): Map<string, CompiledRoute[]> {
  const table = new Map<string, CompiledRoute[]>();
  for (const [route, handler] of Object.entries(routes)) {
    const [method = "GET", path = "/"] = route.split(" ");
    const parts = path.split("/");
    const key = `${method} ${parts.length}`;
    table.set(key, [...(table.get(key) ?? []), { parts, handler }]);
  }
  return table;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function find(table: Map<string, CompiledRoute[]>, request: TwinRequest): Handler | undefined {
  const parts = request.path.split("/");
  for (const route of table.get(`${request.method} ${parts.length}`) ?? []) {
    const fits = route.parts.every((part, index) => part.startsWith(":") || part === parts[index]);
    if (!fits) continue;
    route.parts.forEach((part, index) => {
      if (part.startsWith(":")) request.params[part.slice(1)] = decode(parts[index] ?? "");
    });
    return route.handler;
  }
  return undefined;
}

const usualBodyBytes = 2_000_000;

async function readRequest(
  incoming: IncomingMessage,
  limitBytes: number,
): Promise<TwinRequest | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    if (size > limitBytes) return null;
    chunks.push(bytes);
  }
  const url = new URL(incoming.url ?? "/", "http://twin");
  const bytes = Buffer.concat(chunks);
  let text = "";
  return {
    method: incoming.method ?? "GET",
    path: url.pathname,
    query: url.searchParams,
    params: {},
    header: (name) => {
      const value = incoming.headers[name];
      return Array.isArray(value) ? value.join(",") : value;
    },
    bytes,
    get raw() {
      text ||= bytes.toString("utf8");
      return text;
    },
  };
}

const gatewayPage =
  "<!doctype html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>";

/** What the dials make of a request: an answer, or the socket destroyed, or left without an answer. */
type Outcome = TwinAnswer | "destroy" | "silence";

async function withFaults(
  options: TwinServerOptions,
  request: TwinRequest,
  act: () => Promise<TwinAnswer>,
): Promise<Outcome> {
  const { dials } = options;
  if (!dials.any) return await options.guard(request, act);
  const text = `${request.path}?${request.query}\n${request.raw}\n${options.subjectOf(request)}`;
  const path = options.dialPathOf?.(request) ?? request.path;
  const take = (name: Parameters<Dials["take"]>[0]) => dials.take(name, text, path);
  const down = take("down");
  const refuse = down ? undefined : take("refuse");
  const rubbish = down || refuse ? undefined : take("rubbish");
  const fault = down ?? refuse ?? rubbish;
  const silent = fault ? undefined : take("timeOut");
  const delay = take("delayMs");
  const delayed = async () => {
    if (delay) await options.timers.wait(Number(delay.value));
    return await act();
  };
  if (!fault) {
    const answer = await options.guard(request, delayed);
    return silent ? "silence" : answer;
  }
  if (fault.acts) await options.guard(request, delayed);
  if (down) return "destroy";
  if (rubbish) return htmlAnswer(gatewayPage);
  const status = typeof refuse?.value === "number" ? refuse.value : 503;
  return json(status, { status_code: String(status), status_message: "refused by a dial" });
}

function reply(response: ServerResponse, answer: TwinAnswer): void {
  if (answer.stream) return void pour(response, answer, answer.stream);
  response.writeHead(answer.status, {
    ...answer.headers,
    "content-length": Buffer.byteLength(answer.body),
  });
  response.end(answer.body);
}

async function pour(
  response: ServerResponse,
  { status, headers }: TwinAnswer,
  pieces: AsyncIterable<string>,
): Promise<void> {
  response.writeHead(status, headers);
  response.flushHeaders();
  try {
    for await (const piece of pieces) {
      if (response.destroyed) return;
      response.write(piece);
    }
    response.end();
  } catch {
    // What was written goes out first: the break comes where it was asked for.
    response.socket?.destroySoon();
  }
}

function controlRoutes(dials: Dials): Record<string, Handler> {
  return {
    "GET /_dials": () => json(200, { dials: dials.list(), meanings: dialMeanings }),
    "PUT /_dials": (request) => {
      try {
        return json(200, { dials: dials.put(parseJson(request.raw)) });
      } catch (error) {
        return json(400, { error: error instanceof Error ? error.message : "bad dials" });
      }
    },
    "DELETE /_dials": (request) => {
      dials.clear(request.query.get("match") ?? undefined);
      return json(200, { dials: dials.list() });
    },
    "GET /_health": () => json(200, { ok: true }),
  };
}

async function listen(server: Server, name: string, port: number): Promise<number> {
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") {
      throw new Error(
        `${name} twin: port ${port} is taken by another program. Stop that program or choose another port.`,
        { cause: error },
      );
    }
    throw error;
  }
  return (server.address() as AddressInfo).port;
}

/** Starts one twin on the loopback address; port 0 takes a free one. */
export async function startTwinServer(options: TwinServerOptions): Promise<TwinServer> {
  const table = compile({ ...controlRoutes(options.dials), ...options.routes });
  const handle = async (incoming: IncomingMessage, response: ServerResponse) => {
    const request = await readRequest(incoming, options.maxBodyBytes ?? usualBodyBytes);
    if (!request) return reply(response, json(413, { message: "the body is too large" }));
    const aside = (await options.aside?.(request)) ?? null;
    if (aside) return reply(response, aside);
    const handler = find(table, request) ?? options.notFound;
    const act = async () => await handler(request);
    const forPeople = request.path === "/" || request.path.startsWith("/_");
    const outcome = forPeople ? await act() : await withFaults(options, request, act);
    if (outcome === "destroy") response.destroy();
    else if (outcome !== "silence") reply(response, outcome);
  };
  const server = createServer((incoming, response) => {
    handle(incoming, response).catch((error: unknown) => {
      if (incoming.destroyed && !incoming.complete) return;
      console.error(`${options.name} twin failed at ${incoming.method} ${incoming.url}`, error);
      if (!response.headersSent) reply(response, json(500, { message: "the twin itself failed" }));
    });
  });
  const port = await listen(server, options.name, options.port);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    stop: async () => {
      options.timers.clear();
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
