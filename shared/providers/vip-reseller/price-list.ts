import { describeThrown } from "../http-exchange.ts";
import { failureOfStatus, ProviderError } from "../provider-error.ts";
import { PROVIDER } from "./fields.ts";
import { badAnswer, type Endpoint, Envelope, type Line, refusedRead } from "./line.ts";
import { RowSplitter } from "./row-splitter.ts";

/** A price list of 50,000 rows has 15 to 40 MB; what is far beyond that is no list. */
const MAX_BYTES = 200_000_000;

/** Where rows go: each as it comes, and time to put them away between two pieces of the answer. */
export interface RowSink {
  row(value: unknown): void;
  rest(): Promise<void>;
}

/**
 * Reads a `services` answer row by row as it arrives. Throws when the answer was no success, broke off or is not what
 * it should be: rows given before that do not count. Repeated only while no row was given.
 */
export async function streamRows(line: Line, endpoint: Endpoint, sink: RowSink): Promise<void> {
  let given = 0;
  const counted: RowSink = {
    row(value) {
      given += 1;
      sink.row(value);
    },
    rest: () => sink.rest(),
  };
  await line.patiently(async () => {
    try {
      await readOnce(line, endpoint, counted);
    } catch (error) {
      if (given > 0 && error instanceof ProviderError) throw final(error);
      throw error;
    }
  });
}

/** The same failure, not to be repeated by the line: its rows were taken already. */
function final(error: ProviderError): ProviderError {
  return new ProviderError(error.provider, { ...error, retryable: false }, error.message);
}

async function readOnce(line: Line, endpoint: Endpoint, sink: RowSink): Promise<void> {
  const patience = new Patience(line.timeoutMs);
  try {
    const { url, init } = line.prepare(endpoint, { type: "services" });
    const response = await patience.bounded(line.fetch(url, { ...init, signal: patience.signal }));
    const failure = failureOfStatus(response.status);
    if (failure) {
      await response.body?.cancel();
      throw new ProviderError(PROVIDER, failure, `${PROVIDER} services: status ${response.status}`);
    }
    const splitter = new RowSplitter();
    await readBody(response, splitter, patience, sink);
    checkRest(splitter.rest);
  } catch (error) {
    throw asProviderError(error, line.timeoutMs);
  } finally {
    patience.end();
  }
}

async function readBody(
  response: Response,
  splitter: RowSplitter,
  patience: Patience,
  sink: RowSink,
): Promise<void> {
  const reader = response.body?.getReader();
  if (!reader) return;
  const decoder = new TextDecoder();
  let total = 0;
  try {
    for (;;) {
      const { done, value } = await patience.bounded(reader.read());
      if (done) break;
      total += value.byteLength;
      if (total > MAX_BYTES) throw badAnswer("the list is too large");
      for (const text of splitter.push(decoder.decode(value, { stream: true }))) {
        sink.row(parsed(text));
      }
      await sink.rest();
    }
  } finally {
    // After a whole body this does nothing; before its end it lets the connection go.
    await reader.cancel().catch(() => undefined);
  }
}

function checkRest(rest: string): void {
  const envelope = Envelope.safeParse(parsed(rest));
  if (!envelope.success) throw badAnswer("the list is of another shape");
  if (!envelope.data.result) throw refusedRead(envelope.data.message);
  if (!Array.isArray(envelope.data.data)) throw badAnswer("a list without rows");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw badAnswer("the list is not JSON");
  }
}

function asProviderError(error: unknown, timeoutMs: number): unknown {
  if (error instanceof ProviderError) return error;
  if (error instanceof RangeError) return badAnswer("a row is too long");
  const { timedOut, sent, label } = describeThrown(error);
  // Anything that is no failure of the network is somebody else's: the database's, or a bug.
  if (!timedOut && !(error instanceof TypeError) && label !== "AbortError" && !isNetwork(error)) {
    return error;
  }
  return new ProviderError(
    PROVIDER,
    {
      kind: timedOut ? "timeout" : "unavailable",
      retryable: true,
      outcome: sent ? "unknown" : "not_done",
    },
    `${PROVIDER} services: ${timedOut ? `silent for ${timeoutMs} ms` : label}`,
  );
}

const isNetwork = (error: unknown) =>
  error instanceof Error && /network|connection|disconnect/i.test(error.message);

/** Ends what is silent for too long; the time in which rows are taken does not count. */
class Patience {
  readonly #controller = new AbortController();
  readonly #timeoutMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  async bounded<T>(work: Promise<T>): Promise<T> {
    return await new Promise<T>((resolve, reject) => {
      this.#timer = setTimeout(() => {
        const silence = new DOMException("silent for too long", "TimeoutError");
        this.#controller.abort(silence);
        reject(silence);
      }, this.#timeoutMs);
      work.then(resolve, reject);
    }).finally(() => this.end());
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
