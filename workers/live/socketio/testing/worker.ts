import { DurableObject } from "cloudflare:workers";
import {
  ConnectLater,
  ConnectRefused,
  EngineIo,
  type Handlers,
  type Socket,
  SocketIoEngine,
  type SocketIoOptions,
  shardOf,
  type TakeoverWish,
} from "../index.ts";

export interface TestEnv {
  SHARD: DurableObjectNamespace<TestShard>;
  ECHO: DurableObjectNamespace;
}

export interface Me {
  name: string;
}

/** What handlers were told, oldest first: the name of the handler, the socket's id and what came with it. */
export type Told = [handler: string, id: string, ...rest: unknown[]];

const NAMESPACES = ["/", "/custom"];
/** By the first word of the object's name; "plain" has neither recovery nor limits, so that packets are exact. */
const KINDS: Record<string, SocketIoOptions> = {
  plain: {},
  recovering: { recovery: { maxMs: 120_000, maxPackets: 20, flushMs: 0 } },
  moving: { recovery: { maxMs: 120_000, maxPackets: 20, flushMs: 0 } },
  lazy: { recovery: { maxMs: 120_000, maxPackets: 20, flushMs: 5 } },
  // So slow that a test can cut it off with something unwritten.
  slow: { recovery: { maxMs: 120_000, maxPackets: 20, flushMs: 500 } },
  flood: { flood: { burst: 5, perSecond: 0.001, disconnectAfter: 10 } },
  narrow: { maxBufferedBytes: 1_000 },
  wide: { maxBufferedBytes: 2_000 },
  heavy: { heavy: { burst: 1_300, perSecond: 0.001 } },
  closed: { allow: (request) => request.headers.get("origin") === "https://app.example" },
  wake: { pongs: "wake" },
  open: { cors: (origin) => ({ "access-control-allow-origin": origin ?? "*" }) },
};

export class TestShard extends DurableObject<TestEnv> {
  readonly told: Told[] = [];
  readonly errors: string[] = [];
  readonly #sentAway = new Set<string>();
  /** Added to the clock of the engine. */
  skippedMs = 0;
  /** Does not answer other objects. */
  isSilent = false;
  /** Lets the recovered socket go on whose `connect` is held. */
  letGo: (() => void) | null = null;
  /** What is done for a lost socket that is about to go on. */
  resumes: ((socket: Socket<Me>) => Promise<void>) | null = null;
  readonly io: SocketIoEngine<Me>;

