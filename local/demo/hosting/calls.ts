import { tryRequest } from "../http.ts";
import type { Tell } from "../narrator.ts";

/** What a signed-in customer asks with. */
export interface Caller {
  token: string;
  email: string;
}

interface Said {
  error?: string;
}

/** One request of the hosting routes, which put what they carry beside `success`; a refusal ends the demo. */
export async function ask<T>(
  tell: Tell,
  path: string,
  caller: Caller | null,
  sent?: { json?: unknown; form?: FormData },
): Promise<T> {
  const method = sent ? "POST" : "GET";
  const token = caller ? { token: caller.token } : {};
  const { status, body } = await tryRequest<unknown>(tell.app, path, { method, ...token, ...sent });
  if (status < 300) return body as unknown as T;
  throw new Error(`${method} ${path} answered ${status}: ${(body as Said).error}`);
}

/** Does at a twin what a person would do there, or reads what it knows. */
export async function hand<T>(
  url: string,
  json?: unknown,
  method = json === undefined ? "GET" : "POST",
): Promise<T> {
  const headers = { "content-type": "application/json" };
  const body = json === undefined ? null : JSON.stringify(json);
  const response = await fetch(url, { method, headers, body });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
  return JSON.parse(text) as T;
}

export interface Mail {
  subject: string;
  text: string;
}

export const mailsTo = ({ resend }: Tell, { email }: Caller) =>
  hand<Mail[]>(`${resend}/_mails?to=${encodeURIComponent(email)}`);
