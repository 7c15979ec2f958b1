export interface Answer<T> {
  status: number;
  body: { data: T; error: string | null; meta: Record<string, unknown> } & Record<string, unknown>;
}

export interface Call {
  method?: string;
  token?: string;
  json?: unknown;
  form?: FormData;
  headers?: Record<string, string>;
}

/** One request to the platform; anything but a 2xx ends the demo with its words. */
export async function request<T>(base: string, path: string, call: Call = {}): Promise<T> {
  const answer = await tryRequest<T>(base, path, call);
  if (answer.status >= 300) {
    throw new Error(
      `${call.method ?? "GET"} ${path} answered ${answer.status}: ${answer.body.error}`,
    );
  }
  return answer.body.data;
}

export async function tryRequest<T>(base: string, path: string, call: Call): Promise<Answer<T>> {
  const headers: Record<string, string> = { ...call.headers };
  if (call.token) headers.authorization = `Bearer ${call.token}`;
  if (call.json !== undefined) headers["content-type"] = "application/json";
  const body = call.form ?? (call.json === undefined ? null : JSON.stringify(call.json));
  const response = await fetch(`${base}${path}`, { method: call.method ?? "GET", headers, body });
  return { status: response.status, body: (await response.json()) as Answer<T>["body"] };
}

/** Asks again until `accept` is content; the wait is bounded. */
export async function until<T>(
  what: string,
  ask: () => Promise<T>,
  accept: (value: T) => boolean,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await ask();
    if (accept(value)) return value;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs / 1000} s for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
