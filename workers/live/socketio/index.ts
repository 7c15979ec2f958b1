/**
 * A Socket.IO v5 / Engine.IO v4 server for hibernating Durable Objects. It knows nothing of the application.
 * `SocketIoEngine` is what an object uses; `EngineIo` is the transport layer alone (sessions, polling, heartbeat).
 */

export { type EngineHandlers, EngineIo } from "./engine.ts";
export { ConnectLater, ConnectRefused, type Handlers, RecoveryDeclined } from "./handlers.ts";
export type { HandshakeRequest } from "./handshake-request.ts";
export type {
  EngineOptions,
  FloodOptions,
  RecoveryOptions,
  SocketIoOptions,
  TakeoverOptions,
  TakeoverWish,
} from "./options.ts";
export { type EmitOptions, lightOf, type PreparedEvent, prepareEvent } from "./packets.ts";
export { SocketIoEngine } from "./server.ts";
export type { Session } from "./session.ts";
export { newSessionId, randomId, shardOf } from "./session-id.ts";
export type { Ack, DisconnectReason, Socket, Target } from "./socket.ts";
export { type Part, together } from "./together.ts";
export { TokenBucket } from "./token-bucket.ts";
