import { timingSafeEqual } from "node:crypto";
import { isObject, parseJson } from "../common/fields.ts";
import type { Delivery } from "../common/outbox.ts";
import { startTwinServer, type TwinAnswer, type TwinRequest } from "../common/server.ts";
import { callRoutes, refused } from "./calls.ts";
import { checkoutRoutes } from "./checkout.ts";
import { Ipaymu, type IpaymuOptions } from "./engine.ts";
import { handRoutes } from "./hands.ts";
import { orderPage } from "./pages.ts";
import { requestSignature } from "./signature.ts";
import type { IpaymuState } from "./state.ts";

export interface IpaymuTwin {
  url: string;
  port: number;
  state: IpaymuState;
  /** Every delivery of one reference's notices (or SessionID's, without one), or all of them. */
  notices(reference?: string): Delivery[];
  /** Expires what is due by the clock: for a test that moves its own clock. */
  sweep(): void;
  stop(): Promise<void>;
}

/** The `timestamp` is not signed and the real server likely ignores it; its form is asked for all the same. */
const timestampForm = /^\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])[0-5]\d[0-5]\d$/;

function isSigned(ipaymu: Ipaymu, request: TwinRequest): boolean {
  const given = Buffer.from(request.header("signature") ?? "");
  // A GET has no body; what is hashed then is the text of an empty object.
  const body = request.method === "GET" ? "{}" : request.raw;
  const wanted = Buffer.from(requestSignature(request.method, ipaymu.va, body, ipaymu.apiKey));
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** Who may not call, or null: account, signature, timestamp, address, and JSON in a POST. */
function refusal(ipaymu: Ipaymu, request: TwinRequest): TwinAnswer | null {
  const known = request.header("va") === ipaymu.va && isSigned(ipaymu, request);
  if (!known || !timestampForm.test(request.header("timestamp") ?? "")) {
    return refused(401, "unauthorized");
  }
  const text = `${request.path}\n${request.raw}\n${subjectOf(ipaymu, request)}`;
  if (ipaymu.own.take("invalidIp", text, request.path)) {
    return refused(403, "Invalid IP");
  }
  if (request.method !== "POST") return null;
  const isJson = request.header("content-type")?.startsWith("application/json") ?? false;
  if (isJson && isObject(parseJson(request.raw))) return null;
  return refused(400, "the body must be a JSON object", { wrong: { body: ["must be JSON"] } });
}

/** What is known about the payment that a request names by session, number or reference. */
function subjectOf(ipaymu: Ipaymu, request: TwinRequest): string {
  const body = parseJson(request.raw);
  const named = isObject(body) ? (body.transactionId ?? body.id) : undefined;
  const id = named ?? request.path.split("/")[2] ?? "";
  const session = ipaymu.find(String(id));
  if (!session) return "";
  return session.transaction ? ipaymu.textOf(session.transaction) : ipaymu.sessionText(session);
}

/**
 * A strict local iPaymu: hosted and direct payments, transaction, history, channels, balance, signed
 * notices as forms or JSON, and faults on demand (`PUT /_dials`). Written from the provider's facts alone.
 */
export async function startIpaymuTwin(
  options: IpaymuOptions & { port?: number },
): Promise<IpaymuTwin> {
  const ipaymu = new Ipaymu(options);
  const server = await startTwinServer({
    name: "iPaymu",
    port: options.port ?? 0,
    dials: ipaymu.dials,
    timers: ipaymu.timers,
    routes: {
      ...callRoutes(ipaymu),
      ...checkoutRoutes(ipaymu),
      ...handRoutes(ipaymu),
      ...ipaymu.own.routes(),
      "GET /": orderPage(ipaymu),
    },
    subjectOf: (request) => subjectOf(ipaymu, request),
    guard: async (request, next) => {
      if (!request.path.startsWith("/api/v2/")) return await next();
      return refusal(ipaymu, request) ?? (await next());
    },
    notFound: () => refused(404, "not found"),
  });
  ipaymu.url = server.url;
  return {
    url: server.url,
    port: server.port,
    state: ipaymu.state,
    notices: (reference) => ipaymu.outbox.list(reference),
    sweep: () => ipaymu.sweep(),
    stop: async () => {
      ipaymu.outbox.stop();
      await server.stop();
    },
  };
}
