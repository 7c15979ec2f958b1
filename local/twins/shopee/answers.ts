import { randomBytes } from "node:crypto";
import type { Json } from "../common/fields.ts";
import { json, type TwinAnswer } from "../common/server.ts";

function requestId(): string {
  return randomBytes(16).toString("hex");
}

/** shopee.md section 6: an empty `error` is success, whatever the HTTP status. */
export function good(response: Json, warning = ""): TwinAnswer {
  return json(200, { error: "", message: "", warning, request_id: requestId(), response });
}

/** Token calls answer at top level. */
export function goodFlat(fields: Json): TwinAnswer {
  return json(200, { ...fields, request_id: requestId(), error: "", message: "" });
}

export function bad(error: string, message: string, status = 200): TwinAnswer {
  return json(status, { error, message, warning: "", request_id: requestId() });
}

export function badParam(words: string): TwinAnswer {
  return bad("error_param", `Wrong parameters, detail: ${words}.`);
}
