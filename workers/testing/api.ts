import { env, exports } from "cloudflare:workers";
import { inject } from "vitest";
import { loadConfig } from "../../shared/config/config.ts";
import { type Actor, type Ctx, createContext } from "../../shared/context.ts";
import { providersOf } from "../../shared/providers/index.ts";
import { noteRequest } from "./round-trips.ts";

export interface TestAnswer {
  status: number;
  headers: Headers;
  /** The parsed body; tests state its shape by what they expect of it. */
  // biome-ignore lint/suspicious/noExplicitAny: a test asserts the shape it reads
  body: any;
}

export interface TestCall {
  method?: string;
  token?: string;
  json?: unknown;
  body?: BodyInit;
  headers?: Record<string, string>;
  /** Default: an address of its own, so that no test meets another's rate limit. */
  address?: string;
}

/** The address that the platform would report; each call of the test has its own unless it names one. */
export function randomAddress(): string {
  const part = () => Math.floor(Math.random() * 65_536).toString(16);
  return `2001:db8:${part()}:${part()}:${part()}:${part()}:${part()}:${part()}`;
}

/** One request to the Worker under test, as the platform would hand it over. */
export async function api(path: string, call: TestCall = {}): Promise<TestAnswer> {
  const response = await fetchWorker(path, call);
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json");
  return {
    status: response.status,
    headers: response.headers,
    body: isJson ? JSON.parse(text) : text,
  };
}

/** The same, with the raw response; `path` may be a whole URL (a store's host). */
export async function fetchWorker(path: string, call: TestCall = {}): Promise<Response> {
  const headers = new Headers(call.headers);
  headers.set("cf-connecting-ip", call.address ?? randomAddress());
  if (call.token) headers.set("authorization", `Bearer ${call.token}`);
  if (call.json !== undefined) headers.set("content-type", "application/json");
  const body = call.json === undefined ? call.body : JSON.stringify(call.json);
  const url = path.startsWith("http") ? path : `http://localhost:8787${path}`;
  const init: RequestInit = { method: call.method ?? "GET", headers, redirect: "manual" };
  if (body !== undefined) init.body = body;
  const response = await exports.default.fetch(new Request(url, init));
  noteRequest(response.headers.get("x-request-id"));
  return response;
}

const unsettled = new Set<Promise<unknown>>();

/** A context for calling verbs directly, as the given actor; `patienceMs`: how long it waits for Postgres. */
export function testContext(actor: Actor | null = null, patienceMs?: number): Ctx {
  const requestId = crypto.randomUUID();
  noteRequest(requestId);
  const config = loadConfig(env);
  return createContext(env, {
    config: patienceMs === undefined ? config : { ...config, DATABASE_PATIENCE_MS: patienceMs },
    providers: providersOf,
    requestId,
    actor,
    waitUntil: (work) => {
      unsettled.add(work);
      void work.finally(() => unsettled.delete(work));
    },
  });
}

/** Waits for what `testContext` verbs left running behind their answer. */
export async function settleBackground(): Promise<void> {
  while (unsettled.size > 0) await Promise.allSettled([...unsettled]);
}

/** Where the stand-ins of this run listen: database endpoint, twins. */
export const standIns = () => inject("standIns");
