import { describeThrown, type Fetch } from "../http-exchange.ts";
import { failureOfStatus, ProviderError } from "../provider-error.ts";

const PROVIDER = "replicate";

interface Line {
  baseUrl: string;
  timeoutMs: number;
  fetch: Fetch;
}

/**
 * Reads an output: only from `replicate.delivery`, its subdomains and the configured host itself, without our token and
 * without following redirects, and never more than `maxBytes`. Null: it has been deleted.
 */
export async function fetchOutput(
  line: Line,
  url: string,
  maxBytes: number,
): Promise<Uint8Array | null> {
  const fail = (why: string, retryable: boolean) =>
    new ProviderError(
      PROVIDER,
      { kind: retryable ? "unavailable" : "bad_answer", retryable, outcome: "not_done" },
      `replicate GET output: ${why}`,
    );
  if (!isOwnHost(url, line.baseUrl)) throw fail("the output lies on a foreign host", false);
  try {
    const signal = AbortSignal.timeout(line.timeoutMs);
    const response = await line.fetch(url, { method: "GET", redirect: "manual", signal });
    const failure = failureOfStatus(response.status);
    if (failure) await response.body?.cancel();
    if (response.status === 404 || response.status === 410) return null;
    if (failure) throw fail(`status ${response.status}`, failure.retryable);
    const bytes = await bounded(response, maxBytes);
    if (bytes === null) throw fail("the output is too large", false);
    return bytes;
  } catch (error) {
    if (error instanceof ProviderError) throw error;
    throw fail(describeThrown(error).label, true);
  }
}

function isOwnHost(url: string, baseUrl: string): boolean {
  const parsed = URL.parse(url);
  if (!parsed || parsed.username || parsed.password) return false;
  if (parsed.origin === URL.parse(baseUrl)?.origin) return true;
  const { protocol, hostname, port } = parsed;
  const isDelivery = hostname === "replicate.delivery" || hostname.endsWith(".replicate.delivery");
  return isDelivery && protocol === "https:" && port === "";
}

async function bounded(response: Response, maxBytes: number): Promise<Uint8Array | null> {
  if (!response.body) return new Uint8Array();
  const reader = response.body.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.byteLength;
    if (length > maxBytes) {
      await reader.cancel().catch(() => undefined);
      return null;
    }
    parts.push(value);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
