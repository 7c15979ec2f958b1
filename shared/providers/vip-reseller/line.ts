import { z } from "zod";
import { md5Hex } from "../../crypto/index.ts";
import { createHttp, type Fetch, type Judge } from "../http.ts";
import { invalidInput, ProviderError } from "../provider-error.ts";
import { clean, PROVIDER } from "./fields.ts";
import { busy, type Pace } from "./pace.ts";
import { failureOfText } from "./refusals.ts";

/** Whether there is still time for a request whose turn has come; one that may not leave ends as `busy`. */
export type MayLeave = () => boolean;

export type Endpoint = "profile" | "prepaid" | "game-feature" | "social-media";
export const ENDPOINTS = {
  prepaid: "prepaid",
  game: "game-feature",
  social: "social-media",
} as const satisfies Record<string, Endpoint>;

/** What every answer is wrapped in (providers/vip-reseller.md, "Response envelope"); `result` counts, not the status. */
export const Envelope = z.object({
  result: z.boolean(),
  data: z.unknown(),
  message: z
    .string()
    .nullish()
    .catch(null)
    .transform((value) => clean(value ?? "", 500)),
});
export type Envelope = z.output<typeof Envelope>;

type Fields = Record<string, string>;

interface AskOptions {
  maxBytes?: number;
  /** Somebody would like to see it, and waits for a turn no longer than this; undefined: the work needs it. */
  visitorMs?: number | undefined;
}

/** What the calls are made with. */
export interface Line {
  /** Sends once and never again, and not at all where its turn came too late. */
  order(endpoint: Endpoint, fields: Fields, mayLeave?: MayLeave): Promise<Envelope>;
  /** Sends, again after a passing failure, and returns the envelope whatever its `result`. */
  ask(endpoint: Endpoint, fields: Fields, options?: AskOptions): Promise<Envelope>;
  /** The same with a refusal thrown. */
  read(endpoint: Endpoint, fields: Fields): Promise<Envelope>;
  /** Repeats `attempt`, each time with a turn of its own, while it fails in passing. */
  patiently<T>(attempt: () => Promise<T>, visitorMs?: number): Promise<T>;
  /** The address and the signed form of a call, for answers too large for `read`. */
  prepare(endpoint: Endpoint, fields: Fields): { url: string; init: RequestInit };
  fetch: Fetch;
  timeoutMs: number;
}

export interface LineOptions {
  apiId: string;
  apiKey: string;
  baseUrl: string;
  timeoutMs: number;
  fetch: Fetch;
  pace: Pace;
  random?: () => number;
  sleep?: (ms: number) => Promise<void>;
}

const ATTEMPTS = 3;
const BACKOFF_BASE_MS = 500;
const BACKOFF_CAP_MS = 4_000;

/** An envelope is an answer whatever status it came with; anything else is left to the status. */
const judge: Judge = ({ body }) => (Envelope.safeParse(body).success ? "success" : null);

export function createLine(options: LineOptions): Line {
  const { apiId, apiKey, timeoutMs, pace, random = Math.random, sleep = pause } = options;
  const http = createHttp({ ...options, provider: PROVIDER, judge });
  const signed = (fields: Fields) => ({ key: apiKey, sign: md5Hex(apiId + apiKey), ...fields });
  const send = (endpoint: Endpoint, fields: Fields, maxBytes?: number) =>
    http.request({
      method: "POST",
      path: `/${endpoint}`,
      form: signed(fields),
      schema: Envelope,
      idempotent: false,
      ...(maxBytes === undefined ? {} : { maxBytes }),
    });

  async function patiently<T>(attempt: () => Promise<T>, visitorMs?: number): Promise<T> {
    const turn = () => (visitorMs === undefined ? pace("read") : pace("visitor", visitorMs));
    await turn();
    for (let made = 1; ; made += 1) {
      try {
        return await attempt();
      } catch (error) {
        if (!isPassing(error) || made >= ATTEMPTS) throw error;
        const step = Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** (made - 1));
        await sleep(Math.round(step / 2 + (random() * step) / 2));
        // Without another turn it ends as it failed.
        await turn().catch(() => {
          throw error;
        });
      }
    }
  }
  const line: Line = {
    async order(endpoint, fields, mayLeave = () => true) {
      await pace("order");
      if (!mayLeave()) throw busy("its turn came too late");
      return await send(endpoint, fields);
    },
    ask: (endpoint, fields, { maxBytes, visitorMs } = {}) =>
      patiently(() => send(endpoint, fields, maxBytes), visitorMs),
    read: (endpoint, fields) =>
      patiently(async () => {
        const envelope = await send(endpoint, fields);
        if (!envelope.result) throw refusedRead(envelope.message);
        return envelope;
      }),
    patiently,
    prepare: (endpoint, fields) => prepare(options.baseUrl, endpoint, signed(fields)),
    fetch: options.fetch,
    timeoutMs,
  };
  return line;
}

function prepare(baseUrl: string, endpoint: Endpoint, fields: Fields) {
  return {
    url: `${baseUrl.replace(/\/+$/, "")}/${endpoint}`,
    init: {
      method: "POST",
      redirect: "manual",
      headers: {
        accept: "application/json",
        "content-type": "application/x-www-form-urlencoded",
        "user-agent": "lumbung/1",
      },
      body: new URLSearchParams(fields).toString(),
    },
  } as const;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** After a timeout the caller has waited long enough; a long pause the supplier asks for is the caller's to keep. */
function isPassing(error: unknown): boolean {
  return (
    error instanceof ProviderError &&
    error.retryable &&
    error.kind !== "timeout" &&
    error.code !== "busy" &&
    (error.retryAfterMs ?? 0) <= BACKOFF_CAP_MS
  );
}

/** A read that the supplier refused. Its text stays out of the message: it may quote what was sent. */
export function refusedRead(message: string): ProviderError {
  const failure = failureOfText(message);
  const saw = failure.seenAddress ? `, it saw our address as ${failure.seenAddress}` : "";
  return new ProviderError(
    PROVIDER,
    { ...failure, outcome: "not_done" },
    `${PROVIDER}: refused, ${failure.code}${saw}`,
  );
}

/** An answer that says too little, or contradicts the question. */
export function badAnswer(what: string): ProviderError {
  const failure = { kind: "bad_answer", retryable: true, outcome: "unknown" } as const;
  return new ProviderError(PROVIDER, failure, `${PROVIDER}: ${what}`);
}

/** A value that goes into a form field: something, not endless, without control characters. */
export function field(name: string, value: string): string {
  const plain = value.trim();
  if (plain === "" || plain.length > 500 || /\p{Cc}/u.test(plain) || !plain.isWellFormed()) {
    throw invalidInput(PROVIDER, `${name} is empty, too long or not plain text`);
  }
  return plain;
}
