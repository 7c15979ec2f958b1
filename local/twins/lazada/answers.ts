import { randomBytes } from "node:crypto";
import type { Json } from "../common/fields.ts";
import { json, type TwinAnswer } from "../common/server.ts";

export interface Detail {
  field: string;
  message: string;
  seller_sku?: string;
  sku_id?: string;
}

function requestId(): string {
  return `0b${randomBytes(15).toString("hex")}`;
}

/** lazada.md section 5: the text "0" is success. */
export function good(data: unknown): TwinAnswer {
  return json(200, { data, code: "0", request_id: requestId() });
}

/** Token and brand answers lie at top level. */
export function goodFlat(fields: Json): TwinAnswer {
  return json(200, { ...fields, code: "0", request_id: requestId() });
}

export type Blame = "SYSTEM" | "ISV" | "ISP";

/** Failures are HTTP 200 too. */
export function bad(
  code: string,
  message: string,
  { type = "ISV", detail, status = 200 }: { type?: Blame; detail?: Detail[]; status?: number } = {},
): TwinAnswer {
  const more = detail ? { detail } : {};
  return json(status, { code, type, message, ...more, request_id: requestId() });
}
