import { timingSafeEqual } from "node:crypto";
import { isObject, parseJson } from "../common/fields.ts";
import type { Delivery } from "../common/outbox.ts";
import { json, startTwinServer, type TwinAnswer, type TwinRequest } from "../common/server.ts";
import { callRoutes, refused } from "./calls.ts";
import { KiriminAja, type KiriminAjaOptions } from "./engine.ts";
import { handRoutes } from "./hands.ts";
import { parcelPage } from "./pages.ts";
import { placeRoutes } from "./places.ts";
import type { KiriminAjaState } from "./state.ts";

export interface KiriminAjaTwin {
  url: string;
  port: number;
  state: KiriminAjaState;
  /** Every delivery of one order's callbacks, or all of them. */
  notices(orderId?: string): Delivery[];
  stop(): Promise<void>;
}

function hasKey(request: TwinRequest, apiKey: string): boolean {
  const wanted = Buffer.from(`Bearer ${apiKey}`);
  const given = Buffer.from(request.header("authorization") ?? "");
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}

function subjectOf(kiriminAja: KiriminAja, request: TwinRequest): string {
  const body = parseJson(request.raw || "{}");
  const given = isObject(body) ? body : {};
  const id = given.order_id ?? given.awb ?? request.query.get("awb");
  const shipment = typeof id === "string" ? kiriminAja.find(id) : undefined;
  if (shipment) return kiriminAja.textOf(shipment);
  const pickup = kiriminAja.state.pickups.get(String(given.payment_id ?? ""));
  return pickup?.text ?? "";
}

/** Why a call does not even reach its handler: the key, or a body that is not JSON. */
function refusal(kiriminAja: KiriminAja, request: TwinRequest): TwinAnswer | null {
  if (!hasKey(request, kiriminAja.apiKey)) {
    return json(401, { status: false, text: "Unauthenticated.", method: "auth", code: 401 });
  }
  if (request.method !== "POST" || request.raw === "") return null;
  const isJson = request.header("content-type")?.includes("json") ?? false;
  if (isJson && isObject(parseJson(request.raw))) return null;
  return refused("request", 422, "the body must be a JSON object");
}

/** Errors come with HTTP 200; the dial `httpErrors` gives them an HTTP status of their own. */
function withHttpStatus(kiriminAja: KiriminAja, request: TwinRequest, answer: TwinAnswer) {
  if (!kiriminAja.dials.any || answer.status !== 200) return answer;
  const body = parseJson(answer.body.toString());
  if (!isObject(body) || body.status !== false) return answer;
  if (!kiriminAja.dials.take("httpErrors", `${request.path}\n${request.raw}`, request.path)) {
    return answer;
  }
  return { ...answer, status: body.code === 404 ? 404 : 422 };
}

/**
 * A strict local KiriminAja: places, prices, pickups, tracking, cancels and bearer callbacks, with
 * faults on demand (`PUT /_dials`). Written from the provider's documents alone.
 */
export async function startKiriminAjaTwin(
  options: KiriminAjaOptions & { port?: number },
): Promise<KiriminAjaTwin> {
  const kiriminAja = new KiriminAja(options);
  const server = await startTwinServer({
    name: "KiriminAja",
    port: options.port ?? 0,
    dials: kiriminAja.dials,
    timers: kiriminAja.timers,
    routes: {
      ...placeRoutes(),
      ...callRoutes(kiriminAja),
      ...handRoutes(kiriminAja),
      "GET /": parcelPage(kiriminAja),
    },
    subjectOf: (request) => subjectOf(kiriminAja, request),
    guard: async (request, next) => {
      if (!request.path.startsWith("/api/")) return await next();
      const answer = refusal(kiriminAja, request) ?? (await next());
      return withHttpStatus(kiriminAja, request, answer);
    },
    notFound: () => json(404, { status: false, text: "Not Found", method: "route", code: 404 }),
  });
  kiriminAja.url = server.url;
  return {
    url: server.url,
    port: server.port,
    state: kiriminAja.state,
    notices: (orderId) => kiriminAja.outbox.list(orderId),
    stop: async () => {
      kiriminAja.outbox.stop();
      await server.stop();
    },
  };
}
