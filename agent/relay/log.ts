import type { Ask } from "./ask.ts";
import type { RelayFailure } from "./failures.ts";

export interface Log {
  call(done: { ask: Ask; status: number; sent: number; received: number; ms: number }): void;
  failure(failed: { ask: Ask | undefined; failure: RelayFailure; from: string; ms: number }): void;
}

/** Refusals of unsigned requests a minute that are written down; a flood of them shall not fill the disk. */
const mostRefusals = 60;

/** One JSON line per call: where to and how it went. No query, header or body is ever written, for keys travel there. */
export function jsonLog(write: (line: string) => void, now: () => number = Date.now): Log {
  let minute = 0;
  let refusals = 0;
  const line = (fields: Record<string, unknown>) =>
    write(JSON.stringify({ at: new Date(now()).toISOString(), ...fields }));
  const mayWrite = () => {
    const current = Math.floor(now() / 60_000);
    if (current !== minute) refusals = 0;
    minute = current;
    refusals += 1;
    return refusals <= mostRefusals;
  };
  const to = ({ method, target }: Ask) => ({ method, to: target.origin + target.pathname });
  return {
    call: ({ ask, status, sent, received, ms }) =>
      line({ ...to(ask), status, sent, received, ms: Math.round(ms) }),
    failure: ({ ask, failure, from, ms }) => {
      const { code, detail } = failure;
      const unsigned = ["bad_request", "too_large", "bad_signature"].includes(code);
      if (unsigned && !mayWrite()) return;
      // A stranger has chosen the target of an unsigned request; it is not repeated.
      const about = ask && !unsigned ? to(ask) : {};
      line({ ...about, error: code, detail, from, ms: Math.round(ms) });
    },
  };
}
