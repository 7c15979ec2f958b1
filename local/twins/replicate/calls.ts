import { isFetchable } from "../common/fetch-image.ts";
import { Fields, isObject, parseJson } from "../common/fields.ts";
import { type Handler, json, type TwinAnswer, type TwinRequest } from "../common/server.ts";
import {
  model,
  type Prediction,
  type Replicate,
  type WebhookEvent,
  webhookEvents,
} from "./engine.ts";

/** A problem as Replicate words it; nothing in it can be relied on. */
export function problem(
  status: number,
  title: string,
  detail: string,
  headers: Record<string, string> = {},
): TwinAnswer {
  const answer = json(status, { title, detail, status }, headers);
  return { ...answer, headers: { ...answer.headers, "content-type": "application/problem+json" } };
}

const inputError = (detail: string) => problem(422, "Input validation failed", detail);
const notFound = () => problem(404, "Not Found", "The requested resource could not be found.");

/** 600 predictions and 3,000 other calls a minute; one a second and six a minute without credit. */
export function limited(replicate: Replicate, request: TwinRequest): TwinAnswer | null {
  const creates = request.method === "POST" && request.path.endsWith("/predictions");
  const poor = creates && replicate.own.take("lowCredit", request.raw) !== undefined;
  const [key, perSecond, burst] = poor
    ? ["poor", 0.1, 1]
    : creates
      ? ["create", 10, 600]
      : ["other", 50, 3000];
  const wait = replicate.rates.take(
    String(key),
    Number(perSecond),
    replicate.clock(),
    Number(burst),
  );
  if (wait === 0) return null;
  const seconds = Math.ceil(wait / 1000);
  const detail = `Request was throttled. Your rate limit resets in ~${seconds}s.`;
  return problem(429, "Too many requests", detail, { "retry-after": String(seconds) });
}

function readEvents(fields: Fields): WebhookEvent[] {
  if (!fields.has("webhook_events_filter")) return [...webhookEvents];
  const known = fields.list("webhook_events_filter", { min: 1 });
  for (const one of known) {
    if (!webhookEvents.some((event) => event === one)) {
      fields.fail("webhook_events_filter", `must be one of ${webhookEvents.join(", ")}`);
    }
  }
  return webhookEvents.filter((event) => known.includes(event));
}

function readInput(fields: Fields): Prediction["input"] {
  const input = fields.inner("input");
  const image = input.text("image", { required: true }) ?? "";
  if (image && !image.startsWith("data:image/") && !isFetchable(image)) {
    input.fail("image", "must be an HTTPS URI");
  }
  const scale = input.raw("scale") ?? 4;
  if (typeof scale !== "number" || scale < 0 || scale > 10) input.fail("scale", "must be 0 to 10");
  const face = input.raw("face_enhance") ?? false;
  if (typeof face !== "boolean") input.fail("face_enhance", "must be a boolean");
  return { image, scale: Number(scale), face_enhance: face === true };
}

/** `1m`, `30s`, `2h`: milliseconds from now. */
function cancelAfter(replicate: Replicate, request: TwinRequest): number | null {
  const match = /^(\d+)([smh])$/.exec(request.header("cancel-after") ?? "");
  if (!match) return null;
  const unit =
    new Map([
      ["s", 1000],
      ["m", 60_000],
      ["h", 3_600_000],
    ]).get(match[2] ?? "") ?? 0;
  return replicate.clock() + Number(match[1]) * unit;
}

/** Seconds to wait by `Prefer: wait` (60) or `wait=n`, 0 without, null when n is not 1 to 60. */
function preferred(request: TwinRequest): number | null {
  const match = /^wait(?:=(\d+))?$/.exec(request.header("prefer") ?? "");
  if (!match) return 0;
  const seconds = Number(match[1] ?? 60);
  return seconds >= 1 && seconds <= 60 ? seconds : null;
}

async function create(replicate: Replicate, request: TwinRequest): Promise<TwinAnswer> {
  const body = parseJson(request.raw);
  if (!isObject(body)) return problem(400, "Bad Request", "the body must be a JSON object");
  if (replicate.own.take("noCredit", request.raw)) {
    return problem(402, "Insufficient credit", "You have insufficient credit to run this model.");
  }
  const fields = new Fields(body);
  const version = fields.text("version", { required: true });
  const input = readInput(fields);
  const webhook = fields.text("webhook") ?? "";
  if (webhook && !isFetchable(webhook)) fields.fail("webhook", "must be an HTTPS URL");
  const events = readEvents(fields);
  if (fields.errors.length > 0) return inputError(`- ${fields.errors.join("\n- ")}`);
  const known = [
    model.version,
    `${model.owner}/${model.name}`,
    `${model.owner}/${model.name}:${model.version}`,
  ];
  if (!version || !known.includes(version)) {
    return problem(
      422,
      "Invalid version or not permitted",
      "The specified version does not exist.",
    );
  }
  const seconds = preferred(request);
  if (seconds === null) return problem(400, "Bad Request", "Prefer: wait must be 1 to 60");
  const cancelAt = cancelAfter(replicate, request);
  const prediction = replicate.create({ input, version: model.version, webhook, events, cancelAt });
  if (seconds === 0) return json(201, replicate.view(prediction));
  await Promise.race([prediction.done, replicate.timers.wait(seconds * 1000)]);
  return json(replicate.isFinal(prediction) ? 201 : 202, replicate.view(prediction));
}

async function cancel(replicate: Replicate, prediction: Prediction): Promise<TwinAnswer> {
  if (!replicate.isFinal(prediction)) {
    await replicate.end(prediction, prediction.status === "starting" ? "aborted" : "canceled");
  }
  return json(200, replicate.view(prediction));
}

function list(replicate: Replicate): TwinAnswer {
  const results = [...replicate.predictions.values()].slice(-100).reverse();
  return json(200, {
    previous: null,
    next: null,
    results: results.map((one) => replicate.view(one)),
  });
}

/** The calls of replicate.md section 1. */
export function callRoutes(replicate: Replicate): Record<string, Handler> {
  const onPrediction =
    (act: (prediction: Prediction) => TwinAnswer | Promise<TwinAnswer>): Handler =>
    ({ params }) => {
      const prediction = replicate.predictions.get(params.id ?? "");
      return prediction ? act(prediction) : notFound();
    };
  return {
    "POST /v1/predictions": (request) => create(replicate, request),
    "GET /v1/predictions": () => list(replicate),
    "GET /v1/predictions/:id": onPrediction((one) => json(200, replicate.view(one))),
    "POST /v1/predictions/:id/cancel": onPrediction((one) => cancel(replicate, one)),
    "GET /v1/models/:owner/:name": ({ params }) =>
      params.owner === model.owner && params.name === model.name
        ? json(200, { owner: model.owner, name: model.name, latest_version: { id: model.version } })
        : notFound(),
    "GET /v1/webhooks/default/secret": () => json(200, { key: replicate.options.webhookSecret }),
    // The host of outputs needs no token, and forgets after an hour.
    "GET /delivery/:id/output.png": ({ params }) => {
      const prediction = replicate.predictions.get(params.id ?? "");
      if (!prediction?.picture || replicate.isRemoved(prediction)) return notFound();
      return { status: 200, headers: { "content-type": "image/png" }, body: prediction.picture };
    },
  };
}
