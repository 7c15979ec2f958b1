import { isObject, parseJson } from "../common/fields.ts";
import type { TwinRequest } from "../common/server.ts";
import { Raised } from "./answers.ts";

/** One call: query and form in one, as the panel reads them, and the file parts named `blob`. */
export interface Call {
  group: string;
  action: string;
  form: Record<string, string>;
  blobs: Buffer[];
  /** All that it says, and what is known about the thing it names: for the `match` of dials. */
  text: string;
}

/** `POST /site?action=AddSite` is group `site`, whatever else the path has. */
export function groupOf(request: TwinRequest): string {
  return request.path.split("/")[1] ?? "";
}

/** Query and urlencoded body, readable; a multipart body holds its texts as they are. */
export function readable(request: TwinRequest): string {
  const type = request.header("content-type") ?? "";
  if (!type.startsWith("application/x-www-form-urlencoded")) return "";
  return [...new URLSearchParams(request.raw).values()].join("\n");
}

/** The fields that a request carries outside of multipart. */
export function plainFields(request: TwinRequest): Record<string, string> {
  const fields: Record<string, string> = Object.fromEntries(request.query);
  const type = request.header("content-type") ?? "";
  if (type.startsWith("application/x-www-form-urlencoded")) {
    Object.assign(fields, Object.fromEntries(new URLSearchParams(request.raw)));
  } else if (type.startsWith("application/json")) {
    const body = parseJson(request.raw);
    for (const [name, value] of Object.entries(isObject(body) ? body : {})) {
      if (typeof value === "string" || typeof value === "number") fields[name] = String(value);
    }
  }
  return fields;
}

export async function readCall(request: TwinRequest, subject: string): Promise<Call> {
  const form = plainFields(request);
  const blobs: Buffer[] = [];
  const type = request.header("content-type") ?? "";
  if (type.startsWith("multipart/form-data")) {
    const parts = await multipart(request.bytes, type);
    for (const [name, value] of parts ?? []) {
      if (typeof value === "string") form[name] = value;
      else if (name === "blob") blobs.push(Buffer.from(await value.arrayBuffer()));
    }
  }
  const said = Object.values(form).join("\n");
  const text = `${request.path}?${request.query}\n${said}\n${subject}`;
  return { group: groupOf(request), action: form.action ?? "", form, blobs, text };
}

async function multipart(bytes: Buffer, type: string): Promise<FormData | null> {
  try {
    const body = new Uint8Array(bytes);
    return await new Response(body, { headers: { "content-type": type } }).formData();
  } catch {
    return null;
  }
}

/** A field without which the panel's handler raises. */
export function need(call: Call, name: string): string {
  const value = call.form[name];
  if (value === undefined) throw new Raised(`${call.action} without ${name}`);
  return value;
}

/** A whole number without which the panel's handler raises. */
export function needInt(call: Call, name: string): number {
  const value = need(call, name);
  if (!/^\d{1,15}$/.test(value)) throw new Raised(`${name} is no whole number`);
  return Number(value);
}

export function optional(call: Call, name: string, otherwise = ""): string {
  return call.form[name] ?? otherwise;
}
