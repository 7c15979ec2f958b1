import { createHash } from "node:crypto";

/** The one signature of requests and notices alike (vip-reseller.md): it binds neither body nor time. */
export function accountSign(apiId: string, apiKey: string): string {
  return createHash("md5")
    .update(apiId + apiKey)
    .digest("hex");
}
