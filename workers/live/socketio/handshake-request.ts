import { z } from "zod";
import { connectingAddress } from "../../../shared/http/caller.ts";

/** What is kept of the request that opened a session; at most 4 KB, of what is longer nothing is kept. */
export const HandshakeRequest = z.object({
  headers: z.record(z.string(), z.string()),
  query: z.record(z.string(), z.string()),
  address: z.string(),
});
export type HandshakeRequest = z.infer<typeof HandshakeRequest>;

const MAX_VALUE_CHARS = 2_048;
const MAX_CHARS = 4_096;

/** The parts of a request that a session keeps. */
export function keepOf(request: Request, headerNames: readonly string[]): HandshakeRequest {
  let left = MAX_CHARS;
  const fits = (value: string | null): value is string => {
    if (!value || value.length > MAX_VALUE_CHARS || value.length > left) return false;
    left -= value.length;
    return true;
  };
  const headers: [string, string][] = [];
  for (const name of headerNames) {
    const value = request.headers.get(name);
    if (fits(value)) headers.push([name.toLowerCase(), value]);
  }
  const query = [...new URL(request.url).searchParams].filter(
    ([name, value]) => !PROTOCOL_KEYS.has(name) && name.length < 64 && fits(value),
  );
  return {
    headers: Object.fromEntries(headers),
    query: Object.fromEntries(query),
    address: connectingAddress(request) ?? "",
  };
}

const PROTOCOL_KEYS = new Set(["EIO", "transport", "sid", "t", "b64"]);
