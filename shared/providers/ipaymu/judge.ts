import { z } from "zod";
import type { Failure, Judge } from "../http.ts";
import { addressIn, failureOfStatus } from "../provider-error.ts";

const Told = z.object({
  Status: z.union([z.number(), z.string()]).transform(String),
  Message: z.string().nullish().catch(null),
});

/**
 * Judges an answer by the body's `Status`, which is 200 for success and nothing else (providers/ipaymu.md §1); the HTTP
 * status may say something kinder.
 */
export const judge: Judge = ({ status, body }) => {
  const told = Told.safeParse(body);
  if (!told.success) return null;
  const { Status: code, Message } = told.data;
  const address = refusedAddress(Message ?? "");
  if (address) {
    const seenAddress = addressIn(Message ?? "");
    return { ...CERTAIN, kind: "unauthorised", status, code: address, seenAddress };
  }
  if (code === "200") return null;
  const failure: Partial<Failure> = failureOfStatus(Number(code)) ?? DOUBTFUL;
  return { ...failure, status, code };
};

const CERTAIN = { retryable: false, outcome: "not_done" } as const;
const DOUBTFUL = { kind: "bad_answer", retryable: false, outcome: "unknown" } as const;

/** In production the caller's address, and the domains in its URLs, must be registered with iPaymu. */
function refusedAddress(message: string): string | null {
  if (/invalid ip/i.test(message)) return "invalid_ip";
  return /invalid domain/i.test(message) ? "invalid_domain" : null;
}
