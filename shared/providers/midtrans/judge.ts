import { z } from "zod";
import type { Failure, Judge } from "../http.ts";

const Coded = z.object({ status_code: z.union([z.string(), z.number()]).transform(String) });

/**
 * Judges a Core API answer by the body's `status_code`: the HTTP status may be 200 while the body is an error, and
 * an expired order speaks in 407 (providers/midtrans.md §4). `accepted` are the codes that this call succeeds with.
 */
export function judgeCore(accepted: readonly string[]): Judge {
  return ({ status, body }) => {
    if (status === 202) return STILL_RUNNING;
    const coded = Coded.safeParse(body);
    if (!coded.success) return null;
    const code = coded.data.status_code;
    return accepted.includes(code) ? "success" : failureOfCode(code);
  };
}

/** The first call under the same `Idempotency-Key` has not finished (providers/midtrans.md §7). */
const STILL_RUNNING: Partial<Failure> = {
  kind: "unavailable",
  retryable: true,
  outcome: "unknown",
  code: "in_progress",
};

function failureOfCode(code: string): Partial<Failure> {
  const no = { retryable: false, outcome: "not_done", code } as const;
  if (!/^[2-5]\d\d$/.test(code)) return { ...no, kind: "bad_answer", outcome: "unknown" };
  if (code >= "500") return { kind: "unavailable", retryable: true, outcome: "unknown", code };
  switch (code) {
    case "400":
      return { ...no, kind: "invalid" };
    case "401":
      return { ...no, kind: "unauthorised" };
    case "406":
      // The reference is taken, and who took it may be an earlier try of ours: ask, do not assume.
      return { ...no, kind: "refused", outcome: "unknown" };
    case "429":
      return { ...no, kind: "rate_limited", retryable: true };
    case "202":
      return { ...no, kind: "refused" };
    default:
      // A success that this call does not know leaves open what was done.
      return code < "400"
        ? { ...no, kind: "bad_answer", outcome: "unknown" }
        : { ...no, kind: "refused" };
  }
}

const SnapErrors = z.object({ error_messages: z.array(z.string()).min(1) });

/** Judges a Snap answer, whose errors are texts: only "this order id is used" matters beside the status. */
export const judgeSnap: Judge = ({ status, body }) => {
  const errors = SnapErrors.safeParse(body);
  if (!errors.success) return null;
  const taken = errors.data.error_messages.some(
    (text) => /order_id/i.test(text) && /taken|used|utilized|digunakan/i.test(text),
  );
  if (taken) return { kind: "refused", outcome: "unknown", retryable: false, code: "duplicate" };
  return status < 300 ? { kind: "refused", outcome: "not_done", retryable: false } : {};
};
