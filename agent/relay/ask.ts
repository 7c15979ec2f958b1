import type { IncomingMessage } from "node:http";
import { RelayFailure } from "./failures.ts";
import type { Signed } from "./signature.ts";
import { urlOf } from "./targets.ts";

/** A request whose form is right; nothing of it is believed yet. */
export interface Ask {
  method: string;
  target: URL;
  timeoutMs: number;
  timeSeconds: number;
  /** For the target, without those that are the connection's. */
  headers: [name: string, value: string][];
  signature: string;
  signed: Omit<Signed, "body">;
}

const methods = new Set(["GET", "POST", "PUT", "PATCH", "DELETE"]);
const longestTarget = 4_096;
const mostHeaders = 64;
const headerName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/;
const base64url = /^[A-Za-z0-9_-]*$/;

/** The connection's own and the relay's: never passed on, in either direction. */
export const ownHeaders: ReadonlySet<string> = new Set([
  "host",
  "content-length",
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
]);

function one(request: IncomingMessage, name: string, form: RegExp): string {
  const value = request.headers[`relay-${name}`];
  if (typeof value !== "string" || !form.test(value)) {
    throw new RelayFailure("bad_request", `relay-${name}`);
  }
  return value;
}

/** An absolute address in the form that the URL standard gives it, so that nobody reads another host out of it. */
function readTarget(text: string): URL {
  const url = text.length > longestTarget ? null : urlOf(text);
  const plain = url?.href === text && url.username === "" && url.password === "" && url.hash === "";
  const known = url?.protocol === "https:" || url?.protocol === "http:";
  if (!url || !plain || !known || text.endsWith("#")) {
    throw new RelayFailure("bad_request", "relay-target");
  }
  return url;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function readHeaders(encoded: string): [string, string][] {
  const list = parseJson(Buffer.from(encoded, "base64url").toString("utf8"));
  const wrong = new RelayFailure("bad_request", "relay-headers");
  if (!Array.isArray(list) || list.length > mostHeaders) throw wrong;
  const headers: [string, string][] = [];
  for (const pair of list) {
    if (!Array.isArray(pair) || pair.length !== 2) throw wrong;
    const [name, value]: unknown[] = pair;
    if (typeof name !== "string" || !headerName.test(name)) throw wrong;
    if (typeof value !== "string" || !headerValue.test(value)) throw wrong;
    if (!ownHeaders.has(name) && name !== "accept-encoding") headers.push([name, value]);
  }
  return headers;
}

/** Reads the form of a request (docs/relay.md, "Request"); throws `bad_request` naming the header that is wrong. */
export function readAsk(request: IncomingMessage): Ask {
  if (request.method !== "POST" || request.url !== "/relay/v1") {
    throw new RelayFailure("bad_request", "method or path");
  }
  const signed = {
    method: one(request, "method", /^[A-Z]{3,6}$/),
    target: one(request, "target", /^\S+$/),
    time: one(request, "time", /^[1-9]\d{0,11}$/),
    nonce: one(request, "nonce", /^[A-Za-z0-9_-]{22}$/),
    timeout: one(request, "timeout", /^[1-9]\d{3,5}$/),
    headers: one(request, "headers", base64url),
  };
  if (!methods.has(signed.method)) throw new RelayFailure("bad_request", "relay-method");
  const timeoutMs = Number(signed.timeout);
  if (timeoutMs > 300_000) throw new RelayFailure("bad_request", "relay-timeout");
  return {
    method: signed.method,
    target: readTarget(signed.target),
    timeoutMs,
    timeSeconds: Number(signed.time),
    headers: readHeaders(signed.headers),
    signature: one(request, "signature", /^[0-9a-f]{64}$/),
    signed,
  };
}
