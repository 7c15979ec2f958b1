import type { SocketIoOptions } from "../socketio/index.ts";
import { GRACE_MS } from "./spots.ts";

/**
 * How the app's sockets are served. Recovery covers a client that comes back, on whatever shard; who is too late for it
 * finds his rooms by his person (`Spots`). No cookie means anything here, so any origin may read the answers.
 */
export const ENGINE_OPTIONS: SocketIoOptions = {
  // What a crash takes of the last second is in the room's own list of messages, or was never worth keeping.
  recovery: { maxMs: GRACE_MS, maxPackets: 200, flushMs: 1_000 },
  flood: {
    burst: 60,
    perSecond: 15,
    disconnectAfter: 300,
    error: { code: "flood", message: "Terlalu banyak pesan, pelan-pelan ya" },
  },
  maxRooms: 20,
  cors: () => ({ "access-control-allow-origin": "*" }),
};
