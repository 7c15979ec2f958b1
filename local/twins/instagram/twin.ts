import { startTwinServer } from "../common/server.ts";
import { authRoutes } from "./auth.ts";
import { callRoutes, tokenOf } from "./calls.ts";
import { Instagram, type InstagramOptions } from "./engine.ts";
import { answer, wrongs } from "./errors.ts";
import { handRoutes, postPage } from "./hands.ts";

export interface InstagramTwin {
  url: string;
  port: number;
  instagram: Instagram;
  stop(): Promise<void>;
}

/**
 * A strict local Instagram with Instagram Login: codes and tokens, containers that must be waited for, publishing within
 * the account's limit, and faults on demand (`PUT /_dials`). Written from the provider's facts alone.
 */
export async function startInstagramTwin(
  options: InstagramOptions & { port?: number },
): Promise<InstagramTwin> {
  const instagram = new Instagram(options);
  const server = await startTwinServer({
    name: "Instagram",
    port: options.port ?? 0,
    dials: instagram.dials,
    timers: instagram.timers,
    routes: {
      ...authRoutes(instagram),
      ...callRoutes(instagram),
      ...handRoutes(instagram),
      ...instagram.own.routes(),
      "GET /": postPage(instagram),
    },
    subjectOf: (request) => instagram.tokens.get(tokenOf(request))?.accountId ?? "",
    guard: (_request, next) => next(),
    notFound: () => answer(wrongs.parameter, "Unsupported request"),
  });
  return {
    url: server.url,
    port: server.port,
    instagram,
    stop: () => server.stop(),
  };
}
