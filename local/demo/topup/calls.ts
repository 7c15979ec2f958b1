import { tryRequest } from "../http.ts";
import type { Tell } from "../narrator.ts";

/** What a signed-in person may ask with. */
export interface Caller {
  token: string;
}

interface Said {
  success?: boolean;
  message?: string;
}

/** One request of the top-up routes, whose answers say `success` beside what they carry. */
export async function ask<T>(
  tell: Tell,
  path: string,
  { token }: Caller,
  json?: unknown,
): Promise<T> {
  const method = json === undefined ? "GET" : "POST";
  const { status, body } = await tryRequest<unknown>(tell.app, path, { method, token, json });
  const { success, message } = body as Said;
  if (success !== true) throw new Error(`${method} ${path} answered ${status}: ${message}`);
  return body as unknown as T;
}

/** The same, for a request that must be refused; answers with its status and words. */
export async function refusalOf(tell: Tell, path: string, { token }: Caller, json?: unknown) {
  const method = json === undefined ? "GET" : "POST";
  const { status, body } = await tryRequest<unknown>(tell.app, path, { method, token, json });
  if (status < 400) throw new Error(`${method} ${path} answered ${status}, it must be refused`);
  return { status, words: (body as Said).message ?? "" };
}

/** Does at the supplier's twin what a person would do there, or reads what it knows. */
export async function twin<T>(
  { vipReseller }: Tell,
  path: string,
  json?: unknown,
  method = json === undefined ? "GET" : "POST",
): Promise<T> {
  const headers = { "content-type": "application/json" };
  const body = json === undefined ? null : JSON.stringify(json);
  const response = await fetch(`${vipReseller}${path}`, { method, headers, body });
  const text = await response.text();
  if (!response.ok) throw new Error(`the twin's ${path} answered ${response.status}: ${text}`);
  return JSON.parse(text) as T;
}

/** Turns the twin's knobs for whatever names `target`, and nothing else. */
export async function dial(tell: Tell, target: string, dials: object): Promise<void> {
  await twin(tell, "/_dials", { ...dials, match: target }, "PUT");
}

export async function undial(tell: Tell, target: string): Promise<void> {
  await twin(tell, `/_dials?match=${encodeURIComponent(target)}`, undefined, "DELETE");
}

/** A purchase as the supplier's twin has it. */
export interface Purchase {
  trxid: string;
  data: string;
  status: string;
  price: number;
}

/** What the twin sold for a target. */
export async function purchasesOf(tell: Tell, target: string): Promise<Purchase[]> {
  const all = await twin<Purchase[]>(tell, "/_orders");
  return all.filter(({ data }) => data === target);
}
