import { createHash } from "node:crypto";
import type { EdgeFetch } from "../ctx.ts";
import { type AgentKey, callHeaders } from "./key.ts";

const CALL_TIMEOUT_MS = 120_000;

/**
 * Calls of the Worker, signed with the agent's key. The path with its query is signed, and the digest of a body that is
 * at hand; one that streams is signed as `stream`, and its receiver checks it by other means.
 */
export function edgeFetch(who: {
  url: string;
  serverId: string;
  key: AgentKey;
  now(): Date;
}): EdgeFetch {
  const base = new URL(who.url);
  return async (path, { method = "GET", headers = {}, body, signal } = {}) => {
    const url = new URL(path, base);
    if (url.origin !== base.origin) throw new Error("a call of the edge leaves the edge");
    const isStream = body instanceof ReadableStream;
    const digest = isStream ? "stream" : sha256(body ?? new Uint8Array());
    const call = { method, path: `${url.pathname}${url.search}`, body: digest };
    const timeout = AbortSignal.timeout(CALL_TIMEOUT_MS);
    const init = {
      ...{ method, redirect: "error" as const, body: body ?? null },
      headers: { ...headers, ...callHeaders(who, url.host, call) },
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      // Node sends a stream only when told that it will not read the answer meanwhile.
      ...(isStream ? { duplex: "half" as const } : {}),
    };
    return await fetch(url, init);
  };
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
