/** What a call is made with; `timeoutMs` tells a relay how long its caller waits. */
export interface FetchInit extends RequestInit {
  timeoutMs?: number;
}

/** The part of `fetch` that providers use; injected, so that tests and the platform each bring their own. */
export type Fetch = (input: string, init: FetchInit) => Promise<Response>;

export interface Answer {
  status: number;
  headers: Headers;
  /** The body as text, or null when it is larger than allowed. */
  text: string | null;
}

/** One HTTP exchange within `timeoutMs`, the reading of the body included. */
export async function exchange(
  send: Fetch,
  url: string,
  init: RequestInit,
  limits: { timeoutMs: number; maxBytes: number },
): Promise<Answer> {
  const signal = AbortSignal.timeout(limits.timeoutMs);
  return await within(
    signal,
    read(send, url, { ...init, signal, timeoutMs: limits.timeoutMs }, limits.maxBytes),
  );
}

async function read(send: Fetch, url: string, init: FetchInit, maxBytes: number): Promise<Answer> {
  const response = await send(url, init);
  const { status, headers } = response;
  return { status, headers, text: await boundedText(response, maxBytes) };
}

async function boundedText(response: Response, maxBytes: number): Promise<string | null> {
  if (!response.body) return "";
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let total = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    total += value.byteLength;
    if (total > maxBytes) {
      await reader.cancel().catch(() => undefined);
      return null;
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** Rejects when the signal fires, also when the work itself does not listen to it. */
function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/** The code of a failure at the relay (relay.ts) before the provider was called. */
export const RELAY_NOT_SENT = "RELAY_NOT_SENT";

/** Failures of Node's `fetch` that happen before a byte of the request has left. */
const BEFORE_SENDING = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
  RELAY_NOT_SENT,
]);

/** What a thrown `fetch` says about the request. workerd gives no code, which leaves the effect in doubt. */
export function describeThrown(error: unknown): {
  timedOut: boolean;
  sent: boolean;
  label: string;
} {
  const name = error instanceof Error ? error.name : typeof error;
  const code = codeOf(error) ?? (error instanceof Error ? codeOf(error.cause) : undefined);
  return {
    timedOut: name === "TimeoutError",
    sent: code === undefined || !BEFORE_SENDING.has(code),
    label: code ?? name,
  };
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
