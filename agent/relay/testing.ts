import { createHash, createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { jsonLog } from "./log.ts";
import { type RelayOptions, startRelay } from "./server.ts";
import { parseTargets } from "./targets.ts";
import type { SelfSigned } from "./test-certificate.ts";

export const key = "local-relay-key-0001-vwxyz-abcdef";

export interface Target {
  origin: string;
  port: number;
  /** What arrived, in order. */
  got: { method: string; url: string; headers: IncomingMessage["headers"]; body: string }[];
  stop(): Promise<void>;
}

async function listening(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** A provider's stand-in that remembers what it was asked. */
export async function startTarget(
  answer: RequestListener = (_request, response) => response.end("ok"),
  tls?: SelfSigned,
): Promise<Target> {
  const got: Target["got"] = [];
  const listener: RequestListener = async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = "", url = "", headers } = request;
    got.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
    answer(request, response);
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  const port = await listening(server);
  return {
    origin: `${tls ? "https" : "http"}://127.0.0.1:${port}`,
    port,
    got,
    stop: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

export interface Said {
  method?: string;
  target: string;
  time?: number;
  nonce?: string;
  timeout?: number;
  headers?: [string, string][];
  body?: string;
  key?: string;
  /** Put in place of what was signed. */
  forged?: Record<string, string>;
  forgedBody?: string;
}

/** The headers of a request that is signed as docs/relay.md says, written apart from the relay's own code. */
export function signedHeaders(said: Said): Record<string, string> {
  const headers = Buffer.from(JSON.stringify(said.headers ?? [])).toString("base64url");
  const time = String(said.time ?? Math.floor(Date.now() / 1000));
  const nonce = said.nonce ?? randomBytes(16).toString("base64url");
  const timeout = String(said.timeout ?? 5_000);
  const method = said.method ?? "POST";
  const hash = createHash("sha256")
    .update(said.body ?? "")
    .digest("hex");
  const text = `lumbung-relay-1\n${method}\n${said.target}\n${time}\n${nonce}\n${timeout}\n${headers}\n${hash}`;
  return {
    "relay-method": method,
    "relay-target": said.target,
    "relay-time": time,
    "relay-nonce": nonce,
    "relay-timeout": timeout,
    "relay-headers": headers,
    "relay-signature": createHmac("sha256", said.key ?? key)
      .update(text)
      .digest("hex"),
    ...said.forged,
  };
}

export interface TestRelay {
  url: string;
  lines: string[];
  ask(said: Said): Promise<Response>;
  /** The relay's own word for a request, null for an answer of the target. */
  errorOf(said: Said): Promise<string | null>;
  stop(): Promise<void>;
}

export async function startTestRelay(
  targets: string,
  options: Partial<RelayOptions> = {},
): Promise<TestRelay> {
  const lines: string[] = [];
  const relay = await startRelay({
    key,
    targets: parseTargets(targets),
    host: "127.0.0.1",
    port: 0,
    startedAtMs: 0,
    log: jsonLog((line) => lines.push(line)),
    ...options,
  });
  const url = `http://127.0.0.1:${relay.port}`;
  const ask: TestRelay["ask"] = (said) =>
    fetch(`${url}/relay/v1`, {
      method: "POST",
      redirect: "manual",
      headers: signedHeaders(said),
      body: said.forgedBody ?? said.body ?? "",
    });
  return {
    url,
    lines,
    ask,
    errorOf: async (said) => {
      const response = await ask(said);
      await response.text();
      return response.headers.get("relay-error");
    },
    stop: () => relay.stop(),
  };
}
