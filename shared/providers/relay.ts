import { z } from "zod";
import { type Bytes, hmacSha256Hex, sha256Hex, toBase64Url, utf8 } from "../crypto/index.ts";
import { type Fetch, type FetchInit, RELAY_NOT_SENT } from "./http-exchange.ts";

export interface RelayOptions {
  /** `https://relay.example`, without a path. */
  url: string;
  key: string;
  /** `host[:port]` as in `URL.host`: calls to all others go directly. */
  hosts: readonly string[];
  fetch: Fetch;
  now?: () => Date;
  nonce?: () => string;
}

const VERSION = "lumbung-relay-1";
const NONCE_BYTES = 16;
const DEFAULT_TIMEOUT_MS = 30_000;
const SHORTEST_TIMEOUT_MS = 1_000;
const LONGEST_TIMEOUT_MS = 300_000;

/** The relay's own answers after which its target may have been called; after all others of them it was not. */
const IN_DOUBT = ["broken", "timeout"];
const RelayCode = z.enum([
  "bad_request",
  "too_large",
  "bad_signature",
  "stale",
  "replayed",
  "forbidden_host",
  "busy",
  "unreachable",
  "broken",
  "timeout",
]);

/** What docs/relay.md calls "text", signed with the shared key. */
export interface Signed {
  method: string;
  target: string;
  /** Seconds since 1970. */
  time: number;
  nonce: string;
  timeoutMs: number;
  /** The `relay-headers` as they are sent. */
  headers: string;
  body: Bytes;
}

export async function relaySignature(key: string, signed: Signed): Promise<string> {
  const { method, target, time, nonce, timeoutMs, headers } = signed;
  const bodyHash = await sha256Hex(signed.body);
  const lines = [VERSION, method, target, time, nonce, timeoutMs, headers, bodyHash];
  return await hmacSha256Hex(key, lines.join("\n"));
}

/**
 * A `fetch` whose calls to the listed hosts go through the relay of docs/relay.md, which has an address that they
 * admit. A failure before the provider was called has the code `RELAY_NOT_SENT`; any other leaves it in doubt.
 */
export function throughRelay(options: RelayOptions): Fetch {
  const hosts = new Set(options.hosts.map((host) => host.toLowerCase()));
  return async (input, init) => {
    const target = new URL(input);
    if (!hosts.has(target.host)) return await options.fetch(input, init);
    return await relayed(options, target.href, init);
  };
}

async function relayed(options: RelayOptions, target: string, init: FetchInit): Promise<Response> {
  const { now = () => new Date(), nonce = randomNonce } = options;
  const body = bytesOf(init.body);
  const signed: Signed = {
    method: init.method ?? "GET",
    target,
    time: Math.floor(now().getTime() / 1000),
    nonce: nonce(),
    timeoutMs: bounded(init.timeoutMs ?? DEFAULT_TIMEOUT_MS),
    headers: toBase64Url(utf8(JSON.stringify([...new Headers(init.headers)]))),
    body,
  };
  const response = await options.fetch(`${options.url.replace(/\/+$/, "")}/relay/v1`, {
    method: "POST",
    redirect: "manual",
    body,
    ...(init.signal ? { signal: init.signal } : {}),
    headers: {
      "content-type": "application/octet-stream",
      "relay-method": signed.method,
      "relay-target": signed.target,
      "relay-time": String(signed.time),
      "relay-nonce": signed.nonce,
      "relay-timeout": String(signed.timeoutMs),
      "relay-headers": signed.headers,
      "relay-signature": await relaySignature(options.key, signed),
    },
  });
  if (response.headers.get("relay-status") === String(response.status)) return response;
  await response.body?.cancel();
  throw relayFailure(response.headers.get("relay-error"));
}

/** What the relay, or something in front of it, answered in the provider's place. */
function relayFailure(error: string | null): Error {
  const code = RelayCode.safeParse(error).data;
  if (code === "timeout") return new DOMException("the relay's target timed out", "TimeoutError");
  const certain = code !== undefined && !IN_DOUBT.includes(code);
  const failure = new Error(`the relay failed: ${code ?? "not the relay's answer"}`);
  return Object.assign(failure, { code: certain ? RELAY_NOT_SENT : "RELAY_BROKEN" });
}

/** Only what http.ts sends: nothing, text, or bytes that are signed as they leave. */
function bytesOf(body: BodyInit | null | undefined): Bytes {
  if (body === undefined || body === null) return new Uint8Array();
  if (typeof body === "string") return utf8(body);
  if (body instanceof Uint8Array) return new Uint8Array(body);
  throw new Error("a relayed call has a body of text or bytes");
}

const bounded = (timeoutMs: number) =>
  Math.round(Math.min(Math.max(timeoutMs, SHORTEST_TIMEOUT_MS), LONGEST_TIMEOUT_MS));

const randomNonce = () => toBase64Url(crypto.getRandomValues(new Uint8Array(NONCE_BYTES)));
