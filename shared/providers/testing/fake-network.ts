import type { Fetch } from "../http.ts";

export interface SentRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  /** The body exactly as it would go on the wire, or null. */
  body: string | null;
  redirect: string | undefined;
  /** A body that was sent as bytes. */
  bytes?: Uint8Array;
}

export type Reply = (request: SentRequest, signal: AbortSignal | null) => Promise<Response>;

/** A network that knows only the requests it was told of, in their order; anything else fails the test. */
export class FakeNetwork {
  sent: SentRequest[] = [];
  #unmatched: string[] = [];
  #expected: { method: string; url: string; reply: Reply }[] = [];

  on(method: string, url: string, reply: Reply): this {
    this.#expected.push({ method, url, reply });
    return this;
  }

  readonly fetch: Fetch = async (input, init) => {
    const headers = Object.fromEntries(new Headers(init.headers).entries());
    const body = typeof init.body === "string" ? init.body : null;
    const method = init.method ?? "GET";
    const request: SentRequest = { method, url: input, headers, body, redirect: init.redirect };
    if (init.body instanceof Uint8Array) request.bytes = init.body;
    this.sent.push(request);
    const next = this.#expected[0];
    if (next?.method !== method || next.url !== input) {
      this.#unmatched.push(`${method} ${input}`);
      throw new Error(`nobody expected ${method} ${input}`);
    }
    this.#expected.shift();
    return await next.reply(request, init.signal ?? null);
  };

  /** The JSON of the first request that was sent. */
  firstJson(): unknown {
    return JSON.parse(this.sent[0]?.body ?? "null");
  }

  /** Empties the network; throws when a request never came or came unexpected. For `afterEach`. */
  verify(): void {
    const missing = this.#expected.map(({ method, url }) => `missing ${method} ${url}`);
    const wrong = [...missing, ...this.#unmatched.map((request) => `unmatched ${request}`)];
    this.sent = [];
    this.#unmatched = [];
    this.#expected = [];
    if (wrong.length > 0) throw new Error(wrong.join(", "));
  }
}

/** An answer with a JSON body; a string is sent as it is. */
export function answer(status: number, body: unknown, headers: Record<string, string> = {}): Reply {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const type = typeof body === "string" ? "text/html" : "application/json";
  return async () => new Response(text, { status, headers: { "content-type": type, ...headers } });
}

/** More than a client will read, sent piece by piece and without a length. */
export const oversized: Reply = async () => {
  const piece = new TextEncoder().encode(`"${"x".repeat(99_998)}"`);
  let left = 30;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      left -= 1;
      if (left < 0) controller.close();
      else controller.enqueue(piece);
    },
  });
  return new Response(body, { status: 200 });
};

/** Never answers, and does not even listen to being called off. */
export const silent: Reply = () => new Promise<Response>(() => undefined);

/** Sends its head at once and the end of its body never. */
export const stuckInBody: Reply = async () => {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('{"status":'));
    },
  });
  return new Response(body, { status: 200 });
};

/** A failure of `fetch` itself, in the form of Node's. */
export function broken(code: string | null): Reply {
  return async () => {
    throw new TypeError("fetch failed", code === null ? {} : { cause: { code } });
  };
}
