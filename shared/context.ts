import type { Config } from "./config/config.ts";
import { clientOf } from "./db/client.ts";
import { Database } from "./db/database.ts";
import { createLog, type Log } from "./log.ts";
import type { Providers } from "./providers/index.ts";

export type Role = "buyer" | "seller" | "admin" | "operator";

/** Who asks. Only a verified token makes one; nothing a caller claims beside it counts. */
export interface Actor {
  userId: number;
  sessionId: string;
  roles: Role[];
}

/** What a verb works with. It sees no HTTP, no environment and no client made elsewhere. */
export interface Ctx {
  config: Config;
  db: Database;
  actor: Actor | null;
  providers: Providers;
  /** Bindings of the platform that verbs act on: files, objects, queues. */
  assets: R2Bucket;
  stores: Env["STORE_ROUTER"];
  rooms: Env["ROOM"];
  sockets: Env["SOCKET_SHARD"];
  supplierGate: Env["SUPPLIER_GATE"];
  serverLinks: Env["SERVER_LINK"];
  queues: Queues;
  requestId: string;
  log: Log;
  now(): Date;
  /** Keeps a promise alive past the answer; its failure is logged. */
  waitUntil(work: Promise<unknown>): void;
}

export const QUEUE_NAMES = [
  "provisioning",
  "marketplace-sync",
  "webhooks",
  "mail",
  "topup",
  "topup-callbacks",
  "topup-deliveries",
] as const;
export type QueueName = (typeof QUEUE_NAMES)[number];
export type Queues = Record<QueueName, Queue<unknown>>;

interface Origin {
  config: Config;
  /** `providersOf`; left out by objects, which call nobody outside and so load no clients. */
  providers?: (config: Config, env: Env) => Providers;
  requestId: string;
  actor?: Actor | null;
  /** Nobody waits for it: a message or the clock, whose statements may be long ones. */
  isBackground?: boolean;
  waitUntil(work: Promise<unknown>): void;
}

/**
 * Behind requests. The longest statement there puts a price list of 50,000 services in force, in seconds; the shortest
 * lease of a job that runs one is 120 s.
 */
const BACKGROUND_PATIENCE = 10;

/** The context of one request, message, alarm or cron run. */
export function createContext(env: Env, origin: Origin): Ctx {
  const log = createLog(origin.requestId);
  return {
    config: origin.config,
    db: new Database(
      clientOf({
        databaseUrl: origin.config.DATABASE_URL,
        databaseHttpUrl: origin.config.DATABASE_HTTP_URL,
      }),
      origin.requestId,
      origin.config.DATABASE_PATIENCE_MS * (origin.isBackground ? BACKGROUND_PATIENCE : 1),
    ),
    actor: origin.actor ?? null,
    get providers() {
      if (!origin.providers) throw new Error("an object's context has no providers");
      return origin.providers(origin.config, env);
    },
    assets: env.ASSETS_BUCKET,
    stores: env.STORE_ROUTER,
    rooms: env.ROOM,
    sockets: env.SOCKET_SHARD,
    supplierGate: env.SUPPLIER_GATE,
    serverLinks: env.SERVER_LINK,
    queues: {
      provisioning: env.PROVISIONING_QUEUE,
      "marketplace-sync": env.MARKETPLACE_SYNC_QUEUE,
      webhooks: env.WEBHOOKS_QUEUE,
      mail: env.MAIL_QUEUE,
      topup: env.TOPUP_QUEUE,
      "topup-callbacks": env.TOPUP_CALLBACKS_QUEUE,
      "topup-deliveries": env.TOPUP_DELIVERIES_QUEUE,
    },
    requestId: origin.requestId,
    log,
    now: () => new Date(),
    waitUntil: (work) =>
      origin.waitUntil(
        work.catch((error: unknown) =>
          log.error("work after the answer failed", {
            error: error instanceof Error ? error.name : typeof error,
          }),
        ),
      ),
  };
}

/** The actor of a route that requires one; a missing actor here is our own bug. */
export function actorOf(ctx: Ctx): Actor {
  if (!ctx.actor) throw new Error("route without access rule asked for its actor");
  return ctx.actor;
}
