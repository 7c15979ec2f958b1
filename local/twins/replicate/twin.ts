import { timingSafeEqual } from "node:crypto";
import type { Delivery } from "../common/outbox.ts";
import { startTwinServer, type TwinRequest } from "../common/server.ts";
import { callRoutes, limited, problem } from "./calls.ts";
import { Replicate, type ReplicateOptions, textOf } from "./engine.ts";
import { handRoutes, predictionPage } from "./hands.ts";

export interface ReplicateTwin {
  url: string;
  port: number;
  replicate: Replicate;
  /** Every delivery about one prediction, or all of them. */
  notices(id?: string): Delivery[];
  stop(): Promise<void>;
}

function isKnown({ options }: Replicate, request: TwinRequest): boolean {
  const given = Buffer.from(request.header("authorization") ?? "");
  const wanted = Buffer.from(`Bearer ${options.token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/**
 * A strict local Replicate: predictions of one upscaling model, `Prefer: wait`, signed webhooks, outputs that vanish
 * after an hour, and faults on demand (`PUT /_dials`). Written from the provider's facts alone.
 */
export async function startReplicateTwin(
  options: ReplicateOptions & { port?: number },
): Promise<ReplicateTwin> {
  const replicate = new Replicate(options);
  const server = await startTwinServer({
    name: "Replicate",
    port: options.port ?? 0,
    dials: replicate.dials,
    timers: replicate.timers,
    routes: {
      ...callRoutes(replicate),
      ...handRoutes(replicate),
      ...replicate.own.routes(),
      "GET /": predictionPage(replicate),
    },
    subjectOf: ({ path }) => {
      const known = replicate.predictions.get(path.split("/")[3] ?? path.split("/")[2] ?? "");
      return known ? textOf(known) : "";
    },
    guard: async (request, next) => {
      if (!request.path.startsWith("/v1/")) return await next();
      if (!isKnown(replicate, request)) {
        return problem(401, "Unauthenticated", "You did not pass a valid authentication token");
      }
      return limited(replicate, request) ?? (await next());
    },
    notFound: () => problem(404, "Not Found", "The requested resource could not be found."),
  });
  replicate.url = server.url;
  return {
    url: server.url,
    port: server.port,
    replicate,
    notices: (id) => replicate.outbox.list(id),
    stop: async () => {
      replicate.outbox.stop();
      await server.stop();
    },
  };
}
