/** What the relay itself answers (docs/relay.md), and with which status. */
export const failures = {
  bad_request: 400,
  too_large: 413,
  bad_signature: 401,
  stale: 401,
  replayed: 409,
  forbidden_host: 403,
  busy: 503,
  unreachable: 502,
  broken: 502,
  timeout: 504,
} as const;

export type FailureCode = keyof typeof failures;

export class RelayFailure extends Error {
  readonly code: FailureCode;
  /** For the log: never a secret, never a query. */
  readonly detail: string;

  constructor(code: FailureCode, detail = "") {
    super(code);
    this.code = code;
    this.detail = detail;
  }
}
