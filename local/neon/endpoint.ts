import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { z } from "zod";
import { type Counts, Dials, OUTAGE_MODES, type Outage } from "./dials.ts";
import { attachPipe } from "./pipe.ts";
import { Pools } from "./pools.ts";
import { answerSql } from "./sql.ts";

/**
 * Neon's HTTP and WebSocket endpoint for the unmodified `@neondatabase/serverless` driver.
 *
 * Local use needs these settings, because the driver otherwise derives a cloud host from the name:
 *   neonConfig.fetchEndpoint = () => `${httpUrl}/sql`;
 *   neonConfig.wsProxy = (host, port) => `${host}:${port}/v2`;   // databaseUrl names this endpoint
 *   neonConfig.useSecureWebSocket = false;
 * `pipelineConnect` and `forceDisablePgSSL` stay as they are.
 *
 *   POST /sql          one query or a batch         GET  /v2        the pipe (WebSocket)
 *   GET  /_counts      round trips; ?request_id=…   DELETE /_counts starts from zero
 *   PUT  /_latency     {"ms":20}                    PUT  /_outage   {"ms":60000} or {"on":true|false},
 *                                                                   "mode":"destroy"|"503"|"freeze"|"lose-answer"
 */
export type NeonEndpointOptions = {
  postgresPort: number;
  /** Default: any free port. */
  port?: number;
  latencyMs?: number;
  /** Connections per database, at most. */
  maxConnections?: number;
};

export type NeonEndpoint = {
  url: string;
  port: number;
  setLatency(ms: number): void;
  setOutage(outage: Outage): void;
  counts(): Counts;
  countOf(requestId: string): number;
  resetCounts(): void;
  stop(): Promise<void>;
};

const HOST = "127.0.0.1";
const MAX_BODY_BYTES = 64 * 1024 * 1024;
const Latency = z.object({ ms: z.number().min(0) });
const OutageBody = z.object({
  on: z.boolean().optional(),
  ms: z.number().min(0).optional(),
  mode: z.enum(OUTAGE_MODES).optional(),
});

/** Starts the endpoint on the loopback in front of a local Postgres. */
export async function startNeonEndpoint(options: NeonEndpointOptions): Promise<NeonEndpoint> {
  const dials = new Dials();
  dials.setLatency(options.latencyMs ?? 0);
  const pools = new Pools(options.postgresPort, options.maxConnections ?? 60);
  const server = createServer((request, response) => {
    handle(request, response, pools, dials).catch(() => response.destroy());
  });
  // A client must never meet a kept connection just as the server closes it.
  server.keepAliveTimeout = 600_000;
  server.requestTimeout = 0;
  const closePipes = attachPipe(server, options.postgresPort, dials);
  const port = await listen(server, options.port ?? 0);
  return {
    url: `http://${HOST}:${port}`,
    port,
    setLatency: (ms) => dials.setLatency(ms),
    setOutage: (outage) => dials.setOutage(outage),
    counts: () => dials.counts(),
    countOf: (requestId) => dials.countOf(requestId),
    resetCounts: () => dials.resetCounts(),
    stop: async () => {
      closePipes();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await pools.end();
    },
  };
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  pools: Pools,
  dials: Dials,
): Promise<void> {
  if (request.url === "/sql" && request.method === "POST") {
    return handleSql(request, response, pools, dials);
  }
  const url = new URL(request.url ?? "/", "http://endpoint");
  switch (`${request.method} ${url.pathname}`) {
    case "GET /_counts": {
      const requestId = url.searchParams.get("request_id");
      if (requestId === null) return send(response, 200, dials.counts());
      return send(response, 200, { requestId, count: dials.countOf(requestId) });
    }
    case "DELETE /_counts":
      dials.resetCounts();
      return send(response, 200, dials.counts());
    case "PUT /_latency": {
      const input = parseDial(Latency, await readBody(request));
      if (input === undefined) return send(response, 400, { message: "expected {ms}" });
      dials.setLatency(input.ms);
      return send(response, 200, input);
    }
    case "PUT /_outage": {
      const input = parseDial(OutageBody, await readBody(request));
      if (input === undefined) return send(response, 400, { message: "expected {on} or {ms}" });
      dials.setOutage(input);
      return send(response, 200, { on: dials.outage() !== undefined });
    }
    default:
      return send(response, 404, { message: "not found" });
  }
}

async function handleSql(
  request: IncomingMessage,
  response: ServerResponse,
  pools: Pools,
  dials: Dials,
): Promise<void> {
  const requestId = request.headers["x-request-id"];
  dials.countCall(typeof requestId === "string" ? requestId : undefined);
  const outage = dials.outage();
  if (outage !== undefined) dials.countRefusal();
  if (outage === "destroy") {
    request.socket.destroy();
    return;
  }
  const body = await readBody(request);
  if (outage === "503")
    return send(response, 503, { message: "The database is away (outage dial)" });
  if (body === undefined) return send(response, 413, { message: "request is too large" });
  if (outage === "freeze") await dials.thawed();
  await dials.halfTrip();
  const answer = await answerSql(pools, request.headers, body);
  await dials.halfTrip();
  if (outage === "lose-answer") {
    request.socket.destroy();
    return;
  }
  send(response, answer.status, answer.body);
}

function parseDial<T>(schema: z.ZodType<T>, body: string | undefined): T | undefined {
  try {
    return schema.parse(JSON.parse(body ?? ""));
  } catch {
    return undefined;
  }
}

/** The whole body, or undefined when it is larger than Neon takes. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return bytes > MAX_BODY_BYTES ? undefined : Buffer.concat(chunks).toString("utf8");
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": bytes.length,
  });
  response.end(bytes);
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const taken = error.code === "EADDRINUSE";
      reject(taken ? new Error(`Port ${port} on ${HOST} is taken by another program.`) : error);
    });
    server.listen({ port, host: HOST, backlog: 1024 }, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}
