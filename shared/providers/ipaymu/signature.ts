import { hmacSha256Hex, sha256Hex } from "../../crypto/index.ts";
import { formatWib } from "../wib-time.ts";

/** One iPaymu account: its number and the key that goes with it. */
export interface Account {
  va: string;
  apiKey: string;
}

/**
 * The signature of a request (providers/ipaymu.md §2) over the exact bytes of its body. A GET without a query signs
 * the two characters `{}`.
 */
export async function signRequest(
  { va, apiKey }: Account,
  method: "GET" | "POST",
  bodyJson: string,
): Promise<string> {
  const bodyHash = await sha256Hex(bodyJson);
  return await hmacSha256Hex(apiKey, `${method}:${va}:${bodyHash}:${apiKey}`);
}

/** The headers of a request. The time is not signed. */
export async function requestHeaders(
  account: Account,
  method: "GET" | "POST",
  bodyJson: string,
  now: Date,
): Promise<Record<string, string>> {
  return {
    va: account.va,
    signature: await signRequest(account, method, bodyJson),
    timestamp: formatWib(now).replace(/\D/g, ""),
  };
}
