import type { z } from "zod";
import { type Answer, describeThrown, exchange, type Fetch } from "./http-exchange.ts";
import {
  type Failure,
  failureOfStatus,
  invalidInput,
  ProviderError,
  plainAddress,
  shortCode,
} from "./provider-error.ts";

export type { Fetch, FetchInit } from "./http-exchange.ts";
export { type Failure, type FailureKind, type Outcome, ProviderError } from "./provider-error.ts";

const MAX_BYTES = 1_000_000;
const DEFAULT_RETRIES = 2;
const BACKOFF_BASE_MS = 200;
const BACKOFF_CAP_MS = 2_000;
/** A longer pause is the caller's to keep (a queue, a job): no request waits for it. */
const LONGEST_PAUSE_MS = 5_000;
const LONGEST_RETRY_AFTER_MS = 3_600_000;

/**
 * Reads the provider's own verdict out of an answer: a failure, `success` where the status speaks against it, or null
 * to leave it to the status. Never asked about a redirect or a 5xx, after which the effect is in doubt anyway.
 */
export type Judge = (answer: {
  status: number;
  body: unknown;
}) => Partial<Failure> | "success" | null;

export interface HttpOptions {
  provider: string;
  /** Scheme, host and optional path prefix that every request stays below. */
  baseUrl: string;
  /** For each attempt, connection to last byte. */
  timeoutMs: number;
  fetch: Fetch;
  headers?: Record<string, string>;
  judge?: Judge;
  random?: () => number;
  sleep?: (ms: number) => Promise<void>;
  now?: () => Date;
  /** In place of `JSON.parse`, for providers whose numbers do not fit into one of ours. */
  parse?: (text: string) => unknown;
}

export interface HttpRequest<T> {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below the base, with every id already escaped. */
  path: string;
  query?: Record<string, string>;
  json?: unknown;
  /** Fields of a form (`application/x-www-form-urlencoded`), in place of `json`. */
  form?: Record<string, string>;
  /** A body that is ready to be sent, in place of `json`. */
  raw?: { type: string; bytes: Uint8Array<ArrayBuffer> };
  headers?: Record<string, string>;
  schema: z.ZodType<T>;
  /** Whether a repeat has no further effect. Only then is the call repeated here, and not after a timeout. */
  idempotent: boolean;
  retries?: number;
  /** Awaited before every attempt (a pace, say); what it throws ends the request. */
  before?: () => Promise<void>;
  judge?: Judge;
  /** In place of the client's own. */
  timeoutMs?: number;
  /** The longest answer that is read; a million bytes by default. */
  maxBytes?: number;
}

export interface Http {
  /** Sends, checks and parses one call. Throws `ProviderError` and nothing else. */
  request<T>(request: HttpRequest<T>): Promise<T>;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/**
 * The one HTTP client below every provider: a timeout on each attempt, bounded retries with full jitter for
 * idempotent calls only, bounded answers, no redirects, and every answer parsed.
 */
export function createHttp(options: HttpOptions): Http {
  const { random = Math.random, sleep = pause } = options;

  return {
    async request<T>(request: HttpRequest<T>): Promise<T> {
      const prepared = prepare(options, request);
      const retries = request.idempotent ? (request.retries ?? DEFAULT_RETRIES) : 0;
      let inDoubt = false;
      for (let attempt = 0; ; attempt += 1) {
        await request.before?.();
        try {
          return await once(options, request, prepared);
        } catch (error) {
          if (!(error instanceof ProviderError)) throw error;
          inDoubt ||= error.outcome === "unknown";
          const waitMs = error.retryAfterMs ?? backoffMs(attempt, random);
          // After a timeout the caller has waited long enough, and the provider is busy enough.
          const hopeful = error.retryable && error.kind !== "timeout";
          if (!hopeful || attempt >= retries || waitMs > LONGEST_PAUSE_MS) {
            // "Already done" after a timed-out attempt is our own first attempt speaking.
            throw inDoubt ? error.inDoubt() : error;
          }
          await sleep(waitMs);
        }
      }
    },
  };
}

/** Full jitter: anything between nothing and the exponential step. */
function backoffMs(attempt: number, random: () => number): number {
  return Math.round(random() * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** attempt));
}

interface Prepared {
  url: string;
  init: RequestInit;
  /** Names the call in messages, without its query. */
  label: string;
}

