/** How far the clocks of an agent and the edge may lie apart. */
export const SIGNATURE_WINDOW_MS = 60_000;

export const SIGNATURE_HEADERS = {
  server: "x-agent-server",
  time: "x-agent-time",
  nonce: "x-agent-nonce",
  signature: "x-agent-signature",
} as const;

export interface SignedMoment {
  /** Host (and port) of the address that is called, so that a signature serves nowhere else. */
  host: string;
  server: string;
  /** Milliseconds since 1970. */
  time: number;
  nonce: string;
}

/** What an agent signs to connect. */
export const connectText = ({ host, server, time, nonce }: SignedMoment): string =>
  `nusantarad-connect\n${host}\n${server}\n${time}\n${nonce}`;

/** What an agent signs for an HTTP call of its own. `body` is the SHA-256 of its body in hex, or `stream`. */
export const callText = (
  { host, server, time, nonce }: SignedMoment,
  call: { method: string; path: string; body: string },
): string =>
  `nusantarad-call\n${host}\n${server}\n${time}\n${nonce}\n${call.method}\n${call.path}\n${call.body}`;
