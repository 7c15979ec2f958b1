import { type IncomingMessage, request, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Ask, ownHeaders } from "./ask.ts";
import { connect } from "./connect.ts";
import { RelayFailure } from "./failures.ts";

export interface Route {
  pin: string | null;
  from?: string;
  maxAnswerBytes: number;
  /** Ends when the asker is gone. */
  gone: AbortSignal;
}

export interface Passed {
  status: number;
  bytes: number;
}

/** Calls the target once and passes its answer on as it comes. Throws a `RelayFailure` while nothing is answered yet. */
export async function forward(
  ask: Ask,
  body: Buffer,
  route: Route,
  response: ServerResponse,
): Promise<Passed> {
  const late = AbortSignal.timeout(ask.timeoutMs);
  const signal = AbortSignal.any([late, route.gone]);
  const way = { target: ask.target, pin: route.pin, signal };
  const socket = await connect(route.from === undefined ? way : { ...way, from: route.from });
  const stop = () => socket.destroy();
  signal.addEventListener("abort", stop, { once: true });
  try {
    const answer = await call(ask, body, socket).catch((error: unknown) => {
      if (late.aborted) throw new RelayFailure("timeout", "no answer in time");
      throw error;
    });
    return await passOn(answer, route.maxAnswerBytes, response);
  } finally {
    signal.removeEventListener("abort", stop);
    socket.destroy();
  }
}

function broken(error: NodeJS.ErrnoException): RelayFailure {
  return new RelayFailure("broken", error.code ?? "connection lost");
}

/** Sends the call over a connection of its own and waits for the head of its answer. */
function call(ask: Ask, body: Buffer, socket: Socket): Promise<IncomingMessage> {
  const { method, target } = ask;
  const hasBody = body.length > 0 || method !== "GET";
  const headers = [
    ["host", target.host],
    ...ask.headers,
    ["accept-encoding", "identity"],
    ...(hasBody ? [["content-length", String(body.length)]] : []),
    ["connection", "close"],
  ];
  return new Promise((resolve, reject) => {
    const lost = () => reject(new RelayFailure("broken", "connection lost"));
    // Between its opening and here the other side may have closed it already.
    if (socket.destroyed) return lost();
    const path = target.pathname + target.search;
    const createConnection = () => socket;
    const sent = request({ method, path, headers: headers.flat(), createConnection });
    sent.once("response", resolve);
    sent.once("upgrade", lost);
    sent.on("error", (error) => reject(broken(error)));
    sent.once("close", lost);
    sent.end(body);
  });
}

/** The target's own headers: not those of its connection, nor any that could be taken for the relay's. */
function answerHeaders(answer: IncomingMessage): string[] {
  const named = (answer.headers.connection ?? "").toLowerCase().split(/\s*,\s*/);
  const kept: string[] = [];
  for (let at = 0; at + 1 < answer.rawHeaders.length; at += 2) {
    const [name = "", value = ""] = answer.rawHeaders.slice(at, at + 2);
    const lower = name.toLowerCase();
    const isOwn = ownHeaders.has(lower) || named.includes(lower) || lower === "content-encoding";
    if (!isOwn && !lower.startsWith("relay-")) kept.push(name, value);
  }
  return kept;
}

async function passOn(
  answer: IncomingMessage,
  maxBytes: number,
  response: ServerResponse,
): Promise<Passed> {
  const status = answer.statusCode ?? 0;
  let bytes = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      bytes += chunk.length;
      if (bytes > maxBytes) next(new Error("the answer is too large"));
      else next(null, chunk);
    },
  });
  try {
    response.writeHead(status, [...answerHeaders(answer), "relay-status", String(status)]);
  } catch {
    throw new RelayFailure("broken", "an answer that cannot be passed on");
  }
  // From here on a failure can only be shown by cutting the answer off.
  await pipeline(answer, count, response);
  return { status, bytes };
}
