import { timingSafeEqual } from "node:crypto";
import { isObject, parseJson } from "../common/fields.ts";
import type { Delivery } from "../common/outbox.ts";
import { json, startTwinServer, type TwinAnswer, type TwinRequest } from "../common/server.ts";
import { coreError, coreRoutes } from "./core.ts";
import { Midtrans, type MidtransOptions } from "./engine.ts";
import { handRoutes } from "./hands.ts";
import { orderPage } from "./pages.ts";
import { snapRoutes } from "./snap.ts";
import type { MidtransState } from "./state.ts";

export interface MidtransTwin {
  url: string;
  port: number;
  state: MidtransState;
  /** Every delivery of one order's notices, or all of them. */
  notices(orderId?: string): Delivery[];
  /** Expires what is due by the clock: for a test that moves its own clock. */
  sweep(): void;
  stop(): Promise<void>;
}

const idempotencyKeptMs = 5 * 60_000;
/** Longer keys are silently ignored; the two sources differ (36, 46), the shorter is kept here. */
const longestKey = 36;

interface KeptAnswer {
  until: number;
  answer: TwinAnswer | null;
}

function isOurs(request: TwinRequest): boolean {
  if (request.path.startsWith("/snap/v1/")) return true;
  return request.path.startsWith("/v2/") && !request.path.endsWith("/qr-code");
}

function hasKey(request: TwinRequest, serverKey: string): boolean {
  const wanted = Buffer.from(`Basic ${Buffer.from(`${serverKey}:`).toString("base64")}`);
  const given = Buffer.from(request.header("authorization") ?? "");
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}

/** Who may not call, or null: the key, and JSON in a POST. */
function refusal(midtrans: Midtrans, request: TwinRequest): TwinAnswer | null {
  const snap = request.path.startsWith("/snap/");
  if (!hasKey(request, midtrans.serverKey)) {
    const message =
      "Access denied due to unauthorized transaction, please check client or server key";
    return snap ? json(401, { error_messages: [message] }) : coreError("401", message);
  }
  if (request.method !== "POST" || request.raw === "") return null;
  const isJson = request.header("content-type")?.includes("json") ?? false;
  if (isJson && parseJson(request.raw) !== undefined) return null;
  const message = "The request body is not valid JSON";
  return snap ? json(400, { error_messages: [message] }) : coreError("400", message);
}

function isSuccess(answer: TwinAnswer): boolean {
  if (answer.status >= 300) return false;
  const body = parseJson(answer.body.toString());
  const code = isObject(body) ? Number(body.status_code ?? 200) : 200;
  return code < 300 || code === 407;
}

/** `Idempotency-Key`: one answer per key for five minutes, whatever the body and the address. */
function idempotency(midtrans: Midtrans) {
  const kept = new Map<string, KeptAnswer>();
  return async (request: TwinRequest, next: () => Promise<TwinAnswer>): Promise<TwinAnswer> => {
    const key = request.header("idempotency-key") ?? "";
    const unsupported = request.raw.includes('"permata"');
    if (request.method !== "POST" || !key || key.length > longestKey || unsupported) {
      return await next();
    }
    const now = midtrans.clock();
    const known = kept.get(key);
    if (known && known.until > now) {
      if (known.answer) return known.answer;
      return json(202, { status_code: "202", status_message: "The request is being processed" });
    }
    kept.set(key, { until: now + idempotencyKeptMs, answer: null });
    try {
      const answer = await next();
      if (isSuccess(answer)) kept.set(key, { until: now + idempotencyKeptMs, answer });
      else kept.delete(key);
      return answer;
    } catch (error) {
      kept.delete(key);
      throw error;
    }
  };
}

/** Core errors come with HTTP 200; the dial `httpErrors` gives them the HTTP status of their body code. */
function withHttpStatus(midtrans: Midtrans, request: TwinRequest, answer: TwinAnswer): TwinAnswer {
  if (!midtrans.dials.any) return answer;
  const text = `${request.path}\n${request.raw}`;
  if (!midtrans.dials.take("httpErrors", text, request.path)) return answer;
  const body = parseJson(answer.body.toString());
  const code = isObject(body) ? Number(body.status_code) : 0;
  return code >= 400 && code !== 407 ? { ...answer, status: code } : answer;
}

function subjectOf(midtrans: Midtrans, request: TwinRequest): string {
  const id = request.path.split("/").find((part) => midtrans.state.transactions.has(part));
  const transaction = id ? midtrans.state.transactions.get(id) : undefined;
  if (transaction) return midtrans.textOf(transaction);
  const token = request.path.split("/")[4] ?? "";
  const order =
    midtrans.state.tokens.get(token) ?? midtrans.state.orders.get(request.path.split("/")[2] ?? "");
  return order ? `${order.id}\n${order.text}` : "";
}

/**
 * A strict local Midtrans: Core API, Snap with its payment page, signed notices with the documented
 * repeats, and faults on demand (`PUT /_dials`). Written from the provider's documents alone.
 */
export async function startMidtransTwin(
  options: MidtransOptions & { port?: number },
): Promise<MidtransTwin> {
  const midtrans = new Midtrans(options);
  const once = idempotency(midtrans);
  const server = await startTwinServer({
    name: "Midtrans",
    port: options.port ?? 0,
    dials: midtrans.dials,
    timers: midtrans.timers,
    routes: {
      ...coreRoutes(midtrans),
      ...snapRoutes(midtrans),
      ...handRoutes(midtrans),
      "GET /": orderPage(midtrans),
    },
    subjectOf: (request) => subjectOf(midtrans, request),
    guard: async (request, next) => {
      if (!isOurs(request)) return await next();
      const refused = refusal(midtrans, request);
      return withHttpStatus(midtrans, request, refused ?? (await once(request, next)));
    },
    notFound: () => coreError("404", "The requested resource is not found"),
  });
  midtrans.url = server.url;
  return {
    url: server.url,
    port: server.port,
    state: midtrans.state,
    notices: (orderId) => midtrans.outbox.list(orderId),
    sweep: () => midtrans.sweep(),
    stop: async () => {
      midtrans.outbox.stop();
      await server.stop();
    },
  };
}
