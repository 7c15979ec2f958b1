import { timingSafeEqual } from "node:crypto";
import { parseJson } from "../common/fields.ts";
import type { Delivery } from "../common/outbox.ts";
import { startTwinServer, type TwinAnswer, type TwinRequest } from "../common/server.ts";
import { callRoutes, idempotency, resendError } from "./calls.ts";
import { Resend, type ResendOptions } from "./engine.ts";
import { handRoutes } from "./hands.ts";
import { rateLimit } from "./limits.ts";
import { mailPage, previewPage } from "./pages.ts";
import type { ResendState } from "./state.ts";

export interface ResendTwin {
  url: string;
  port: number;
  state: ResendState;
  webhookSecret: string;
  /** Every delivery of one mail's events, or all of them. */
  notices(mailId?: string): Delivery[];
  stop(): Promise<void>;
}

/** Why a call is refused before it is read: the caller's name, the key, the form of the body. */
function refusal(resend: Resend, request: TwinRequest): TwinAnswer | null {
  if (!request.header("user-agent")) {
    return resendError(403, "validation_error", "error code: 1010 (User-Agent is missing)");
  }
  const given = request.header("authorization");
  if (!given)
    return resendError(401, "missing_api_key", "Missing API key in the authorization header");
  const wanted = Buffer.from(`Bearer ${resend.options.apiKey}`);
  const offered = Buffer.from(given);
  if (wanted.length !== offered.length || !timingSafeEqual(wanted, offered)) {
    return resendError(403, "invalid_api_key", "API key is invalid");
  }
  if (request.method !== "POST") return null;
  const isJson = request.header("content-type")?.includes("json") ?? false;
  if (isJson && parseJson(request.raw) !== undefined) return null;
  return resendError(400, "validation_error", "The request body must be valid JSON.");
}

function subjectOf(resend: Resend, request: TwinRequest): string {
  const mail = resend.state.mails.get(request.path.split("/")[2] ?? "");
  return mail ? resend.textOf(mail) : "";
}

/**
 * A strict local Resend: mails are kept and readable (`GET /_mails?to=`), events are signed as Svix
 * signs them, faults come on demand (`PUT /_dials`). Written from the provider's documents alone.
 */
export async function startResendTwin(
  options: ResendOptions & { port?: number },
): Promise<ResendTwin> {
  const resend = new Resend(options);
  const once = idempotency(resend);
  const limited = rateLimit(resend);
  const server = await startTwinServer({
    name: "Resend",
    port: options.port ?? 0,
    dials: resend.dials,
    timers: resend.timers,
    routes: {
      ...callRoutes(resend),
      ...handRoutes(resend),
      "GET /": mailPage(resend),
      "GET /_previews": previewPage(resend),
    },
    subjectOf: (request) => subjectOf(resend, request),
    guard: async (request, next) => {
      const refused = refusal(resend, request);
      if (refused) return refused;
      const limit = limited(request);
      const answer = limit.refused ?? (await once(request, next));
      return { ...answer, headers: { ...answer.headers, ...limit.headers } };
    },
    notFound: () => resendError(404, "not_found", "The requested endpoint does not exist"),
  });
  return {
    url: server.url,
    port: server.port,
    state: resend.state,
    webhookSecret: resend.webhookSecret,
    notices: (mailId) => resend.outbox.list(mailId),
    stop: async () => {
      resend.outbox.stop();
      await server.stop();
    },
  };
}
