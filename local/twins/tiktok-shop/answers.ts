import { randomBytes } from "node:crypto";
import type { Json } from "../common/fields.ts";
import { json, type TwinAnswer } from "../common/server.ts";

function requestId(): string {
  return `2026${randomBytes(14).toString("hex").toUpperCase()}`;
}

/** tokopedia.md section 6: code 0 is success; failures of single items lie in `data.errors`. */
export function good(data: Json): TwinAnswer {
  return json(200, { code: 0, message: "Success", request_id: requestId(), data });
}

export function bad(
  code: number,
  message: string,
  { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> } = {},
): TwinAnswer {
  return json(status, { code, message, request_id: requestId(), data: {} }, headers);
}

/** Documented numbers (tokopedia.md section 6); `invalid` stands for the many that are not in it. */
export const codes = {
  tokenExpired: 105_002,
  otherUser: 101_000,
  badSignature: 106_001,
  noScope: 105_005,
  noCipher: 106_013,
  throttled: 36_009_002,
  internal: 36_009_003,
  misused: 36_009_004,
  notLeaf: 12_052_024,
  notYours: 12_052_048,
  noProduct: 12_052_032,
  warehouse: 12_019_022,
  invalid: 12_052_001,
  badGrant: 36_004_004,
} as const;

export function invalid(words: string): TwinAnswer {
  return bad(codes.invalid, words);
}
