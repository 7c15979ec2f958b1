import { readMultipart } from "../common/market/multipart.ts";
import type { TwinRequest } from "../common/server.ts";

export interface Call {
  /** The path that is signed: without `/rest`. */
  path: string;
  parameters: Map<string, string>;
  file: Buffer | null;
}

const cache = new WeakMap<TwinRequest, Call>();

/** Parameters come in the query and, with POST, as form fields; a file's bytes are no parameter. */
export function callOf(request: TwinRequest): Call {
  const known = cache.get(request);
  if (known) return known;
  const parameters = new Map(request.query);
  const type = request.header("content-type");
  let file: Buffer | null = null;
  if (type?.startsWith("application/x-www-form-urlencoded")) {
    for (const [name, value] of new URLSearchParams(request.raw)) parameters.set(name, value);
  }
  for (const part of readMultipart(type, request.bytes) ?? []) {
    if (part.filename === null) parameters.set(part.name, part.bytes.toString("utf8"));
    else file = part.bytes;
  }
  const call = { path: request.path.replace(/^\/rest/, ""), parameters, file };
  cache.set(request, call);
  return call;
}

export function parameter(request: TwinRequest, name: string): string {
  return callOf(request).parameters.get(name) ?? "";
}
