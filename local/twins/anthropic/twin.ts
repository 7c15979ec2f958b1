import { startTwinServer } from "../common/server.ts";
import { failure, messageRoute } from "./calls.ts";
import { type AnthropicTwinOptions, Model } from "./engine.ts";
import { askedPage, handRoutes } from "./hands.ts";

export interface AnthropicTwin {
  url: string;
  port: number;
  model: Model;
  stop(): Promise<void>;
}

/**
 * A strict local Messages API: streams with tool calls from scripted conversations, the rules of calls and results, the
 * cache's counts, and faults on demand (`PUT /_dials`). Written from the provider's facts alone.
 */
export async function startAnthropicTwin(
  options: AnthropicTwinOptions & { port?: number },
): Promise<AnthropicTwin> {
  const model = new Model(options);
  const messages = messageRoute(model);
  const server = await startTwinServer({
    name: "Anthropic",
    port: options.port ?? 0,
    dials: model.dials,
    timers: model.timers,
    routes: {
      "POST /v1/messages": messages,
      ...handRoutes(model),
      ...model.own.routes(),
      "GET /": askedPage(model),
    },
    subjectOf: () => "",
    guard: async (_request, next) => await next(),
    // A gateway's prefix may stand in front.
    notFound: (request) =>
      request.method === "POST" && request.path.endsWith("/v1/messages")
        ? messages(request)
        : failure(404, "not_found_error", "Not found"),
  });
  return {
    url: server.url,
    port: server.port,
    model,
    stop: async () => await server.stop(),
  };
}