function prepare(options: HttpOptions, request: HttpRequest<unknown>): Prepared {
  const { provider } = options;
  const base = URL.parse(options.baseUrl);
  if (base?.protocol !== "https:" && base?.protocol !== "http:") {
    throw invalidInput(provider, "the base address is not an http address");
  }
  const path = base.pathname.replace(/\/+$/, "") + request.path;
  const url = new URL(base.origin);
  url.pathname = path;
  // A dot segment or an unescaped mark in an id would move the call to another resource.
  if (url.pathname !== path) throw invalidInput(provider, "the path is not in plain form");
  for (const [name, value] of Object.entries(request.query ?? {})) {
    url.searchParams.set(name, value);
  }
  const init: RequestInit = { method: request.method, redirect: "manual" };
  const headers = { accept: "application/json", "user-agent": "lumbung/1", ...options.headers };
  try {
    const sent = new Headers({ ...headers, ...request.headers });
    if (request.json !== undefined) {
      sent.set("content-type", "application/json");
      init.body = JSON.stringify(request.json);
    } else if (request.form !== undefined) {
      sent.set("content-type", "application/x-www-form-urlencoded");
      init.body = new URLSearchParams(request.form).toString();
    } else if (request.raw !== undefined) {
      sent.set("content-type", request.raw.type);
      init.body = request.raw.bytes;
    }
    init.headers = sent;
  } catch {
    // The thrown text would quote the header's value, which may be a secret.
    throw invalidInput(provider, "a header or the body cannot be written");
  }
  return { url: url.href, init, label: `${provider} ${request.method} ${request.path}` };
}

async function once<T>(options: HttpOptions, request: HttpRequest<T>, call: Prepared): Promise<T> {
  const fail = (failure: Failure, why: string) =>
    new ProviderError(options.provider, failure, `${call.label}: ${failure.kind}, ${why}`);
  const { fetch: send } = options;
  const timeoutMs = request.timeoutMs ?? options.timeoutMs;
  let answer: Answer;
  try {
    answer = await exchange(send, call.url, call.init, {
      timeoutMs,
      maxBytes: request.maxBytes ?? MAX_BYTES,
    });
  } catch (error) {
    const { timedOut, sent, label } = describeThrown(error);
    const kind = timedOut ? "timeout" : "unavailable";
    const outcome = sent ? "unknown" : "not_done";
    throw fail({ kind, retryable: true, outcome }, timedOut ? `after ${timeoutMs} ms` : label);
  }

  const { status } = answer;
  const body = parsed(answer.text, options.parse);
  const failure = failureOf(options, request, answer, body);
  if (failure) throw fail(failure, wordsOf(failure));

  const rubbish: Failure = { kind: "bad_answer", retryable: true, outcome: "unknown", status };
  if (answer.text === null) throw fail(rubbish, "the answer is too large");
  if (body === undefined) throw fail(rubbish, "the answer is not JSON");
  const read = request.schema.safeParse(body);
  if (read.success) return read.data;
  const where = read.error.issues.map((issue) => `${issue.path.join(".")} ${issue.code}`);
  throw fail(rubbish, `unexpected shape: ${where.slice(0, 5).join("; ")}`);
}

function wordsOf({ status, code, seenAddress }: Failure): string {
  const saw = seenAddress === undefined ? "" : `, it saw our address as ${seenAddress}`;
  return `status ${status}, code ${code ?? "none"}${saw}`;
}

function failureOf(
  options: HttpOptions,
  request: HttpRequest<unknown>,
  answer: Answer,
  body: unknown,
): Failure | null {
  const { status } = answer;
  const byStatus = failureOfStatus(status);
  const judge = request.judge ?? options.judge;
  const judgeable = body !== undefined && status < 500 && (status < 300 || status >= 400);
  const judged = judge && judgeable ? judge({ status, body }) : null;
  if (judged === "success" || (!byStatus && !judged)) return null;
  const fallback: Failure = { kind: "refused", retryable: false, outcome: "not_done", status };
  const failure: Failure = { ...(byStatus ?? fallback), ...judged };
  const asked = retryAfterMs(answer.headers, (options.now?.() ?? new Date()).getTime());
  return {
    ...failure,
    code: shortCode(failure.code),
    seenAddress: plainAddress(failure.seenAddress),
    retryAfterMs: asked ?? failure.retryAfterMs,
  };
}

function parsed(text: string | null, parse: (text: string) => unknown = JSON.parse): unknown {
  if (text === null) return undefined;
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

/** `Retry-After` in seconds or as a date (RFC 9110 section 10.2.3), capped at an hour. */
function retryAfterMs(headers: Headers, nowMs: number): number | undefined {
  const value = headers.get("retry-after")?.trim();
  if (!value) return undefined;
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), LONGEST_RETRY_AFTER_MS);
}
