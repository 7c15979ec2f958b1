import type { TwinRequest } from "../common/server.ts";

export type Form = Record<string, string>;

/** The fields of a form, either encoding; null when the body is none (JSON is not read). */
export async function readForm(request: TwinRequest): Promise<Form | null> {
  const type = request.header("content-type") ?? "";
  if (type.startsWith("application/x-www-form-urlencoded")) {
    return Object.fromEntries(new URLSearchParams(request.raw));
  }
  if (!type.startsWith("multipart/form-data")) return null;
  try {
    const data = await new Response(request.raw, { headers: { "content-type": type } }).formData();
    const fields: Form = {};
    for (const [name, value] of data) if (typeof value === "string") fields[name] = value;
    return fields;
  } catch {
    return null;
  }
}

/** What a request says, readable: for the `match` of dials, which would not see through `%40`. */
export function readable(request: TwinRequest): string {
  const type = request.header("content-type") ?? "";
  if (!type.startsWith("application/x-www-form-urlencoded")) return request.raw;
  return Object.values(Object.fromEntries(new URLSearchParams(request.raw))).join("\n");
}
