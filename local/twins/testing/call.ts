export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test asserts the shape it reads
  body: any;
}

/** One call of a twin; `json` undefined sends no body. */
export async function call(
  method: string,
  url: string,
  json?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    redirect: "manual",
    headers: { ...(json === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json") ?? false;
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : null,
  };
}

let made = 0;

/** An order id that no other test has. */
export function newOrderId(prefix = "T"): string {
  made += 1;
  return `${prefix}${Date.now().toString(36)}${made}`.toUpperCase();
}
