import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { type Ask, readAsk } from "./ask.ts";
import { failures, RelayFailure } from "./failures.ts";
import { forward } from "./forward.ts";
import type { Log } from "./log.ts";
import { Nonces } from "./nonces.ts";
import { isSigned } from "./signature.ts";
import type { Targets } from "./targets.ts";

export interface RelayOptions {
  key: string;
  targets: Targets;
  host: string;
  port: number;
  /** The relay's own certificate; without one it speaks plain HTTP, for a proxy before it. */
  tls?: { cert: string; key: string };
  from?: string;
  log: Log;
  now?: () => number;
  /** What is older than this is stale: its nonce may have been seen by the process before. */
  startedAtMs: number;
  maxBodyBytes?: number;
  maxAnswerBytes?: number;
  maxCalls?: number;
  nonces?: Nonces;
}

export interface Relay {
  host: string;
  port: number;
  /** Takes no more calls, and waits for those under way at most so long. */
  stop(graceMs?: number): Promise<void>;
}

const windowMs = 120_000;
const mebibyte = 1_048_576;
/** All request bodies together, while they are read and while their call goes on. */
const maxHeldBytes = 128 * mebibyte;

interface Desk {
  options: RelayOptions;
  nonces: Nonces;
  now: () => number;
  calls: number;
  heldBytes: number;
}

async function readBody(desk: Desk, request: IncomingMessage): Promise<Buffer> {
  const most = desk.options.maxBodyBytes ?? 8 * mebibyte;
  if (Number(request.headers["content-length"] ?? 0) > most) throw new RelayFailure("too_large");
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      size += chunk.length;
      desk.heldBytes += chunk.length;
      if (size > most) throw new RelayFailure("too_large");
      if (desk.heldBytes > maxHeldBytes) throw new RelayFailure("busy");
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    desk.heldBytes -= size;
    throw error;
  }
}

/** The checks of docs/relay.md in their order; what passes them all is called. */
function check(desk: Desk, ask: Ask, body: Buffer): string | null {
  const { key, targets, startedAtMs } = desk.options;
  const now = desk.now();
  const sentAt = ask.timeSeconds * 1000;
  if (!isSigned(key, { ...ask.signed, body }, ask.signature))
    throw new RelayFailure("bad_signature");
  if (Math.abs(now - sentAt) > windowMs || sentAt < startedAtMs) throw new RelayFailure("stale");
  const taken = desk.nonces.take(ask.signed.nonce, now);
  if (taken === "full") throw new RelayFailure("busy");
  if (!taken) throw new RelayFailure("replayed");
  const pin = targets.get(ask.target.origin);
  if (pin === undefined) throw new RelayFailure("forbidden_host");
  return pin;
}

function refuse(response: ServerResponse, { code }: RelayFailure): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const body = JSON.stringify({ error: code });
  // What is left of a body that was not read would be taken for the next request.
  response.writeHead(failures[code], {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "relay-error": code,
    connection: "close",
  });
  response.end(body);
}

async function passCall(
  desk: Desk,
  ask: Ask,
  body: Buffer,
  response: ServerResponse,
): Promise<{ status: number; bytes: number }> {
  const { options } = desk;
  const pin = check(desk, ask, body);
  if (desk.calls >= (options.maxCalls ?? 64)) throw new RelayFailure("busy");
  desk.calls += 1;
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const route = {
    pin,
    maxAnswerBytes: options.maxAnswerBytes ?? 16 * mebibyte,
    gone: gone.signal,
    ...(options.from !== undefined && { from: options.from }),
  };
  try {
    return await forward(ask, body, route, response);
  } finally {
    desk.calls -= 1;
  }
}

async function handle(
  desk: Desk,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const began = performance.now();
  const { log } = desk.options;
  let ask: Ask | undefined;
  let held = 0;
  try {
    ask = readAsk(request);
    const body = await readBody(desk, request);
    held = body.length;
    const { status, bytes } = await passCall(desk, ask, body, response);
    log.call({ ask, status, sent: held, received: bytes, ms: performance.now() - began });
  } catch (error) {
    const failure =
      error instanceof RelayFailure ? error : new RelayFailure("broken", nameOf(error));
    const from = request.socket.remoteAddress ?? "";
    log.failure({ ask, failure, from, ms: performance.now() - began });
    refuse(response, failure);
  } finally {
    desk.heldBytes -= held;
  }
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

/** Starts the relay; port 0 takes a free one. */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const nonces = options.nonces ?? new Nonces();
  const now = options.now ?? Date.now;
  const desk: Desk = { options, nonces, now, calls: 0, heldBytes: 0 };
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    if (request.method === "GET" && request.url === "/healthz") {
      response.writeHead(200, { "content-type": "application/json" }).end('{"ok":true}');
      return;
    }
    void handle(desk, request, response);
  };
  const server = options.tls ? createTlsServer(options.tls, answer) : createServer(answer);
  server.headersTimeout = 10_000;
  server.requestTimeout = 60_000;
  server.listen(options.port, options.host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    host: options.host,
    port,
    stop: async (graceMs = 0) => {
      const closed = once(server, "close");
      server.close();
      const force = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(force);
    },
  };
}
