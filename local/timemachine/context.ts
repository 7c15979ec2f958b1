import { loadConfig } from "../../shared/config/config.ts";
import { type Ctx, createContext } from "../../shared/context.ts";
import { providersOf } from "../../shared/providers/index.ts";
import type { DatabaseUrls } from "../database.ts";
import { localSettings, secretsFrom } from "../settings.ts";

/** Nobody listens there: a replay speaks with Postgres alone. */
const NOWHERE = "http://127.0.0.1:9";

/** A hand on the clock of a context. */
export interface Clock {
  now: number;
}

/** Bindings and queues that a verb of the nightly run is never to touch, or whose wake-ups go nowhere. */
function stub<T>(): T {
  return { sendBatch: async () => undefined } as T;
}

/** The Worker's own context, over the same driver and endpoint, with a clock that is set by hand. */
export function contextAt(urls: DatabaseUrls, httpUrl: string, clock: Clock): Ctx {
  const settings = localSettings(
    {
      databaseUrl: urls.databaseUrl,
      httpUrl,
      midtrans: NOWHERE,
      kiriminaja: NOWHERE,
      resend: NOWHERE,
      ipaymu: NOWHERE,
      vipReseller: NOWHERE,
      aapanel: NOWHERE,
    },
    secretsFrom(),
  );
  const config = loadConfig({
    ...settings,
    MAIL_FROM: "Lumbung <halo@lumbung.example>",
    ALERT_EMAIL: "operator@lumbung.example",
  });
  const requestId = "timemachine";
  const origin = { config, providers: providersOf, requestId, waitUntil: () => undefined };
  const ctx = createContext(stub<Env>(), origin);
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const names = Object.keys(ctx.queues);
  const queues = Object.fromEntries(names.map((name) => [name, stub<Queue<unknown>>()]));
  return {
    ...ctx,
    queues: { ...ctx.queues, ...queues },
    log: silent,
    now: () => new Date(clock.now),
  };
}
