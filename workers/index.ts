import { ConfigError, loadConfig } from "../shared/config/config.ts";
import { createLog } from "../shared/log.ts";
import { isSocketPath, serveSockets } from "./live/entry.ts";
import { isStoreHost } from "./market/storefront/host.ts";

export { Room } from "./live/room.ts";
export { SocketShard } from "./live/shard.ts";
export { StoreRouter } from "./market/storefront/router.ts";
export { ServerLink } from "./panel/link/server-link.ts";
export { SupplierGate } from "./topup/supplier-gate.ts";

/**
 * The schemas of all routes are most of what the Worker holds in memory. They are read when they are first asked for, so
 * that an isolate with nothing but sockets and objects starts at once and its garbage is collected in half of the time.
 */
const api = once(async () => (await import("./api.ts")).createApiApp());
const storefront = once(async () => (await import("./market/storefront/app.tsx")).storefront);
const background = once(async () => (await import("./background.ts")).background);

function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: T | undefined;
  return async () => {
    loaded ??= await load();
    return loaded;
  };
}

/** Without its secrets the Worker serves nothing: a log line names what is missing, the caller learns nothing. */
function refuse(error: unknown): Response {
  if (!(error instanceof ConfigError)) throw error;
  createLog("start").error("refusing to serve", { variables: error.variables.join(" ") });
  return new Response("Service Unavailable", { status: 503 });
}

export default {
  async fetch(request, env, execution) {
    try {
      const { hostname, pathname } = new URL(request.url);
      const isStore = isStoreHost(hostname, loadConfig(env).STORE_DOMAIN);
      if (!isStore && isSocketPath(pathname)) return await serveSockets(request, env);
      const app = isStore ? await storefront() : await api();
      return await app.fetch(request, env, execution);
    } catch (error) {
      return refuse(error);
    }
  },

  async queue(batch, env, execution) {
    await (await background()).queue(batch, env, execution);
  },

  async scheduled(controller, env, execution) {
    await (await background()).scheduled(controller, env, execution);
  },
} satisfies ExportedHandler<Env>;
