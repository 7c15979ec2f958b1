import type { TokenBucketOptions } from "./token-bucket.ts";

/** Settings of the Engine.IO layer; the defaults are the official server's. The path is the Worker's to route. */
export interface EngineOptions {
  /** Every so often the object's alarm sends a ping to all of its sockets (25,000). */
  pingIntervalMs?: number;
  /** Who has not answered a ping for so long is closed with the reason "ping timeout" (20,000). */
  pingTimeoutMs?: number;
  /** A transport upgrade that is not complete after so long is given up; the session stays on polling (10,000). */
  upgradeTimeoutMs?: number;
  /** The largest frame or polling body that a client may send, in bytes (1,000,000). */
  maxPayloadBytes?: number;
  /**
   * The most that may lie between us and a client that does not take it: exactly, for a polling session's buffer; for a
   * WebSocket the bytes sent since the last ping that it answered. Beyond it the client is dropped (4,000,000).
   */
  maxBufferedBytes?: number;
  /**
   * How pongs are answered. "auto" (default): the runtime answers `3` with a no-op `6`, and the object sleeps on.
   * "wake": the object reads each pong and sends nothing back; for clients that count every frame.
   */
  pongs?: "auto" | "wake";
  /** Request headers that `request.headers` keeps, in lower case (authorization, origin, user-agent). */
  keepHeaders?: readonly string[];
  /** Whether a request may open a session; one that may not is answered 403 "Forbidden". */
  allow?: (request: Request) => Promise<boolean> | boolean;
  /** Headers for polling answers to an origin; without it no CORS header is sent and a preflight is refused. */
  cors?: (origin: string | null) => HeadersInit;
  /** Told of everything that goes wrong inside: handlers that throw, rows that cannot be read. Logs unless told. */
  onError?: (error: unknown, where: string) => void;
  /** The clock, for tests. */
  now?: () => number;
}

export interface RecoveryOptions {
  /** A socket that vanished can be recovered for so long (two minutes are usual). */
  maxMs: number;
  /** At most so many packets are kept for replay; who missed more gets a new session. */
  maxPackets: number;
  /** At most so many characters of packets are kept (8,000,000). */
  maxChars?: number;
  /**
   * Packets for replay, and what is known of sockets, are written to the object's storage together, at most so long after
   * they were sent or changed (250). What a crash takes in that time cannot be replayed, and who connected in it cannot be
   * recovered nor told of; 0 writes all of it before anything leaves, for one row a packet.
   */
  flushMs?: number;
}

/** What one object asks of another, for a client that came to it; plain data, for RPC. */
export interface TakeoverWish {
  pid: string;
  /** The last packet that the client has; null when it has none. */
  offset: string | null;
  namespace: string;
  /** Who the client proved to be (`Handlers.identify`). */
  who: string;
  /** The object that asks. */
  by: string;
  /** True when it was passed on by the object that the pid names. */
  isPassedOn: boolean;
}

/** Recovery of sockets that another object has: for applications that spread their clients over several. */
export interface TakeoverOptions {
  /** The name of this object, as the others address it; pids carry it. */
  shard: string;
  /**
   * Calls `handOver` of another object. The name is the client's word: answer null for one that does not exist. A call
   * that fails, or takes too long, gives the client a new session.
   */
  call(shard: string, wish: TakeoverWish): Promise<string | null>;
  /** No other object is waited for longer (2,000). */
  timeoutMs?: number;
}

export interface FloodOptions extends TokenBucketOptions {
  /** After so many refused packets since the last accepted one the connection is closed (100). */
  disconnectAfter?: number;
  /** Sent to the socket as the argument of an `error` event, at most once a second; null sends nothing. */
  error?: Record<string, unknown> | null;
}

/** Settings of the Socket.IO layer. */
export interface SocketIoOptions extends EngineOptions {
  /** A connection that joins no namespace for so long is closed (45,000). */
  connectTimeoutMs?: number;
  /** Namespaces that exist; any other is refused with "Invalid namespace" (["/"]). */
  namespaces?: readonly string[];
  /** Connection-state recovery; null (default) turns it off. */
  recovery?: RecoveryOptions | null;
  /** Lets clients go on that come from another object; null (default): only those that were here. Needs `recovery`. */
  takeover?: TakeoverOptions | null;
  /** Limits what one connection may send, binary attachments aside; null (default) is no limit. */
  flood?: FloodOptions | null;
  /**
   * How many bytes of heavy events, those with a light form, the object sends at once and a second. They lie in its memory
   * until clients have taken them; who comes last gets the light form (32,000,000 and 8,000,000).
   */
  heavy?: TokenBucketOptions;
  /** Rooms that one socket may be in besides its own (100). */
  maxRooms?: number;
}

export type EngineSettings = Required<Omit<EngineOptions, "cors">> & Pick<EngineOptions, "cors">;

/** Fills in the defaults. */
export function settle(options: EngineOptions): EngineSettings {
  return {
    pingIntervalMs: 25_000,
    pingTimeoutMs: 20_000,
    upgradeTimeoutMs: 10_000,
    maxPayloadBytes: 1_000_000,
    maxBufferedBytes: 4_000_000,
    pongs: "auto",
    keepHeaders: ["authorization", "origin", "user-agent"],
    allow: () => true,
    now: () => Date.now(),
    onError: (error, where) =>
      console.error(
        JSON.stringify({ level: "error", message: "socket.io", where, error: String(error) }),
      ),
    ...options,
  };
}
