import { expect } from "vitest";
import { type FailureKind, type Outcome, ProviderError } from "../http.ts";
import { MarketplaceError } from "../marketplace/error.ts";
import { answer, broken, oversized, type Reply, silent } from "./fake-network.ts";

/** The error of a call that has to fail as a `ProviderError`. */
export async function failureOf(call: Promise<unknown>): Promise<ProviderError> {
  const error: unknown = await call.then(
    () => "no error",
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ProviderError);
  if (!(error instanceof ProviderError)) throw new Error("the call did not fail as it should");
  return error;
}

export interface Mishap {
  name: string;
  reply: Reply;
  kind: FailureKind;
  outcome: Outcome;
  retryable: boolean;
}

const certain = { outcome: "not_done", retryable: false } as const;
const doubtful = { outcome: "unknown", retryable: true } as const;

/** What goes wrong alike with every provider, and how every client has to report it. */
export const MISHAPS: Mishap[] = [
  { name: "silence", reply: silent, kind: "timeout", ...doubtful },
  { name: "a web page", reply: answer(200, "<html>"), kind: "bad_answer", ...doubtful },
  { name: "an empty answer", reply: answer(200, ""), kind: "bad_answer", ...doubtful },
  { name: "another shape", reply: answer(200, [1]), kind: "bad_answer", ...doubtful },
  { name: "too much", reply: oversized, kind: "bad_answer", ...doubtful },
  { name: "a 500", reply: answer(500, { status: false }), kind: "unavailable", ...doubtful },
  { name: "a gateway's 503", reply: answer(503, "busy"), kind: "unavailable", ...doubtful },
  { name: "a lost connection", reply: broken(null), kind: "unavailable", ...doubtful },
  {
    name: "a closed port",
    reply: broken("ECONNREFUSED"),
    kind: "unavailable",
    outcome: "not_done",
    retryable: true,
  },
  { name: "a wrong key", reply: answer(401, "denied"), kind: "unauthorised", ...certain },
  {
    name: "too many calls",
    reply: answer(429, "slow down", { "retry-after": "60" }),
    kind: "rate_limited",
    outcome: "not_done",
    retryable: true,
  },
  {
    name: "a redirect",
    reply: answer(302, "", { location: "https://elsewhere.example/" }),
    kind: "bad_answer",
    outcome: "unknown",
    retryable: false,
  },
];

/** The same for a call to a marketplace. */
export async function marketFailureOf(call: Promise<unknown>): Promise<MarketplaceError> {
  const error = await failureOf(call);
  if (!(error instanceof MarketplaceError)) throw new Error("the failure has no fault");
  return error;
}
