import { json, type TwinAnswer, type TwinRequest } from "../common/server.ts";
import type { Resend } from "./engine.ts";

const defaultLimit = 5;

/** Counts requests by the second; past the limit (or by the dial `tooMany`) gives the answer 429. */
export function rateLimit(resend: Resend) {
  const limit = resend.options.perSecond ?? defaultLimit;
  let second = 0;
  let used = 0;
  return (
    request: TwinRequest,
  ): { headers: Record<string, string>; refused: TwinAnswer | null } => {
    const now = Math.floor(resend.clock() / 1000);
    if (now !== second) {
      second = now;
      used = 0;
    }
    used += 1;
    const headers = {
      "ratelimit-limit": String(limit),
      "ratelimit-remaining": String(Math.max(0, limit - used)),
      "ratelimit-reset": "1",
    };
    const dial = resend.dials.take("tooMany", request.raw, request.path);
    const over = resend.options.perSecond !== undefined && used > limit;
    if (!dial && !over) return { headers, refused: null };
    const name = typeof dial?.value === "string" ? dial.value : "rate_limit_exceeded";
    const answer = json(
      429,
      { statusCode: 429, name, message: "Too many requests." },
      { "retry-after": "1" },
    );
    return { headers: { ...headers, "ratelimit-remaining": "0" }, refused: answer };
  };
}
