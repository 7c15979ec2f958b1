import { bearerOf } from "../../shared/auth/bearer.ts";
import { verifyToken } from "../../shared/auth/tokens.ts";
import { type Config, loadConfig } from "../../shared/config/config.ts";
import { connectingAddress } from "../../shared/http/caller.ts";
import { shardOf } from "./socketio/index.ts";
import { homeOf, knownShard, shardName, userKey } from "./sockets/home.ts";

const SOCKET_PATH = "/socket.io/";

/** What is served beside the API's own routes: handshakes, polls and WebSockets; what a polling client sends. */
export const SOCKET_ROUTES = [
  { method: "GET", path: SOCKET_PATH },
  { method: "POST", path: SOCKET_PATH },
] as const;

/** True for what a Socket.IO client asks for: polling and WebSocket alike. */
export const isSocketPath = (pathname: string): boolean => `${pathname}/`.startsWith(SOCKET_PATH);

/** Phone networks put thousands behind one address, who all come back at once after a deploy. */
const SHARES = 10;
let turn = 0;

/**
 * Brings a Socket.IO request to the shard of its session. A new session goes to the shard of its user, where a token in
 * the header or the address says who that is, else to any. The shard itself decides on tokens and session ids.
 */
export async function serveSockets(request: Request, env: Env): Promise<Response> {
  const config = loadConfig(env);
  const url = new URL(request.url);
  const sid = url.searchParams.get("sid");
  if (sid === null && request.method !== "OPTIONS" && !(await isAllowed(request, env, config))) {
    return Response.json({ success: false, message: "Terlalu banyak permintaan" }, { status: 429 });
  }
  // An id that is none of ours meets the same refusal on the first.
  const shard =
    sid === null
      ? await shardForNew(request, url, config)
      : (knownShard(shardOf(sid), config.LIVE_SHARDS) ?? shardName(0));
  return await env.SOCKET_SHARD.getByName(shard).fetch(request);
}

async function shardForNew(request: Request, url: URL, config: Config): Promise<string> {
  const token = bearerOf(request.headers.get("authorization")) ?? url.searchParams.get("token");
  const actor = token ? await verifyToken(config, token, new Date()) : null;
  if (actor) return homeOf(userKey(actor.userId), config.LIVE_SHARDS);
  return shardName(Math.floor(Math.random() * config.LIVE_SHARDS));
}

/** New sessions per address: plenty for a household, too few for a flood (see `rateLimit`). */
async function isAllowed(request: Request, env: Env, config: Config): Promise<boolean> {
  const address = connectingAddress(request) ?? "unknown";
  turn = (turn + 1) % (config.RATE_LIMIT_FACTOR * SHARES);
  const { success } = await env.ROUTE_LIMIT.limit({ key: `${address}/${turn} socket.io` });
  return success;
}
