import { createHash, randomBytes } from "node:crypto";
import { isObject, type Json, parseJson } from "../common/fields.ts";
import { type Handler, json, type TwinAnswer, type TwinRequest } from "../common/server.ts";
import { type Model, type Turn, tokensOf } from "./engine.ts";
import { mistakesOf, prefixOf } from "./input.ts";
import { obeyed } from "./obey.ts";
import { contentOf, stopReasonOf, streamOf, usageOf } from "./stream.ts";

const versions = ["2023-06-01", "2026-10-21"];

const requestId = () => `req_${randomBytes(12).toString("hex")}`;

/** A failure as the API words it (anthropic.md §5). */
export function failure(
  status: number,
  type: string,
  message: string,
  more: { headers?: Record<string, string>; details?: Json } = {},
): TwinAnswer {
  const id = requestId();
  const error = { type, message, ...(more.details ? { details: more.details } : {}) };
  return json(
    status,
    { type: "error", error, request_id: id },
    { "request-id": id, ...more.headers },
  );
}

const badRequest = (message: string) => failure(400, "invalid_request_error", message);

/** The key as either header carries it, or null. */
function keyOf(request: TwinRequest): string | null {
  const bearer = /^Bearer (.+)$/.exec(request.header("authorization") ?? "");
  return request.header("x-api-key") ?? bearer?.[1] ?? null;
}

/** Version and key, before anything is read. */
export function refusal(model: Model, request: TwinRequest): TwinAnswer | null {
  const key = keyOf(request);
  if (key === null) {
    return failure(401, "authentication_error", "x-api-key or authorization header is required");
  }
  if (key !== model.options.apiKey)
    return failure(401, "authentication_error", "invalid x-api-key");
  const version = request.header("anthropic-version");
  if (!version) return badRequest("anthropic-version: header is required");
  if (!versions.includes(version)) return badRequest(`anthropic-version: ${version} is not valid`);
  if (!request.header("content-type")?.startsWith("application/json")) {
    return badRequest("content-type: must be application/json");
  }
  return null;
}

/** The faults that are asked for and stand in place of a message. */
function fault(model: Model, raw: string): TwinAnswer | null {
  const rate = model.own.take("rate", raw);
  if (rate) {
    const headers = { "retry-after": String(typeof rate.value === "number" ? rate.value : 1) };
    return failure(429, "rate_limit_error", "Number of requests has exceeded your rate limit", {
      headers,
    });
  }
  if (model.own.take("spend", raw)) {
    return failure(429, "rate_limit_error", "You have reached your specified API usage limits.", {
      details: { error_code: "enforced_spend_limit_reached" },
    });
  }
  return model.own.take("overloaded", raw) ? failure(529, "overloaded_error", "Overloaded") : null;
}

/** The marked beginnings of a request, each by its digest. */
function marksOf(body: Json) {
  const digest = createHash("sha256");
  let length = 0;
  return prefixOf(body).flatMap((block) => {
    const { cache_control: mark, ...rest } = block;
    const text = JSON.stringify(rest);
    digest.update(text);
    length += text.length;
    if (!isObject(mark)) return [];
    const prefix = `${String(body.model)} ${digest.copy().digest("hex")}`;
    return [{ prefix, tokens: Math.ceil(length / 4), hour: mark.ttl === "1h" }];
  });
}

function scriptedFailure({ error }: Turn): TwinAnswer | null {
  if (!error) return null;
  const headers = error.retryAfter === undefined ? {} : { "retry-after": String(error.retryAfter) };
  return failure(error.status, error.type, "by script", { headers });
}

export function messageRoute(model: Model): Handler {
  return (request) => {
    const refused = refusal(model, request) ?? fault(model, request.raw);
    if (refused) return refused;
    const body = parseJson(request.raw);
    const version = request.header("anthropic-version") ?? "";
    const [mistake] = mistakesOf(body, version);
    if (mistake || !isObject(body)) return badRequest(mistake ?? "the body must be JSON");
    const name = String(body.model);
    if (!name.startsWith("claude-")) return failure(404, "not_found_error", `model: ${name}`);
    const turn = model.next(request.raw);
    const failed = scriptedFailure(turn);
    if (failed) return failed;
    const obeying = turn.obey ? obeyed(body) : [];
    return answer(model, request, body, { ...turn, blocks: [...turn.blocks, ...obeying] });
  };
}

function answer(model: Model, request: TwinRequest, body: Json, turn: Turn): TwinAnswer {
  const headers = Object.fromEntries(
    ["anthropic-version", "anthropic-beta", "x-stainless-retry-count", "user-agent"].map((name) => [
      name,
      request.header(name) ?? "",
    ]),
  );
  const asked = model.note(body, headers);
  const content = contentOf(turn.blocks);
  const usage = usageOf(tokensOf(request.raw), model.cache(marksOf(body)), content);
  const stop = { stop_reason: stopReasonOf(turn), stop_sequence: null };
  const message = { id: asked.id, type: "message", role: "assistant", model: body.model, ...stop };
  const limits = { "anthropic-ratelimit-requests-remaining": "999", "request-id": requestId() };
  if (body.stream !== true) {
    asked.answer = { content, stop_reason: stop.stop_reason };
    return json(200, { ...message, content, usage }, limits);
  }
  return {
    status: 200,
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      ...limits,
    },
    body: "",
    stream: streamOf(model, turn, asked, { message, content, usage, raw: request.raw }),
  };
}