  constructor(state: DurableObjectState, env: TestEnv) {
    super(state, env);
    const name = state.id.name ?? "";
    const first = name.split("-")[0] ?? "";
    const kind = KINDS[first] ?? {};
    const call = (shard: string, wish: TakeoverWish) => env.SHARD.getByName(shard).handOver(wish);
    const options: SocketIoOptions = {
      namespaces: NAMESPACES,
      now: () => Date.now() + this.skippedMs,
      onError: (error, where) => this.errors.push(`${where}: ${String(error)}`),
      ...kind,
      takeover: first === "moving" ? { shard: name, call, timeoutMs: 500 } : null,
    };
    this.io = new SocketIoEngine<Me>(state, options, this.#handlers());
  }

  override fetch(request: Request): Promise<Response> {
    return this.io.fetch(request);
  }
  override webSocketMessage(ws: WebSocket, data: string | ArrayBuffer): Promise<void> {
    return this.io.webSocketMessage(ws, data);
  }
  override webSocketClose(ws: WebSocket): Promise<void> {
    return this.io.webSocketClose(ws);
  }
  override webSocketError(ws: WebSocket): Promise<void> {
    return this.io.webSocketError(ws);
  }
  override alarm(): Promise<void> {
    return this.io.alarm();
  }

  async handOver(wish: TakeoverWish): Promise<string | null> {
    this.told.push(["handOver", "", wish.by]);
    if (this.isSilent) await scheduler.wait(1_000);
    return await this.io.handOver(wish);
  }

  #handlers(): Handlers<Me> {
    const tell = (handler: string, { id }: Socket<Me>, ...rest: unknown[]) => {
      this.told.push([handler, id, ...rest]);
    };
    return {
      identify: (_, { name }) => (name === undefined ? null : String(name)),
      owns: (data, who) => data?.name === who,
      resume: async (socket) => await this.resumes?.(socket),
      moving: (socket, to) => {
        tell("moving", socket, to);
        return { rooms: [...socket.rooms].filter((room) => room !== "stays"), data: socket.data };
      },
      connect: async (socket, { name, refuse, fail, later, hold }) => {
        if (later && !this.#sentAway.has(String(later))) {
          this.#sentAway.add(String(later));
          throw new ConnectLater();
        }
        if (refuse) throw new ConnectRefused("Not you", { why: refuse });
        if (fail) throw new Error("a secret of the database");
        if (socket.recovered && hold) {
          await new Promise<void>((go) => {
            this.letGo = go;
          });
        }
        if (socket.recovered) return;
        socket.data = { name: String(name ?? "nobody") };
      },
      connected: (socket) => tell("connected", socket, socket.recovered),
      event: (socket, name, args, ack) => this.#event(socket, name, args, ack, tell),
      disconnect: (socket, reason) => tell("disconnect", socket, reason, [...socket.rooms]),
      expired: (socket) => tell("expired", socket, [...socket.rooms]),
      wake: async () => {
        await scheduler.wait(5);
        this.told.push(["wake", ""]);
      },
    };
  }

  async #event(
    socket: Socket<Me>,
    name: string,
    args: unknown[],
    ack: ((...args: unknown[]) => void) | null,
    tell: (handler: string, socket: Socket<Me>, ...rest: unknown[]) => void,
  ): Promise<void> {
    tell("event", socket, name, args);
    const [first, second] = args;
    switch (name) {
      case "join":
        return socket.join(String(first));
      case "leave":
        return socket.leave(String(first));
      case "lose":
        return this.io.missed(String(first));
      case "say":
        this.io.to(String(first)).emit("said", [second], { except: [socket.id] });
        return;
      case "echo":
        return ack ? ack(...args) : socket.emit("echoed", ...args);
      case "ask":
        socket.emit("answered", await socket.emitWithAck("question", [first]));
        return;
      case "hang":
        return await new Promise<void>((go) => {
          this.letGo = go;
        });
      case "slow":
        return await scheduler.wait(Number(first));
      case "throw":
        throw new Error("thrown by the handler");
      case "fat":
        socket.data = { name: "x".repeat(20_000) };
        return;
      case "leave-me":
        return socket.disconnect(first === true);
    }
  }
}

/** Gives messages back, by the transport layer alone. Its pings are far apart: tests that count frames meet none. */
export class EchoObject extends DurableObject<TestEnv> {
  readonly #io = new EngineIo(
    this.ctx,
    { pongs: "wake" },
    { message: (session, data) => session.send(typeof data === "string" ? `4${data}` : data) },
  );

  override fetch(request: Request): Promise<Response> {
    return this.#io.fetch(request);
  }
  override webSocketMessage(ws: WebSocket, data: string | ArrayBuffer): Promise<void> {
    return this.#io.webSocketMessage(ws, data);
  }
  override webSocketClose(ws: WebSocket): Promise<void> {
    return this.#io.webSocketClose(ws);
  }
  override webSocketError(ws: WebSocket): Promise<void> {
    return this.#io.webSocketError(ws);
  }
  override alarm(): Promise<void> {
    return this.#io.alarm();
  }
}

/** For real clients: `?shard=recovering-1` names the object of a new session. */
export default {
  async fetch(request, env) {
    const { searchParams } = new URL(request.url);
    const shard = shardOf(searchParams.get("sid")) ?? searchParams.get("shard") ?? "plain-0";
    return await env.SHARD.getByName(shard).fetch(request);
  },
} satisfies ExportedHandler<TestEnv>;
