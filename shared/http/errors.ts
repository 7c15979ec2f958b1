/** Every way a request can fail, and the status it answers with. Domains throw codes, never statuses. */
export const STATUS_OF = {
  invalid_input: 400,
  invalid_json: 400,
  unauthenticated: 401,
  insufficient_balance: 400,
  promo_refused: 400,
  order_refused: 400,
  bad_token: 403,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  in_progress: 409,
  sold_out: 409,
  changed: 409,
  too_large: 413,
  unsupported_type: 415,
  idempotency_mismatch: 422,
  rate_limited: 429,
  locked_out: 429,
  internal: 500,
  provider_failed: 500,
  provider_unavailable: 503,
  unavailable: 503,
  not_configured: 503,
} as const satisfies Record<string, number>;

export type ErrorCode = keyof typeof STATUS_OF;

export interface ErrorOptions {
  /** Extra keys for the caller, beside the message (for example `needed`, `current`, `order_id`). */
  meta?: Record<string, unknown>;
  /** What went wrong, for the log only. */
  cause?: unknown;
}

/** A failure with words that its reader may see. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly meta: Record<string, unknown>;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.meta = options.meta ?? {};
  }

  get status(): (typeof STATUS_OF)[ErrorCode] {
    return STATUS_OF[this.code];
  }
}

export function isErrorCode(value: string): value is ErrorCode {
  return Object.hasOwn(STATUS_OF, value);
}

/** One field of the input is wrong, for a reason that its schema cannot see; forms show the words beside it. */
export const wrongField = (field: string, words: string) =>
  new AppError("invalid_input", `${field}: ${words}`, { meta: { fields: { [field]: words } } });

/** The same words for "missing" and "somebody else's", so that ids cannot be probed. */
export const notFound = (message: string) => new AppError("not_found", message);
